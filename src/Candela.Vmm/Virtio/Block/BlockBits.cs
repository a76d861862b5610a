namespace Candela.Vmm.Virtio.Block;

/// <summary>Constants of the block device (virtio 1.2, section 5.2).</summary>
internal static class BlockBits
{
    public const uint VIRTIO_ID_BLOCK = 2; // 5.2.1

    // Feature bits (5.2.3).
    public const ulong VIRTIO_BLK_F_SEG_MAX = 1UL << 2;
    public const ulong VIRTIO_BLK_F_RO = 1UL << 5;
    public const ulong VIRTIO_BLK_F_BLK_SIZE = 1UL << 6;
    public const ulong VIRTIO_BLK_F_FLUSH = 1UL << 9;
    public const ulong VIRTIO_BLK_F_DISCARD = 1UL << 13;
    public const ulong VIRTIO_BLK_F_WRITE_ZEROES = 1UL << 14;

    // Request types (5.2.6).
    public const uint VIRTIO_BLK_T_IN = 0;
    public const uint VIRTIO_BLK_T_OUT = 1;
    public const uint VIRTIO_BLK_T_FLUSH = 4;
    public const uint VIRTIO_BLK_T_GET_ID = 8;
    public const uint VIRTIO_BLK_T_DISCARD = 11;
    public const uint VIRTIO_BLK_T_WRITE_ZEROES = 13;

    // Status (5.2.6).
    public const byte VIRTIO_BLK_S_OK = 0;
    public const byte VIRTIO_BLK_S_IOERR = 1;
    public const byte VIRTIO_BLK_S_UNSUPP = 2;

    /// <summary>Flag of a write-zeroes segment: the range may be deallocated (5.2.6).</summary>
    public const uint Unmap = 1;

    /// <summary>Bytes of a sector, whatever blk_size says (5.2.4).</summary>
    public const int SectorBytes = 512;

    /// <summary>type, reserved, sector (5.2.6).</summary>
    public const int HeaderBytes = 16;

    /// <summary>struct virtio_blk_discard_write_zeroes: sector, num_sectors, flags (5.2.6).</summary>
    public const int RangeBytes = 16;

    /// <summary>Longest answer to GET_ID (5.2.6).</summary>
    public const int IdBytes = 20;

    // struct virtio_blk_config (5.2.4).
    public const int CapacityAt = 0;
    public const int SegMaxAt = 12;
    public const int BlkSizeAt = 20;
    public const int MaxDiscardSectorsAt = 36;
    public const int MaxDiscardSegAt = 40;
    public const int DiscardSectorAlignmentAt = 44;
    public const int MaxWriteZeroesSectorsAt = 48;
    public const int MaxWriteZeroesSegAt = 52;
    public const int WriteZeroesMayUnmapAt = 56;
    public const int ConfigurationBytes = 60;
}

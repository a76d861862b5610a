using System.Buffers.Binary;
using Candela.Vmm.Memory;
using Candela.Vmm.Native;
using Candela.Vmm.Virtio.Queue;

namespace Candela.Vmm.Virtio.Block;

/// <summary>
/// A disk (virtio 1.2, section 5.2) with one queue: read, write, flush, discard, write-zeroes, get-id. Its size is fixed when the VM is
/// made; the storage behind it may be set later and be smaller, and what is not there reads as zero.
/// </summary>
internal sealed class BlockDevice : VirtioDevice
{
    /// <summary>Descriptors of its queue.</summary>
    public const ushort QueueSize = 256;

    private const uint RangeSectorsMaximum = 1u << 22; // 2 GiB a request
    private const int RangesMaximum = 16;
    private const uint BlockBytes = 4096;

    private readonly DescriptorChain _chain = new(QueueSize);
    private readonly IoVector[] _buffers = GC.AllocateArray<IoVector>(QueueSize, pinned: true);
    private readonly byte[] _configuration = new byte[BlockBits.ConfigurationBytes];
    private readonly byte[] _id = new byte[BlockBits.IdBytes];
    private readonly ulong _capacitySectors;
    private readonly bool _isReadOnly;

    /// <summary>A disk without storage: reads give zeros, writes fail.</summary>
    /// <param name="memory">The guest's memory.</param>
    /// <param name="id">At most 20 bytes of ASCII that the guest can read as serial number.</param>
    /// <param name="capacityBytes">Multiple of 512.</param>
    /// <param name="isReadOnly">The guest is told, and writes fail.</param>
    public BlockDevice(GuestMemory memory, ReadOnlySpan<byte> id, ulong capacityBytes, bool isReadOnly)
        : base(memory, QueueSize)
    {
        id[..Math.Min(id.Length, BlockBits.IdBytes)].CopyTo(_id);
        _capacitySectors = capacityBytes / BlockBits.SectorBytes;
        _isReadOnly = isReadOnly;
        Span<byte> configuration = _configuration;
        BinaryPrimitives.WriteUInt64LittleEndian(configuration[BlockBits.CapacityAt..], _capacitySectors);
        BinaryPrimitives.WriteUInt32LittleEndian(configuration[BlockBits.SegMaxAt..], QueueSize - 2);
        BinaryPrimitives.WriteUInt32LittleEndian(configuration[BlockBits.BlkSizeAt..], BlockBits.SectorBytes);
        BinaryPrimitives.WriteUInt32LittleEndian(configuration[BlockBits.MaxDiscardSectorsAt..], RangeSectorsMaximum);
        BinaryPrimitives.WriteUInt32LittleEndian(configuration[BlockBits.MaxDiscardSegAt..], RangesMaximum);
        BinaryPrimitives.WriteUInt32LittleEndian(configuration[BlockBits.DiscardSectorAlignmentAt..], BlockBytes / BlockBits.SectorBytes);
        BinaryPrimitives.WriteUInt32LittleEndian(configuration[BlockBits.MaxWriteZeroesSectorsAt..], RangeSectorsMaximum);
        BinaryPrimitives.WriteUInt32LittleEndian(configuration[BlockBits.MaxWriteZeroesSegAt..], RangesMaximum);
        configuration[BlockBits.WriteZeroesMayUnmapAt] = 1;
    }

    /// <inheritdoc/>
    public override uint DeviceId => BlockBits.VIRTIO_ID_BLOCK;

    /// <summary>Where the bytes are; null: zeros that cannot be written. Set under the device's lock.</summary>
    public IBlockBackend? Backend { get; set; }

    /// <inheritdoc/>
    protected override ulong TypeFeatures =>
        BlockBits.VIRTIO_BLK_F_SEG_MAX | BlockBits.VIRTIO_BLK_F_BLK_SIZE | BlockBits.VIRTIO_BLK_F_FLUSH
        | (_isReadOnly ? BlockBits.VIRTIO_BLK_F_RO : BlockBits.VIRTIO_BLK_F_DISCARD | BlockBits.VIRTIO_BLK_F_WRITE_ZEROES);

    /// <inheritdoc/>
    public override void ReadConfiguration(uint offset, Span<byte> target)
    {
        target.Clear();
        if (offset < (uint)_configuration.Length)
            _configuration.AsSpan((int)offset, Math.Min(target.Length, _configuration.Length - (int)offset)).CopyTo(target);
    }

    /// <inheritdoc/>
    protected override void ProcessQueue(int index)
    {
        while (TryPop(0, _chain))
        {
            // The last byte that the device writes is the status (5.2.6): without it nobody can be told anything.
            if (_chain.WritableBytes == 0 || _chain.ReadableBytes < BlockBits.HeaderBytes)
            {
                Fail();
                break;
            }

            uint dataBytes = _chain.WritableBytes - 1;
            byte status = Execute(dataBytes, out uint writtenBytes);
            _chain.CopyTo(dataBytes, [status]);
            // Used length counts from the first writable byte without holes; the status after unwritten data is not counted in (2.7.8.2).
            Queues[0].Push(_chain.Head, writtenBytes == dataBytes ? dataBytes + 1 : writtenBytes);
        }

        SignalUsed(0);
    }

    private byte Execute(uint inputBytes, out uint writtenBytes)
    {
        Span<byte> header = stackalloc byte[BlockBits.HeaderBytes];
        _chain.CopyFrom(0, header);
        uint type = BinaryPrimitives.ReadUInt32LittleEndian(header);
        ulong sector = BinaryPrimitives.ReadUInt64LittleEndian(header[8..]);
        uint outputBytes = _chain.ReadableBytes - BlockBits.HeaderBytes;
        writtenBytes = 0;
        switch (type)
        {
            case BlockBits.VIRTIO_BLK_T_IN:
                if (outputBytes != 0 || !IsWithin(sector, inputBytes))
                    return BlockBits.VIRTIO_BLK_S_IOERR;
                return Read(sector, inputBytes, out writtenBytes);
            case BlockBits.VIRTIO_BLK_T_OUT:
                if (_isReadOnly || Backend is null || inputBytes != 0 || !IsWithin(sector, outputBytes))
                    return BlockBits.VIRTIO_BLK_S_IOERR;
                int count = DescriptorChain.Slice(_chain.Readable, BlockBits.HeaderBytes, outputBytes, _buffers);
                return Status(Backend.TryWrite(_buffers.AsSpan(0, count), sector * BlockBits.SectorBytes));
            case BlockBits.VIRTIO_BLK_T_FLUSH:
                return Status(Backend is null || Backend.TryFlush());
            case BlockBits.VIRTIO_BLK_T_GET_ID:
                writtenBytes = (uint)_chain.CopyTo(0, _id.AsSpan(0, (int)Math.Min(inputBytes, BlockBits.IdBytes)));
                return BlockBits.VIRTIO_BLK_S_OK;
            case BlockBits.VIRTIO_BLK_T_DISCARD:
            case BlockBits.VIRTIO_BLK_T_WRITE_ZEROES:
                return _isReadOnly || Backend is null ? BlockBits.VIRTIO_BLK_S_IOERR : Zero(type, outputBytes);
            default:
                return BlockBits.VIRTIO_BLK_S_UNSUPP;
        }
    }

    private unsafe byte Read(ulong sector, uint lengthBytes, out uint writtenBytes)
    {
        int count = DescriptorChain.Slice(_chain.Writable, 0, lengthBytes, _buffers);
        Span<IoVector> buffers = _buffers.AsSpan(0, count);
        writtenBytes = 0;
        if (Backend is null)
        {
            foreach (IoVector buffer in buffers)
                System.Runtime.InteropServices.NativeMemory.Clear(buffer.Start, buffer.Length);
        }
        else if (!Backend.TryRead(buffers, sector * BlockBits.SectorBytes))
        {
            return BlockBits.VIRTIO_BLK_S_IOERR;
        }

        writtenBytes = lengthBytes;
        return BlockBits.VIRTIO_BLK_S_OK;
    }

    private byte Zero(uint type, uint outputBytes)
    {
        if (outputBytes == 0 || outputBytes % BlockBits.RangeBytes != 0 || outputBytes > RangesMaximum * BlockBits.RangeBytes)
            return BlockBits.VIRTIO_BLK_S_IOERR;
        Span<byte> range = stackalloc byte[BlockBits.RangeBytes];
        for (uint at = 0; at < outputBytes; at += BlockBits.RangeBytes)
        {
            _chain.CopyFrom(BlockBits.HeaderBytes + at, range);
            ulong sector = BinaryPrimitives.ReadUInt64LittleEndian(range);
            uint sectorCount = BinaryPrimitives.ReadUInt32LittleEndian(range[8..]);
            uint flags = BinaryPrimitives.ReadUInt32LittleEndian(range[12..]);
            bool isDiscard = type == BlockBits.VIRTIO_BLK_T_DISCARD;
            // Unknown flags, and unmap in a discard, are unsupported (5.2.6.2).
            if ((flags & ~BlockBits.Unmap) != 0 || (isDiscard && flags != 0))
                return BlockBits.VIRTIO_BLK_S_UNSUPP;
            if (sectorCount > RangeSectorsMaximum || !IsWithin(sector, (ulong)sectorCount * BlockBits.SectorBytes))
                return BlockBits.VIRTIO_BLK_S_IOERR;
            if (sectorCount != 0 && !Backend!.TryZero(sector * BlockBits.SectorBytes, (ulong)sectorCount * BlockBits.SectorBytes, isDiscard || (flags & BlockBits.Unmap) != 0))
                return BlockBits.VIRTIO_BLK_S_IOERR;
        }

        return BlockBits.VIRTIO_BLK_S_OK;
    }

    private bool IsWithin(ulong sector, ulong lengthBytes) =>
        lengthBytes % BlockBits.SectorBytes == 0 && sector <= _capacitySectors && lengthBytes / BlockBits.SectorBytes <= _capacitySectors - sector;

    private static byte Status(bool isDone) => isDone ? BlockBits.VIRTIO_BLK_S_OK : BlockBits.VIRTIO_BLK_S_IOERR;
}

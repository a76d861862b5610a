namespace Candela.Vmm.Virtio.Net;

/// <summary>Constants of the network device (virtio 1.2, section 5.1).</summary>
internal static class NetBits
{
    public const uint VIRTIO_ID_NET = 1; // 5.1.1

    // Feature bits (5.1.3).
    public const ulong VIRTIO_NET_F_CSUM = 1UL << 0;
    public const ulong VIRTIO_NET_F_GUEST_CSUM = 1UL << 1;
    public const ulong VIRTIO_NET_F_MAC = 1UL << 5;
    public const ulong VIRTIO_NET_F_GUEST_TSO4 = 1UL << 7;
    public const ulong VIRTIO_NET_F_GUEST_TSO6 = 1UL << 8;
    public const ulong VIRTIO_NET_F_HOST_TSO4 = 1UL << 11;
    public const ulong VIRTIO_NET_F_HOST_TSO6 = 1UL << 12;
    public const ulong VIRTIO_NET_F_MRG_RXBUF = 1UL << 15;
    public const ulong VIRTIO_NET_F_STATUS = 1UL << 16;

    // Queues (5.1.2).
    public const int ReceiveQueue = 0;
    public const int TransmitQueue = 1;

    /// <summary>struct virtio_net_hdr: flags, gso_type, hdr_len, gso_size, csum_start, csum_offset, num_buffers (5.1.6).</summary>
    public const int HeaderBytes = 12;

    /// <summary>Offset of num_buffers in it.</summary>
    public const int NumBuffersAt = 10;

    /// <summary>Status: the link is up (5.1.4).</summary>
    public const ushort VIRTIO_NET_S_LINK_UP = 1;

    // struct virtio_net_config (5.1.4).
    public const int MacAt = 0, MacBytes = 6, StatusAt = 6, ConfigurationBytes = 8;

    /// <summary>Largest frame with segmentation offload and its header: 64 KiB of IP packet and an Ethernet header (5.1.6.3.1).</summary>
    public const int FrameBytesMaximum = HeaderBytes + 14 + 65536;
}

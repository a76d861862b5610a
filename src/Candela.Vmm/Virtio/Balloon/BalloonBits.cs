namespace Candela.Vmm.Virtio.Balloon;

/// <summary>Constants of the memory balloon (virtio 1.2, section 5.5).</summary>
internal static class BalloonBits
{
    public const uint VIRTIO_ID_BALLOON = 5; // 5.5.1

    // Feature bits (5.5.3).
    public const ulong VIRTIO_BALLOON_F_DEFLATE_ON_OOM = 1UL << 2;
    public const ulong VIRTIO_BALLOON_F_PAGE_REPORTING = 1UL << 5;

    // Queues (5.5.2); those of features that are not offered are left out, so reporting follows at once.
    public const int InflateQueue = 0;
    public const int DeflateQueue = 1;
    public const int ReportingQueue = 2;

    /// <summary>Bytes of a page, whatever the guest's are (5.5.6).</summary>
    public const int PageBytes = 4096;

    // struct virtio_balloon_config (5.5.4).
    public const int NumPagesAt = 0, ActualAt = 4, ConfigurationBytes = 8;
}

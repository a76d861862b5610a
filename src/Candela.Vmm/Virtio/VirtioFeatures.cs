namespace Candela.Vmm.Virtio;

/// <summary>Feature bits of every device (virtio 1.2, chapter 6).</summary>
internal static class VirtioFeatures
{
    /// <summary>The driver may use indirect descriptors (2.7.5.3).</summary>
    public const ulong VIRTIO_F_INDIRECT_DESC = 1UL << 28;

    /// <summary>Suppression of notifications by index (2.7.7, 2.7.10).</summary>
    public const ulong VIRTIO_F_EVENT_IDX = 1UL << 29;

    /// <summary>Compliance with version 1; drivers without it are refused.</summary>
    public const ulong VIRTIO_F_VERSION_1 = 1UL << 32;
}

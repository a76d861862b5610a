namespace Candela.Storage;

/// <summary>Limits of volumes.</summary>
public static class StorageLimits
{
    /// <summary>Smallest volume, bytes: the file system needs a journal.</summary>
    public const long VolumeBytesLeast = 16L << 20;

    /// <summary>Largest volume, bytes: what a placeholder disk shows to the guest.</summary>
    public const long VolumeBytesMost = 1L << 40;

    /// <summary>Size of a volume when none is asked for, bytes; its file is sparse.</summary>
    public const long VolumeBytesDefault = 10L << 30;
}

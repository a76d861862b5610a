namespace Candela.Images;

/// <summary>Limits on image data, all of which comes from strangers. What exceeds one is refused with ImageInvalid.</summary>
public sealed record ImageLimits
{
    /// <summary>Largest sum of the uncompressed layers of one image, bytes.</summary>
    public long UncompressedBytes { get; init; } = 64L << 30;

    /// <summary>Most tar entries of all layers of one image.</summary>
    public int Entries { get; init; } = 1_000_000;

    /// <summary>Largest sum of names, link targets and extended attributes of one image, bytes: these are held in memory.</summary>
    public long MetadataBytes { get; init; } = 256 << 20;

    /// <summary>Most layers of one image (Docker's overlay limit is 127).</summary>
    public int Layers { get; init; } = 128;

    /// <summary>Longest path in a layer, and longest link target, bytes (PATH_MAX).</summary>
    public int PathBytes { get; init; } = 4096;

    /// <summary>Longest component of a path, bytes (NAME_MAX).</summary>
    public int NameBytes { get; init; } = 255;

    /// <summary>Largest sum of the extended attributes of one file, bytes.</summary>
    public int ExtendedAttributeBytes { get; init; } = 128 << 10;

    /// <summary>Largest extension header (pax records, GNU long name) of one entry, bytes.</summary>
    public int ExtensionBytes { get; init; } = 1 << 20;

    /// <summary>Largest manifest or index, bytes (OCI distribution-spec's recommendation).</summary>
    public int ManifestBytes { get; init; } = 4 << 20;

    /// <summary>Largest image configuration, bytes.</summary>
    public int ConfigurationBytes { get; init; } = 8 << 20;

    /// <summary>Most members of a <c>docker save</c> or OCI-layout archive.</summary>
    public int ArchiveEntries { get; init; } = 10_000;

    /// <summary>Largest archive to load, uncompressed, bytes.</summary>
    public long ArchiveBytes { get; init; } = 256L << 30;
}

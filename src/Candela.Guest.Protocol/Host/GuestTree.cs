namespace Candela.Guest.Protocol.Host;

/// <summary>What can be read of a whole container.</summary>
public enum GuestTree : byte
{
    /// <summary>The root file system, as a tar stream without a root entry.</summary>
    Root = 1,

    /// <summary>The writable layer, as a tar stream with whiteouts (OCI image-spec, layer.md).</summary>
    Layer = 2,

    /// <summary>What differs from the image: a letter (A added, C changed, D deleted), an absolute path and a zero byte each.</summary>
    Changes = 3,
}

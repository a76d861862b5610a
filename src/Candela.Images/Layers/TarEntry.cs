namespace Candela.Images.Layers;

/// <summary>Kind of a tar entry (POSIX pax, ustar type flags).</summary>
internal enum TarKind : byte
{
    Regular = (byte)'0',
    HardLink = (byte)'1',
    SymbolicLink = (byte)'2',
    CharacterDevice = (byte)'3',
    BlockDevice = (byte)'4',
    Folder = (byte)'5',
    Fifo = (byte)'6',
}

/// <summary>Metadata of one tar entry; extension headers are merged in.</summary>
internal sealed record TarEntry
{
    /// <summary>Kind.</summary>
    public required TarKind Kind { get; init; }

    /// <summary>Name as the tar has it.</summary>
    public required string Name { get; init; }

    /// <summary>Target of a link.</summary>
    public string LinkName { get; init; } = "";

    /// <summary>Permission bits, 07777.</summary>
    public int Mode { get; init; }

    public uint UserId { get; init; }

    public uint GroupId { get; init; }

    /// <summary>Content length, bytes; 0 unless regular.</summary>
    public long Size { get; init; }

    /// <summary>Modified, seconds since 1970.</summary>
    public long ModifiedSeconds { get; init; }

    public uint DeviceMajor { get; init; }

    public uint DeviceMinor { get; init; }

    /// <summary>Extended attributes with their namespace.</summary>
    public IReadOnlyList<ExtendedAttribute> Attributes { get; init; } = [];
}

/// <summary>An extended attribute.</summary>
internal sealed record ExtendedAttribute(string Name, byte[] Value);

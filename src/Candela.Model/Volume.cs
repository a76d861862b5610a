namespace Candela.Model;

/// <summary>A volume: a disk of its own that outlives containers.</summary>
public sealed record Volume
{
    /// <summary>32 hexadecimal digits; names its disk.</summary>
    public required string Id { get; init; }

    /// <summary>Unique in its project; Docker's rule <c>[a-zA-Z0-9][a-zA-Z0-9_.-]+</c>.</summary>
    public required string Name { get; init; }

    /// <summary>Owning project.</summary>
    public required string Project { get; init; }

    /// <summary>When it was created.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>Size of its disk, bytes; the file system on it is a little smaller.</summary>
    public required long SizeBytes { get; init; }

    /// <summary>Free labels.</summary>
    public IReadOnlyDictionary<string, string> Labels { get; init; } = new Dictionary<string, string>();

    /// <summary>Driver options as asked for.</summary>
    public IReadOnlyDictionary<string, string> Options { get; init; } = new Dictionary<string, string>();

    /// <summary>Nobody named it: it was made for one container.</summary>
    public bool IsAnonymous { get; init; }
}

/// <summary>What a new volume is to be.</summary>
public sealed record VolumeSpec
{
    /// <summary>Name; null: an anonymous volume.</summary>
    public string? Name { get; init; }

    /// <summary>Free labels.</summary>
    public IReadOnlyDictionary<string, string> Labels { get; init; } = new Dictionary<string, string>();

    /// <summary>Driver options: <c>size</c> (bytes, or with k, m, g, t).</summary>
    public IReadOnlyDictionary<string, string> Options { get; init; } = new Dictionary<string, string>();
}

/// <summary>A volume that a container is to mount.</summary>
public sealed record VolumeMountSpec
{
    /// <summary>Name of the volume, made when absent; empty: a new anonymous one.</summary>
    public string Source { get; init; } = "";

    /// <summary>Absolute path in the container.</summary>
    public required string Target { get; init; }

    /// <summary>The container may not write.</summary>
    public bool ReadOnly { get; init; }

    /// <summary>Leave an empty volume empty instead of filling it with what the image has at the target.</summary>
    public bool NoCopy { get; init; }

    /// <summary>Options of a volume that is made for it.</summary>
    public IReadOnlyDictionary<string, string> Options { get; init; } = new Dictionary<string, string>();

    /// <summary>Labels of a volume that is made for it.</summary>
    public IReadOnlyDictionary<string, string> Labels { get; init; } = new Dictionary<string, string>();

    /// <summary>It was asked for as a mount of its own (<c>--mount</c>) and not as <c>-v</c>.</summary>
    public bool IsMount { get; init; }
}

/// <summary>A volume that a container mounts whenever it runs.</summary>
/// <param name="VolumeId">The volume.</param>
/// <param name="Name">Its name.</param>
/// <param name="Target">Absolute path in the container.</param>
/// <param name="ReadOnly">The container may not write.</param>
/// <param name="NoCopy">An empty volume stays empty.</param>
/// <param name="IsAnonymous">The volume was made for a container and goes with it when asked.</param>
public sealed record ContainerVolume(string VolumeId, string Name, string Target, bool ReadOnly, bool NoCopy, bool IsAnonymous);

/// <summary>A volume and who uses it.</summary>
/// <param name="Volume">The volume.</param>
/// <param name="UsedBytes">What it takes on the host's disk.</param>
/// <param name="ContainerCount">Containers that mount it, running or not.</param>
public sealed record VolumeUsage(Volume Volume, long UsedBytes, int ContainerCount);

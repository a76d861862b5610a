namespace Candela.Model;

/// <summary>How much of a container's output is kept.</summary>
public sealed record LogConfiguration
{
    /// <summary>What keeps it.</summary>
    public LogDriver Driver { get; init; }

    /// <summary>Size at which a new file is begun, bytes; 0: never.</summary>
    public long MaxSizeBytes { get; init; }

    /// <summary>Files that are kept, the present one included: 1 to <see cref="Limits.LogFileCount"/>; 0: 1.</summary>
    public int MaxFiles { get; init; }

    /// <summary>Options as they were given.</summary>
    public IReadOnlyDictionary<string, string> Options { get; init; } = new Dictionary<string, string>();
}

/// <summary>Docker's names for what keeps a container's output. The files are Candela's own in any case.</summary>
public enum LogDriver
{
    /// <summary>Kept, without a limit unless one is given.</summary>
    JsonFile,

    /// <summary>Kept, with limits unless others are given.</summary>
    Local,

    /// <summary>Not kept: only those who are attached see it.</summary>
    None,
}

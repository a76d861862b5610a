namespace Candela.Build;

/// <summary>What to build.</summary>
public sealed record BuildRequest
{
    /// <summary>The context as one tar (plain, gzip or zstd), in a file.</summary>
    public required string ContextPath { get; init; }

    /// <summary>Path of the Dockerfile in the context.</summary>
    public string DockerfilePath { get; init; } = "Dockerfile";

    /// <summary>Names of the result.</summary>
    public IReadOnlyList<string> Tags { get; init; } = [];

    /// <summary>Values of ARGs; null: that of the same name's default.</summary>
    public IReadOnlyDictionary<string, string?> BuildArguments { get; init; } = new Dictionary<string, string?>();

    /// <summary>Labels of the result besides those of the Dockerfile.</summary>
    public IReadOnlyDictionary<string, string> Labels { get; init; } = new Dictionary<string, string>();

    /// <summary>Stage to stop after, by name or number; empty: the last.</summary>
    public string Target { get; init; } = "";

    /// <summary>Takes nothing from earlier builds.</summary>
    public bool IgnoresCache { get; init; }

    /// <summary>Images whose steps may be taken over, too.</summary>
    public IReadOnlyList<string> CacheFrom { get; init; } = [];

    /// <summary>Pulls base images even when they are here.</summary>
    public bool PullsAlways { get; init; }

    /// <summary>Network of the steps that run commands, as <see cref="Model.ContainerSpec.NetworkMode"/>.</summary>
    public string Network { get; init; } = "none";

    /// <summary>Memory of the micro-VMs that run commands, bytes; 0: the default.</summary>
    public long MemoryBytes { get; init; }

    /// <summary>Size of <c>/dev/shm</c> in them, bytes; 0: the default.</summary>
    public long ShmSizeBytes { get; init; }

    /// <summary>Lines of <c>/etc/hosts</c> in them, <c>name:address</c>.</summary>
    public IReadOnlyList<string> ExtraHosts { get; init; } = [];

    /// <summary>Limits in them.</summary>
    public IReadOnlyList<Model.Ulimit> Ulimits { get; init; } = [];
}

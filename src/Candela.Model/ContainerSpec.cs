namespace Candela.Model;

/// <summary>The desired state of a container: what its creator asked for. After creation only <see cref="ContainerUpdate"/> changes it.</summary>
public sealed record ContainerSpec
{
    /// <summary>Image reference as the user wrote it, for example <c>candela/base:latest</c>.</summary>
    public required string Image { get; init; }

    /// <summary>Overrides the image's entrypoint; null takes the image's, empty clears it.</summary>
    public IReadOnlyList<string>? Entrypoint { get; init; }

    /// <summary>Overrides the image's command; null takes the image's (unless <see cref="Entrypoint"/> is given).</summary>
    public IReadOnlyList<string>? Command { get; init; }

    /// <summary>Environment as <c>NAME=value</c>, added over the image's. <c>NAME</c> alone removes it.</summary>
    public IReadOnlyList<string> Environment { get; init; } = [];

    /// <summary>Absolute working directory in the container; null takes the image's, else <c>/</c>. Created when absent.</summary>
    public string? WorkingDirectory { get; init; }

    /// <summary><c>user[:group]</c> by name or number; null takes the image's, else root.</summary>
    public string? User { get; init; }

    /// <summary>Supplementary groups by name or number.</summary>
    public IReadOnlyList<string> GroupAdd { get; init; } = [];

    /// <summary>Host name, at most 63 characters; null: the first 12 characters of the id.</summary>
    public string? Hostname { get; init; }

    /// <summary>NIS domain name.</summary>
    public string? Domainname { get; init; }

    /// <summary>Give the main process a terminal.</summary>
    public bool Tty { get; init; }

    /// <summary>Keep standard input open for an attached client.</summary>
    public bool OpenStdin { get; init; }

    /// <summary>Close standard input when the first attached client leaves.</summary>
    public bool StdinOnce { get; init; }

    /// <summary>Free labels.</summary>
    public IReadOnlyDictionary<string, string> Labels { get; init; } = new Dictionary<string, string>();

    /// <summary>Memory limit in bytes; 0: none but the machine class's.</summary>
    public long MemoryBytes { get; init; }

    /// <summary>CPU limit in 10⁻⁹ CPUs; 0: the default of one vCPU.</summary>
    public long NanoCpus { get; init; }

    /// <summary>Most processes; 0: no limit.</summary>
    public long PidsLimit { get; init; }

    /// <summary>What is only recorded.</summary>
    public ResourceHints Hints { get; init; } = new();

    /// <summary>Mount the root file system read-only.</summary>
    public bool ReadOnlyRootfs { get; init; }

    /// <summary>tmpfs mounts: absolute path to mount options.</summary>
    public IReadOnlyDictionary<string, string> Tmpfs { get; init; } = new Dictionary<string, string>();

    /// <summary>Volumes to mount, besides those that the image declares.</summary>
    public IReadOnlyList<VolumeMountSpec> Volumes { get; init; } = [];

    /// <summary>Containers whose volumes it mounts, too: name or id, with <c>:ro</c> or <c>:rw</c>.</summary>
    public IReadOnlyList<string> VolumesFrom { get; init; } = [];

    /// <summary>Size of <c>/dev/shm</c> in bytes; 0: 64 MiB.</summary>
    public long ShmSizeBytes { get; init; }

    /// <summary>Resource limits of the main process and of every exec.</summary>
    public IReadOnlyList<Ulimit> Ulimits { get; init; } = [];

    /// <summary>Kernel parameters below /proc/sys, dotted names.</summary>
    public IReadOnlyDictionary<string, string> Sysctls { get; init; } = new Dictionary<string, string>();

    /// <summary>Capabilities added to the default set; <c>ALL</c> or names with or without <c>CAP_</c>.</summary>
    public IReadOnlyList<string> CapAdd { get; init; } = [];

    /// <summary>Capabilities dropped from the default set.</summary>
    public IReadOnlyList<string> CapDrop { get; init; } = [];

    /// <summary>All capabilities, inside its own VM.</summary>
    public bool Privileged { get; init; }

    /// <summary>Forbid gaining privileges through execve.</summary>
    public bool NoNewPrivileges { get; init; }

    /// <summary>Security options as they were given; those that matter here are members of their own.</summary>
    public IReadOnlyList<string> SecurityOptions { get; init; } = [];

    /// <summary>Score adjustment for the guest kernel's OOM killer, −1000 to 1000.</summary>
    public int OomScoreAdjustment { get; init; }

    /// <summary>Signal that asks the container to stop; null takes the image's, else SIGTERM.</summary>
    public string? StopSignal { get; init; }

    /// <summary>Seconds between the stop signal and the kill; null: 10. −1: wait for ever.</summary>
    public int? StopTimeoutSeconds { get; init; }

    /// <summary>Remove the container when it ends.</summary>
    public bool AutoRemove { get; init; }

    /// <summary>Run a reaping init as process 1. Accepted: the guest agent reaps in any case.</summary>
    public bool Init { get; init; }

    /// <summary>Extra <c>/etc/hosts</c> lines as <c>name:address</c>.</summary>
    public IReadOnlyList<string> ExtraHosts { get; init; } = [];

    /// <summary>Name servers for <c>/etc/resolv.conf</c>.</summary>
    public IReadOnlyList<string> DnsServers { get; init; } = [];

    /// <summary>Search domains for <c>/etc/resolv.conf</c>.</summary>
    public IReadOnlyList<string> DnsSearch { get; init; } = [];

    /// <summary>Options for <c>/etc/resolv.conf</c>.</summary>
    public IReadOnlyList<string> DnsOptions { get; init; } = [];

    /// <summary>Name or id of the network that it is connected to first; <c>none</c>: loopback only.</summary>
    public string NetworkMode { get; init; } = "none";

    /// <summary>How it is connected to that network, and others that it is connected to.</summary>
    public IReadOnlyList<NetworkAttachment> Networks { get; init; } = [];

    /// <summary>Ports that it says it serves, as <c>80/tcp</c>, besides those of the image.</summary>
    public IReadOnlyList<string> ExposedPorts { get; init; } = [];

    /// <summary>Publish all exposed ports on ports that are chosen.</summary>
    public bool PublishAllPorts { get; init; }

    /// <summary>Ports of the host that lead to the container's.</summary>
    public IReadOnlyList<PortPublication> PublishedPorts { get; init; } = [];

    /// <summary>How much of its output is kept.</summary>
    public LogConfiguration Log { get; init; } = new();

    /// <summary>How its health is found out; null: as its image says.</summary>
    public HealthCheck? HealthCheck { get; init; }

    /// <summary>What to do when the main process ends by itself.</summary>
    public RestartPolicy RestartPolicy { get; init; } = new();
}

/// <summary>A resource limit (setrlimit(2)).</summary>
/// <param name="Name">Lower-case name without <c>RLIMIT_</c>, for example <c>nofile</c>.</param>
/// <param name="Soft">Soft limit; −1: unlimited.</param>
/// <param name="Hard">Hard limit; −1: unlimited.</param>
public sealed record Ulimit(string Name, long Soft, long Hard);

/// <summary>What to do when a container's main process ends by itself.</summary>
public sealed record RestartPolicy
{
    /// <summary>When to restart.</summary>
    public RestartCondition Condition { get; init; } = RestartCondition.No;

    /// <summary>Most restarts with <see cref="RestartCondition.OnFailure"/>; 0: no limit.</summary>
    public int MaximumRetryCount { get; init; }
}

/// <summary>When a container is restarted.</summary>
public enum RestartCondition
{
    /// <summary>Never.</summary>
    No,

    /// <summary>Always, also after the daemon restarts, until stopped by a user.</summary>
    Always,

    /// <summary>Like <see cref="Always"/>, but a stopped container stays stopped after the daemon restarts.</summary>
    UnlessStopped,

    /// <summary>When the exit code is not 0.</summary>
    OnFailure,
}

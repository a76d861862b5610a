namespace Candela.Model;

/// <summary>A container: a micro-VM that runs an image's process. Desired state plus observed status.</summary>
public sealed record Container
{
    /// <summary>64 lower-case hexadecimal digits.</summary>
    public required string Id { get; init; }

    /// <summary>Unique in its project; Docker's rule <c>[a-zA-Z0-9][a-zA-Z0-9_.-]+</c>.</summary>
    public required string Name { get; init; }

    /// <summary>Owning project.</summary>
    public required string Project { get; init; }

    /// <summary>When it was created.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>Id (<c>sha256:…</c>, of the image's configuration) that <see cref="ContainerSpec.Image"/> meant at creation.</summary>
    public required string ImageId { get; init; }

    /// <summary>What was asked for.</summary>
    public required ContainerSpec Spec { get; init; }

    /// <summary>The process that results from <see cref="Spec"/> and the image's configuration.</summary>
    public required ProcessConfiguration Process { get; init; }

    /// <summary>What is.</summary>
    public required ContainerStatus Status { get; init; }

    /// <summary>Networks that it is connected to whenever it runs: at first those of <see cref="Spec"/>.</summary>
    public IReadOnlyList<NetworkAttachment> Networks { get; init; } = [];

    /// <summary>Connections to networks, assigned when it starts and given back when it ends.</summary>
    public IReadOnlyList<NetworkEndpoint> Endpoints { get; init; } = [];

    /// <summary>Ports that it says it serves, as <c>80/tcp</c>: the image's and those of <see cref="Spec"/>.</summary>
    public IReadOnlyList<string> ExposedPorts { get; init; } = [];

    /// <summary>Ports of the host that lead to it in its present run, with the ports that were chosen.</summary>
    public IReadOnlyList<PortPublication> Published { get; init; } = [];

    /// <summary>Its health check, its own and its image's taken together; null or <c>NONE</c>: it has none.</summary>
    public HealthCheck? HealthCheck { get; init; }

    /// <summary>Volumes that it mounts: those asked for, those of the image, and those of other containers.</summary>
    public IReadOnlyList<ContainerVolume> Volumes { get; init; } = [];

    /// <summary>Id of the container that this one was forked from, if any.</summary>
    public string? ForkedFrom { get; init; }

    /// <summary>Store revision; grows with each change.</summary>
    public long Revision { get; init; }
}

/// <summary>A process to start, resolved: nothing is left to the image's defaults.</summary>
public sealed record ProcessConfiguration
{
    /// <summary>Program and arguments; never empty.</summary>
    public required IReadOnlyList<string> Arguments { get; init; }

    /// <summary>Environment as <c>NAME=value</c>.</summary>
    public IReadOnlyList<string> Environment { get; init; } = [];

    /// <summary>Absolute working directory.</summary>
    public string WorkingDirectory { get; init; } = "/";

    /// <summary><c>user[:group]</c>; empty: root.</summary>
    public string User { get; init; } = "";

    /// <summary>Give it a terminal.</summary>
    public bool Tty { get; init; }

    /// <summary>Give it an open standard input.</summary>
    public bool OpenStdin { get; init; }

    /// <summary>All capabilities.</summary>
    public bool Privileged { get; init; }

    /// <summary>Signal number that asks it to stop.</summary>
    public int StopSignal { get; init; } = 15;
}

/// <summary>Life-cycle state, as Docker names them.</summary>
public enum ContainerState
{
    /// <summary>Made, never started.</summary>
    Created,

    /// <summary>Its process runs.</summary>
    Running,

    /// <summary>Its VM is paused.</summary>
    Paused,

    /// <summary>It ended and waits for its restart policy's back-off.</summary>
    Restarting,

    /// <summary>It is being removed.</summary>
    Removing,

    /// <summary>Its process ended.</summary>
    Exited,

    /// <summary>It could not be removed completely.</summary>
    Dead,
}

/// <summary>Observed status of a container.</summary>
public sealed record ContainerStatus
{
    /// <summary>Life-cycle state.</summary>
    public ContainerState State { get; init; } = ContainerState.Created;

    /// <summary>Host process id of the VMM while running, else 0.</summary>
    public int Pid { get; init; }

    /// <summary>Exit code of the last run: 0–255, 128 + signal, 125/126/127 when it could not start.</summary>
    public int ExitCode { get; init; }

    /// <summary>Why it could not start, or empty.</summary>
    public string Error { get; init; } = "";

    /// <summary>The guest kernel killed one of its processes for memory in the last run.</summary>
    public bool OomKilled { get; init; }

    /// <summary>Health in this run, unhealthy after it; null: it has no health check, or never ran.</summary>
    public HealthStatus? Health { get; init; }

    /// <summary>Start of the last run.</summary>
    public DateTimeOffset? StartedAt { get; init; }

    /// <summary>End of the last run.</summary>
    public DateTimeOffset? FinishedAt { get; init; }

    /// <summary>Restarts by its restart policy.</summary>
    public int RestartCount { get; init; }

    /// <summary>A user stopped it (matters to <see cref="RestartCondition.UnlessStopped"/>).</summary>
    public bool StoppedByUser { get; init; }

    /// <summary>How long each stage of the last start took, in milliseconds, in order.</summary>
    public IReadOnlyList<StageTiming> StartStages { get; init; } = [];
}

/// <summary>One measured stage of a start.</summary>
/// <param name="Stage">Name of the stage.</param>
/// <param name="Milliseconds">Duration.</param>
public sealed record StageTiming(string Stage, double Milliseconds);

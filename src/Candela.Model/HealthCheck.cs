namespace Candela.Model;

/// <summary>A command that tells whether a container does its work. 0 milliseconds or retries: the default.</summary>
public sealed record HealthCheck
{
    /// <summary>Default of <see cref="IntervalMilliseconds"/> and <see cref="TimeoutMilliseconds"/>.</summary>
    public const long DefaultMilliseconds = 30_000;

    /// <summary>Default of <see cref="StartIntervalMilliseconds"/>.</summary>
    public const long DefaultStartMilliseconds = 5_000;

    /// <summary>Default of <see cref="Retries"/>.</summary>
    public const int DefaultRetries = 3;

    /// <summary><c>CMD</c> and arguments, <c>CMD-SHELL</c> and a shell's command, or <c>NONE</c>; empty: the image's.</summary>
    public IReadOnlyList<string> Test { get; init; } = [];

    /// <summary>From the end of one probe to the next.</summary>
    public long IntervalMilliseconds { get; init; }

    /// <summary>Most time of a probe; then its process is killed and it has failed.</summary>
    public long TimeoutMilliseconds { get; init; }

    /// <summary>Time after the start in which failures do not count.</summary>
    public long StartPeriodMilliseconds { get; init; }

    /// <summary>Interval in that time.</summary>
    public long StartIntervalMilliseconds { get; init; }

    /// <summary>Failures in a row that make it unhealthy.</summary>
    public int Retries { get; init; }
}

/// <summary>What the probes say.</summary>
public enum HealthState
{
    /// <summary>None has succeeded yet, and not enough have failed.</summary>
    Starting,

    /// <summary>The last one succeeded, or not enough have failed since.</summary>
    Healthy,

    /// <summary>Enough in a row have failed.</summary>
    Unhealthy,
}

/// <summary>Health of a running container.</summary>
public sealed record HealthStatus
{
    /// <summary>Probes that are kept.</summary>
    public const int ProbeCount = 5;

    /// <summary>What they say.</summary>
    public HealthState State { get; init; }

    /// <summary>Failures in a row.</summary>
    public int FailingStreak { get; init; }

    /// <summary>The last probes, oldest first.</summary>
    public IReadOnlyList<HealthProbe> Log { get; init; } = [];
}

/// <summary>A probe.</summary>
/// <param name="StartedAt">Start.</param>
/// <param name="EndedAt">End.</param>
/// <param name="ExitCode">0: healthy; −1: it could not be made, or did not end in time.</param>
/// <param name="Output">The beginning of what it wrote, at most 4096 bytes.</param>
public sealed record HealthProbe(DateTimeOffset StartedAt, DateTimeOffset EndedAt, int ExitCode, string Output);

namespace Candela.Model;

/// <summary>Figures of a container: the guest's and the VMM's.</summary>
public sealed record ContainerStatistics
{
    /// <summary>When read.</summary>
    public required DateTimeOffset ReadAt { get; init; }

    /// <summary>CPU time of the container, nanoseconds.</summary>
    public long CpuTotalNanoseconds { get; init; }

    /// <summary>User part.</summary>
    public long CpuUserNanoseconds { get; init; }

    /// <summary>Kernel part.</summary>
    public long CpuSystemNanoseconds { get; init; }

    /// <summary>All CPU time of the guest, idle too.</summary>
    public long SystemTotalNanoseconds { get; init; }

    /// <summary>vCPUs.</summary>
    public int OnlineCpus { get; init; }

    /// <summary>Memory used, page cache included, bytes.</summary>
    public long MemoryBytes { get; init; }

    /// <summary>Most used.</summary>
    public long MemoryPeakBytes { get; init; }

    /// <summary>Inactive page cache, bytes.</summary>
    public long MemoryInactiveFileBytes { get; init; }

    /// <summary>Anonymous memory, bytes.</summary>
    public long MemoryAnonymousBytes { get; init; }

    /// <summary>Limit in force, bytes.</summary>
    public long MemoryLimitBytes { get; init; }

    /// <summary>Bytes read.</summary>
    public long ReadBytes { get; init; }

    /// <summary>Bytes written.</summary>
    public long WriteBytes { get; init; }

    /// <summary>Processes and threads.</summary>
    public long Pids { get; init; }

    /// <summary>Memory that only this VMM holds, bytes.</summary>
    public long VmmPrivateBytes { get; init; }

    /// <summary>Proportional set size of the VMM, bytes.</summary>
    public long VmmProportionalBytes { get; init; }

    /// <summary>CPU time of the VMM.</summary>
    public TimeSpan VmmCpuTime { get; init; }
}

/// <summary>A process of a container.</summary>
/// <param name="Pid">Pid in the container.</param>
/// <param name="ParentPid">Parent.</param>
/// <param name="UserId">Real user id.</param>
/// <param name="StartedAt">Start.</param>
/// <param name="CpuTime">CPU time.</param>
/// <param name="Terminal">Terminal or <c>?</c>.</param>
/// <param name="Command">Command line.</param>
public sealed record ProcessEntry(int Pid, int ParentPid, uint UserId, DateTimeOffset StartedAt, TimeSpan CpuTime, string Terminal, string Command);

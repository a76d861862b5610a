namespace Candela.Model;

/// <summary>
/// Shares of a common kernel, which no container of Candela has: they are recorded and shown, and change nothing. 0 or empty: not given.
/// </summary>
public sealed record ResourceHints
{
    /// <summary>Soft memory limit in bytes.</summary>
    public long MemoryReservationBytes { get; init; }

    /// <summary>Relative CPU weight.</summary>
    public long CpuShares { get; init; }

    /// <summary>CPUs, as <c>0-2,4</c>.</summary>
    public string CpusetCpus { get; init; } = "";

    /// <summary>Memory nodes, as <c>0,1</c>.</summary>
    public string CpusetMems { get; init; } = "";

    /// <summary>Period of a CPU quota in microseconds, which <see cref="ContainerSpec.NanoCpus"/> follows from.</summary>
    public long CpuPeriodMicroseconds { get; init; }

    /// <summary>CPU quota in microseconds, which <see cref="ContainerSpec.NanoCpus"/> follows from.</summary>
    public long CpuQuotaMicroseconds { get; init; }
}

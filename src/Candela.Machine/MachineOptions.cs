namespace Candela.Machine;

/// <summary>Where the Machine keeps things, and its limits.</summary>
public sealed record MachineOptions
{
    /// <summary>State folder, for example <c>/var/lib/candela</c>; the Machine uses <c>containers/</c> and <c>scratch/</c> below it.</summary>
    public required string StateFolder { get; init; }

    /// <summary>Virtual size of a container's scratch disk, bytes. Its file is sparse.</summary>
    public long ScratchBytes { get; init; } = 10L << 30;

    /// <summary>Formatted scratch disks that wait for a container.</summary>
    public int ScratchPoolCount { get; init; } = 8;

    /// <summary>Memory of a micro-VM whose container has no limit, bytes.</summary>
    public long DefaultMemoryBytes { get; init; } = 512L << 20;

    /// <summary>Memory that the guest's kernel and agent need beside a container's limit, bytes.</summary>
    public long GuestOverheadBytes { get; init; } = 96L << 20;

    /// <summary>Memory of the host, bytes. No micro-VM may be larger.</summary>
    public long HostMemoryBytes { get; init; } = HostMemory.TotalBytes;

    /// <summary>Processors of the host. No container's CPU limit may be higher.</summary>
    public int HostProcessorCount { get; init; } = Environment.ProcessorCount;

    /// <summary>Most time from the claim of a micro-VM to its running process.</summary>
    public TimeSpan StartTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Most time for a guest to power off before its VMM is killed.</summary>
    public TimeSpan PowerOffTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Most time between a process's end and the end of its output.</summary>
    public TimeSpan DrainTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Most micro-VMs that are re-adopted at once after a restart.</summary>
    public int RecoveryParallelism { get; init; } = 16;
}

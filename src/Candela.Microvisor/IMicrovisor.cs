using Candela.Model;
using Microsoft.Win32.SafeHandles;

namespace Candela.Microvisor;

/// <summary>
/// Makes micro-VMs by cloning running parents. One implementation a driver: <c>Qemu</c>, <c>Simulated</c> (and later <c>Kvm</c>).
/// Only the Machine talks to it. VMM processes outlive this object; <see cref="AdoptAsync"/> finds them again.
/// </summary>
public interface IMicrovisor : IAsyncDisposable
{
    /// <summary>The driver's choice and its measured reasons.</summary>
    Task<DriverReport> ProbeAsync(CancellationToken cancellationToken);

    /// <summary>Parents that exist on this machine.</summary>
    IReadOnlyList<ParentStatus> ListParents();

    /// <summary>Boots and snapshots the parent of this size if there is none yet, and fills its pool of waiting VMMs.</summary>
    Task<ParentStatus> EnsureParentAsync(MicroVmSize size, CancellationToken cancellationToken);

    /// <summary>Removes a parent that no clone needs for a later fork or clone; running clones stay.</summary>
    Task RemoveParentAsync(string key, CancellationToken cancellationToken);

    /// <summary>Clones the parent of <see cref="CloneSpec.Size"/> (made if absent) into a new running micro-VM.</summary>
    /// <exception cref="CandelaException">ResourceExhausted, Unavailable or Internal; nothing is left behind.</exception>
    Task<IMicroVm> CloneAsync(CloneSpec spec, CancellationToken cancellationToken);

    /// <summary>
    /// Clones a running micro-VM with its memory and devices. The source is paused only while its device state and changed
    /// pages are written and <paramref name="whilePaused"/> runs (the caller copies scratch disks there).
    /// The forks are returned running; their agents must be given an identity of their own.
    /// </summary>
    Task<ForkResult> ForkAsync(IMicroVm source, IReadOnlyList<CloneSpec> forks, Func<CancellationToken, Task> whilePaused, CancellationToken cancellationToken);

    /// <summary>Finds a micro-VM made by an earlier daemon; null when its VMM is gone (its remains are cleaned away).</summary>
    Task<IMicroVm?> AdoptAsync(MicroVmRecord record, CancellationToken cancellationToken);

    /// <summary>Ends and cleans every VMM, cgroup and folder of earlier daemons whose <see cref="MicroVmRecord.Folder"/> is not in <paramref name="known"/>.</summary>
    Task CleanOrphansAsync(IReadOnlySet<string> known, CancellationToken cancellationToken);
}

/// <summary>Size of a micro-VM. Parents are keyed by it and by the guest's version.</summary>
/// <param name="VCpus">1 to <see cref="Limits.VCpuCount"/>.</param>
/// <param name="MemoryBytes">Multiple of 1 MiB, at least 64 MiB.</param>
public readonly record struct MicroVmSize(int VCpus, long MemoryBytes);

/// <summary>What a clone is given.</summary>
public sealed record CloneSpec
{
    /// <summary>Id, unique on this machine; 1–64 characters of <c>[a-z0-9-]</c>.</summary>
    public required string Id { get; init; }

    /// <summary>Size; picks the parent.</summary>
    public required MicroVmSize Size { get; init; }

    /// <summary>Read-only block image: <c>/dev/vda</c> in the guest. Its size may be anything up to <see cref="MicroVmLimits.DiskBytes"/>.</summary>
    public required string ImagePath { get; init; }

    /// <summary>Writable disk: <c>/dev/vdb</c> in the guest; null leaves the empty placeholder.</summary>
    public string? ScratchPath { get; init; }

    /// <summary>Further writable disks: <c>/dev/vdc</c> and so on; at most <see cref="MicroVmLimits.VolumeCount"/>.</summary>
    public IReadOnlyList<string> VolumePaths { get; init; } = [];
}

/// <summary>Makes the host's side of micro-VMs' network cards, ahead of need and connected to nothing.</summary>
public interface ITapSource
{
    /// <summary>A new tap with virtio-net headers.</summary>
    /// <param name="card">Number of the card that it is for. The first is likely to be connected at once, the others seldom are.</param>
    /// <exception cref="IOException">The kernel refuses.</exception>
    MicroVmTap Create(int card);
}

/// <summary>A tap for a micro-VM.</summary>
/// <param name="Name">By which its maker knows it.</param>
/// <param name="Descriptor">Given to the VMM; the tap ends with its last copy.</param>
public sealed record MicroVmTap(string Name, SafeFileHandle Descriptor);

/// <summary>Limits of every micro-VM.</summary>
public static class MicroVmLimits
{
    /// <summary>Virtual size of every placeholder disk, 1 TiB: the guest sees it whatever the file's size is.</summary>
    public const long DiskBytes = 1L << 40;

    /// <summary>Network cards of a micro-VM: so many networks it can be connected to at once. One costs some 0.2 MiB of the VMM's memory.</summary>
    public const int CardCount = 4;

    /// <summary>Most volumes of a micro-VM: for each there is a placeholder in every parent.</summary>
    public const int VolumeCount = Limits.VolumeCount;

    /// <summary>Least memory, 64 MiB.</summary>
    public const long MemoryMinimumBytes = 64L << 20;

    /// <summary>Refuses a size that no driver can make.</summary>
    /// <exception cref="CandelaException">InvalidArgument.</exception>
    public static void Check(MicroVmSize size)
    {
        const long mebibyte = 1L << 20;
        if (size.VCpus is < 1 or > Limits.VCpuCount || size.MemoryBytes < MemoryMinimumBytes || size.MemoryBytes % mebibyte != 0)
            throw new CandelaException(ErrorCode.InvalidArgument, $"a micro-VM has 1 to {Limits.VCpuCount} vCPUs and at least {MemoryMinimumBytes / mebibyte} MiB of memory in whole MiB");
    }
}

/// <summary>A running or paused micro-VM.</summary>
public interface IMicroVm : IAsyncDisposable
{
    /// <summary>What the Machine's journal keeps, enough for <see cref="IMicrovisor.AdoptAsync"/>.</summary>
    MicroVmRecord Record { get; }

    /// <summary>How long the stages of its birth took.</summary>
    IReadOnlyList<StageTiming> Stages { get; }

    /// <summary>Completes when the VMM process has ended and its remains (jail, cgroup, sockets) are cleaned away.</summary>
    Task<MicroVmExit> Exited { get; }

    /// <summary>Connects to the agent's port. One connection at a time: a new one replaces the former.</summary>
    Task<Stream> ConnectAgentAsync(CancellationToken cancellationToken);

    /// <summary>Stops the vCPUs.</summary>
    Task PauseAsync(CancellationToken cancellationToken);

    /// <summary>Lets the vCPUs run.</summary>
    Task ResumeAsync(CancellationToken cancellationToken);

    /// <summary>Ends the VMM at once (SIGKILL) and waits until its remains are gone.</summary>
    Task KillAsync(CancellationToken cancellationToken);

    /// <summary>Host-side figures.</summary>
    Task<MicroVmStatistics> GetStatisticsAsync(CancellationToken cancellationToken);

    /// <summary>The last lines of the guest's console, for error reports; at most 64 KiB.</summary>
    Task<string> ReadConsoleAsync(CancellationToken cancellationToken);
}

/// <summary>Journal record of a micro-VM.</summary>
public sealed record MicroVmRecord
{
    /// <summary>Id given by the Machine.</summary>
    public required string Id { get; init; }

    /// <summary>Name of its folder below the driver's run folder; not the id, because a VMM waits there before it is claimed.</summary>
    public required string Folder { get; init; }

    /// <summary>Driver that made it.</summary>
    public required string Driver { get; init; }

    /// <summary>Process id of the VMM in the host's namespace.</summary>
    public required int ProcessId { get; init; }

    /// <summary>Start time of that process (field 22 of /proc/PID/stat), so that a reused pid is not taken for it.</summary>
    public required long ProcessStartTicks { get; init; }

    /// <summary>Unprivileged user id of the VMM.</summary>
    public required uint UserId { get; init; }

    /// <summary>Size.</summary>
    public required MicroVmSize Size { get; init; }

    /// <summary>Key of the parent (or fork base) whose memory it maps.</summary>
    public required string ParentKey { get; init; }

    /// <summary>Scratch disk, needed for forks.</summary>
    public string? ScratchPath { get; init; }

    /// <summary>Image disk, needed for forks.</summary>
    public string? ImagePath { get; init; }

    /// <summary>The taps behind its network cards, by their maker's names; empty when it has none.</summary>
    public IReadOnlyList<string> Taps { get; init; } = [];
}

/// <summary>How a VMM ended.</summary>
/// <param name="GuestPowerOff">The guest powered off by itself, as it does on request.</param>
/// <param name="Detail">For people: exit status or signal and the last words of the VMM.</param>
public sealed record MicroVmExit(bool GuestPowerOff, string Detail);

/// <summary>Result of <see cref="IMicrovisor.ForkAsync"/>.</summary>
/// <param name="Forks">The running forks, in the order asked for.</param>
/// <param name="SourcePause">How long the source stood still.</param>
/// <param name="Stages">How long each stage took.</param>
public sealed record ForkResult(IReadOnlyList<IMicroVm> Forks, TimeSpan SourcePause, IReadOnlyList<StageTiming> Stages);

/// <summary>Host-side figures of a micro-VM.</summary>
/// <param name="PrivateBytes">Memory that only this VMM holds (Private_Clean + Private_Dirty of smaps_rollup).</param>
/// <param name="ProportionalBytes">Pss of smaps_rollup.</param>
/// <param name="ResidentBytes">Rss.</param>
/// <param name="CpuTime">User and system time of the VMM.</param>
public sealed record MicroVmStatistics(long PrivateBytes, long ProportionalBytes, long ResidentBytes, TimeSpan CpuTime);

/// <summary>A parent as listed.</summary>
public sealed record ParentStatus
{
    /// <summary>Key: guest version, vCPUs and memory.</summary>
    public required string Key { get; init; }

    /// <summary>Size of its clones.</summary>
    public required MicroVmSize Size { get; init; }

    /// <summary>Version of the guest (kernel, modules, agent) that it runs.</summary>
    public required string GuestVersion { get; init; }

    /// <summary>When it was made.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>Bytes of its memory that are not zero.</summary>
    public long MemoryBytes { get; init; }

    /// <summary>Bytes of its device state.</summary>
    public long DeviceStateBytes { get; init; }

    /// <summary>VMM processes that wait for a claim.</summary>
    public int Waiting { get; init; }

    /// <summary>How long boot and snapshot took.</summary>
    public IReadOnlyList<StageTiming> Stages { get; init; } = [];
}

/// <summary>Which driver and accelerator this machine uses, and why.</summary>
/// <param name="Driver">For example <c>qemu</c>.</param>
/// <param name="Accelerator">For example <c>kvm</c> or <c>tcg</c>.</param>
/// <param name="Version">Version of the VMM.</param>
/// <param name="Reasons">What was measured, a sentence each.</param>
public sealed record DriverReport(string Driver, string Accelerator, string Version, IReadOnlyList<string> Reasons);

using System.Net;
using Candela.Machine.Identities;
using Candela.Microvisor;
using Candela.Model;
using Candela.Network;
using Candela.Network.Flows;
using Candela.Network.Nftables;
using Candela.Network.Plan;

namespace Candela.Machine;

/// <summary>
/// What runs on this host. The Controller says what should run; the Machine makes it so, keeps a journal of it, and finds it
/// again after a restart of the daemon. Containers are named by their full id here. Failures are <see cref="CandelaException"/>s.
/// </summary>
public interface IMachine : IAsyncDisposable
{
    /// <summary>
    /// First call after construction: re-adopts micro-VMs of an earlier daemon, reports what ended meanwhile, and cleans what belongs
    /// to no container of <paramref name="known"/> (VMMs, folders, logs). Exits of re-adopted containers come by <see cref="Exited"/>.
    /// </summary>
    Task<IReadOnlyList<RecoveredContainer>> RecoverAsync(IReadOnlyCollection<Container> known, CancellationToken cancellationToken);

    /// <summary>
    /// A container's main process ended and its output is complete in log and sessions; or its micro-VM is gone. Raised once a start, never
    /// before <see cref="StartAsync"/> of that start has returned. Must not block.
    /// </summary>
    event Action<string, ContainerExit>? Exited;

    /// <summary>An exec's process ended. Arguments: container id, exec id, exit. Must not block.</summary>
    event Action<string, string, ContainerExit>? ExecExited;

    /// <summary>Who gives containers their identities; before <see cref="RecoverAsync"/>. Without it they have none.</summary>
    void UseIdentities(IContainerIdentities identities);

    /// <summary>
    /// Starts the container in a micro-VM of its own. Returns when its main process runs. CommandNotFound, CommandNotExecutable,
    /// InvalidArgument (unknown user, bad working directory) when it cannot; then nothing runs and nothing is left but its scratch disk.
    /// One start at a time a container; waits for the teardown of the former run.
    /// </summary>
    Task<StartedContainer> StartAsync(Container container, CancellationToken cancellationToken);

    /// <summary>Sends a signal to the main process; SIGKILL always works, also when the guest hangs. Conflict when it does not run.</summary>
    Task SignalAsync(string id, int signal, CancellationToken cancellationToken);

    /// <summary>Ends the micro-VM at once. <see cref="Exited"/> follows with code 137.</summary>
    Task KillAsync(string id, CancellationToken cancellationToken);

    /// <summary>Stops the vCPUs.</summary>
    Task PauseAsync(string id, CancellationToken cancellationToken);

    /// <summary>Lets the vCPUs run.</summary>
    Task UnpauseAsync(string id, CancellationToken cancellationToken);

    /// <summary>Terminal size of the main process; before the start it is kept for it.</summary>
    Task ResizeAsync(string id, ushort rows, ushort columns, CancellationToken cancellationToken);

    /// <summary>Attaches to the main process of the present or the next run.</summary>
    Task<IProcessSession> AttachAsync(Container container, AttachOptions options, CancellationToken cancellationToken);

    /// <summary>Log entries of all runs, oldest first; with Follow goes on until the present run ends.</summary>
    IAsyncEnumerable<LogEntry> ReadLogsAsync(string id, LogOptions options, CancellationToken cancellationToken);

    /// <summary>Starts a process beside the main one. The session is null when <paramref name="detach"/>.</summary>
    Task<StartedExec> StartExecAsync(Container container, string execId, ProcessConfiguration process, bool detach, (ushort Rows, ushort Columns)? size, CancellationToken cancellationToken);

    /// <summary>Sends a signal to an exec's process. Conflict when it does not run.</summary>
    Task SignalExecAsync(string id, string execId, int signal, CancellationToken cancellationToken);

    /// <summary>Terminal size of an exec's process.</summary>
    Task ResizeExecAsync(string id, string execId, ushort rows, ushort columns, CancellationToken cancellationToken);

    /// <summary>Figures at this moment.</summary>
    Task<ContainerStatistics> GetStatisticsAsync(string id, CancellationToken cancellationToken);

    /// <summary>The container's processes.</summary>
    Task<IReadOnlyList<ProcessEntry>> ListProcessesAsync(string id, CancellationToken cancellationToken);

    /// <summary>
    /// Reads a path of a container as tar. As with all that concerns files: where the container does not run, a micro-VM without its
    /// process mounts its disks for as long as that takes (a start waits so long), so that no host kernel ever reads them.
    /// </summary>
    Task ReadArchiveAsync(Container container, string path, Func<PathStat, Task<Stream>> begin, CancellationToken cancellationToken);

    /// <summary>Stat of a path of a container.</summary>
    Task<PathStat> StatPathAsync(Container container, string path, CancellationToken cancellationToken);

    /// <summary>Unpacks a tar into a folder of a container. Conflict when its root file system is read-only.</summary>
    Task WriteArchiveAsync(Container container, string path, Stream tar, bool noOverwriteDirNonDir, CancellationToken cancellationToken);

    /// <summary>Writes the container's root file system as tar, without what is mounted in it.</summary>
    /// <param name="container">The container.</param>
    /// <param name="begin">Called once reading has become possible; gives where to.</param>
    /// <param name="cancellationToken">Gives up.</param>
    Task ExportAsync(Container container, Func<Task<Stream>> begin, CancellationToken cancellationToken);

    /// <summary>Writes what the container added to its image as a layer: tar with whiteouts (OCI image-spec, layer.md).</summary>
    Task ReadLayerAsync(Container container, Stream destination, CancellationToken cancellationToken);

    /// <summary>What differs from the image, sorted by path. ResourceExhausted when it is more than <see cref="FileChange.CountMost"/> paths.</summary>
    Task<IReadOnlyList<FileChange>> ReadChangesAsync(Container container, CancellationToken cancellationToken);

    /// <summary>Clones a running container into <paramref name="forks"/> (records already made by the Controller).</summary>
    Task<ForkOutcome> ForkAsync(string id, IReadOnlyList<Container> forks, CancellationToken cancellationToken);

    /// <summary>Removes everything the machine holds of a container: micro-VM (killed if need be), scratch disk, log, journal. Idempotent.</summary>
    Task RemoveAsync(string id, CancellationToken cancellationToken);

    /// <summary>Bytes on disk of a container's scratch disk and log.</summary>
    Task<long> GetDiskUsageAsync(string id, CancellationToken cancellationToken);

    /// <summary>The microvisor's choice and reasons.</summary>
    Task<DriverReport> ProbeAsync(CancellationToken cancellationToken);

    /// <summary>Parents.</summary>
    IReadOnlyList<ParentStatus> ListParents();

    /// <summary>Why containers cannot be connected to networks here, and what to do; null when they can.</summary>
    string? NetworkLack { get; }

    /// <summary>
    /// Makes this machine's networks what the plan says; ports of containers must be in it before they start. Conflict: a published port is
    /// taken. NotSupported: this machine has no networks.
    /// </summary>
    Task ApplyNetworkAsync(NetworkPlan plan, CancellationToken cancellationToken);

    /// <summary>The latest entries of a project's flow log that fit, oldest first.</summary>
    /// <param name="project">The project.</param>
    /// <param name="filter">Which.</param>
    /// <param name="most">Most entries, 1 to 10,000.</param>
    /// <param name="after">Only entries with a greater number.</param>
    IReadOnlyList<FlowEntry> ReadFlows(string project, Func<FlowEntry, bool> filter, int most, long after);

    /// <summary>Waits until a project's flow log has an entry with a greater number; tells the greatest that there is.</summary>
    Task<long> WaitForFlowsAsync(string project, long after, CancellationToken cancellationToken);

    /// <summary>Packets and bytes of a project's networks by counter, as <see cref="ProjectNetwork.Counters"/>; empty when it has none here.</summary>
    IReadOnlyDictionary<string, Traffic> CountFlows(string project);

    /// <summary>Networks that a container can be connected to at once.</summary>
    int NetworksOfContainer { get; }

    /// <summary>
    /// Makes the connections of a running container what its record says (the plan has their ports by now), and takes
    /// <paramref name="removed"/> away (the plan still has their ports). Conflict: it does not run, or is paused.
    /// </summary>
    Task SetNetworkAsync(Container container, IReadOnlyList<NetworkEndpoint> removed, CancellationToken cancellationToken);

    /// <summary>
    /// Makes the limits of a running container those of its record. Conflict: it does not run, is paused, uses more memory than it is to
    /// have, or its micro-VM is too small for them.
    /// </summary>
    Task SetLimitsAsync(Container container, CancellationToken cancellationToken);

    /// <summary>Networks that the host has routes to: not to be given to containers' networks without being asked for.</summary>
    IReadOnlyList<IPNetwork> RoutedNetworks();

    /// <summary>Makes a parent ahead of need.</summary>
    Task<ParentStatus> EnsureParentAsync(int vcpus, long memoryBytes, CancellationToken cancellationToken);

    /// <summary>Removes a parent.</summary>
    Task RemoveParentAsync(string key, CancellationToken cancellationToken);
}

/// <summary>How a process ended.</summary>
/// <param name="Code">0–255; 128 + signal; 137 when the micro-VM was killed.</param>
/// <param name="OomKilled">The guest's OOM killer struck.</param>
/// <param name="At">When.</param>
/// <param name="Error">What went wrong outside the process (VMM died, guest hung), or empty.</param>
public sealed record ContainerExit(int Code, bool OomKilled, DateTimeOffset At, string Error);

/// <summary>A container that runs.</summary>
/// <param name="Pid">Host pid of its VMM.</param>
/// <param name="StartedAt">When its process started.</param>
/// <param name="Stages">Where the time went.</param>
public sealed record StartedContainer(int Pid, DateTimeOffset StartedAt, IReadOnlyList<StageTiming> Stages);

/// <summary>An exec that runs.</summary>
/// <param name="Pid">Pid in the container.</param>
/// <param name="Session">Its streams; null when detached.</param>
public sealed record StartedExec(int Pid, IProcessSession? Session);

/// <summary>What became of a container while no daemon ran.</summary>
/// <param name="Id">Container.</param>
/// <param name="Running">It runs and is re-adopted.</param>
/// <param name="Paused">It is paused.</param>
/// <param name="Pid">Host pid of its VMM, or 0.</param>
/// <param name="StartedAt">Start of the journaled run, if any.</param>
/// <param name="Exit">How the journaled run ended, when it did; null with Running false: it never ran.</param>
public sealed record RecoveredContainer(string Id, bool Running, bool Paused, int Pid, DateTimeOffset? StartedAt, ContainerExit? Exit);

/// <summary>Result of a fork.</summary>
/// <param name="Forks">Pid and stages of each fork, in order.</param>
/// <param name="SourcePause">How long the original stood still.</param>
/// <param name="Stages">Where the time went.</param>
public sealed record ForkOutcome(IReadOnlyList<StartedContainer> Forks, TimeSpan SourcePause, IReadOnlyList<StageTiming> Stages);

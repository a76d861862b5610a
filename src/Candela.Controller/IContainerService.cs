using Candela.Identity.Administration;
using Candela.Model;

namespace Candela.Controller;

/// <summary>Who calls, as the front end has found out.</summary>
/// <param name="Actor">Who.</param>
/// <param name="Project">Project that the endpoint belongs to.</param>
public sealed record Caller(Actor Actor, string Project)
{
    /// <summary>Root, or whoever else runs the daemon, by one of its sockets.</summary>
    public Caller(uint userId, string userName, string project)
        : this(Actor.Local(userName, userId), project)
    {
    }

    /// <summary>Unix user id, of callers by a socket of this host.</summary>
    public uint? UserId => Actor.UserId;

    /// <summary>Name for messages and the audit log.</summary>
    public string UserName => Actor.Name;
}

/// <summary>
/// Containers: desired state and observed status. The one path by which any front end (REST, Docker) acts.
/// A container is referred to by id, unambiguous id prefix (≥ 1 digit) or name. Failures are <see cref="CandelaException"/>s.
/// </summary>
public interface IContainerService
{
    /// <summary>Creates; a null name is made up. AlreadyExists (message with the holder's id), ImageNotFound, InvalidArgument.</summary>
    Task<Container> CreateAsync(Caller caller, string? name, ContainerSpec spec, CancellationToken cancellationToken);

    /// <summary>One container.</summary>
    Task<Container> GetAsync(Caller caller, string reference, CancellationToken cancellationToken);

    /// <summary>All containers of the caller's project, newest first.</summary>
    Task<IReadOnlyList<Container>> ListAsync(Caller caller, CancellationToken cancellationToken);

    /// <summary>Starts; NotModified when it runs. CommandNotFound and the like leave it exited with 127/126.</summary>
    Task StartAsync(Caller caller, string reference, CancellationToken cancellationToken);

    /// <summary>Stop signal, then kill after the timeout (null: the container's; −1: never). NotModified when it does not run.</summary>
    Task StopAsync(Caller caller, string reference, int? timeoutSeconds, string? signal, CancellationToken cancellationToken);

    /// <summary>Stop and start.</summary>
    Task RestartAsync(Caller caller, string reference, int? timeoutSeconds, string? signal, CancellationToken cancellationToken);

    /// <summary>Sends a signal (name or number; null: KILL).</summary>
    Task KillAsync(Caller caller, string reference, string? signal, CancellationToken cancellationToken);

    /// <summary>Stops the vCPUs.</summary>
    Task PauseAsync(Caller caller, string reference, CancellationToken cancellationToken);

    /// <summary>Lets the vCPUs run.</summary>
    Task UnpauseAsync(Caller caller, string reference, CancellationToken cancellationToken);

    /// <summary>Renames.</summary>
    Task RenameAsync(Caller caller, string reference, string name, CancellationToken cancellationToken);

    /// <summary>
    /// Changes limits, at once when it runs, and the restart policy. Conflict: its micro-VM, which does not grow while it runs, is too small
    /// for them, or it is paused.
    /// </summary>
    Task UpdateAsync(Caller caller, string reference, ContainerUpdate update, CancellationToken cancellationToken);

    /// <summary>Connects to one more network, at once when it runs. Conflict: it is connected to it already; ResourceExhausted: to too many.</summary>
    Task ConnectNetworkAsync(Caller caller, string reference, NetworkAttachment attachment, CancellationToken cancellationToken);

    /// <summary>Disconnects from a network, at once when it runs. PermissionDenied: it is not connected to it.</summary>
    Task DisconnectNetworkAsync(Caller caller, string reference, string network, bool force, CancellationToken cancellationToken);

    /// <summary>Removes; Conflict when it runs, unless forced. With <paramref name="withVolumes"/> its anonymous volumes go, too.</summary>
    Task RemoveAsync(Caller caller, string reference, bool force, bool withVolumes, CancellationToken cancellationToken);

    /// <summary>
    /// Waits. The returned task completes at once when the wait is registered (so that a start cannot be missed);
    /// its result completes when the condition holds.
    /// </summary>
    Task<Task<WaitResult>> WaitAsync(Caller caller, string reference, WaitCondition condition, CancellationToken cancellationToken);

    /// <summary>Attaches to the main process; works before the start (the streams flow once it runs) and after a daemon restart.</summary>
    Task<IProcessSession> AttachAsync(Caller caller, string reference, AttachOptions options, CancellationToken cancellationToken);

    /// <summary>Terminal size of the main process; kept for the start when it does not run yet.</summary>
    Task ResizeAsync(Caller caller, string reference, ushort rows, ushort columns, CancellationToken cancellationToken);

    /// <summary>Log entries, oldest first; with <see cref="LogOptions.Follow"/> goes on until the container ends.</summary>
    IAsyncEnumerable<LogEntry> ReadLogsAsync(Caller caller, string reference, LogOptions options, CancellationToken cancellationToken);

    /// <summary>Prepares a process in a running container.</summary>
    Task<Exec> CreateExecAsync(Caller caller, string reference, ExecSpec spec, CancellationToken cancellationToken);

    /// <summary>Starts it; the session is null when detached.</summary>
    Task<IProcessSession?> StartExecAsync(Caller caller, string execId, bool detach, (ushort Rows, ushort Columns)? size, CancellationToken cancellationToken);

    /// <summary>One exec.</summary>
    Task<Exec> GetExecAsync(Caller caller, string execId, CancellationToken cancellationToken);

    /// <summary>Terminal size of an exec.</summary>
    Task ResizeExecAsync(Caller caller, string execId, ushort rows, ushort columns, CancellationToken cancellationToken);

    /// <summary>Figures at this moment.</summary>
    Task<ContainerStatistics> GetStatisticsAsync(Caller caller, string reference, CancellationToken cancellationToken);

    /// <summary>The container's processes.</summary>
    Task<IReadOnlyList<ProcessEntry>> ListProcessesAsync(Caller caller, string reference, CancellationToken cancellationToken);

    /// <summary>Clones a running container with its processes and memory.</summary>
    Task<ForkReport> ForkAsync(Caller caller, string reference, int count, IReadOnlyList<string>? names, CancellationToken cancellationToken);

    /// <summary>Reads a path of a container, running or not, as tar. The stat is known before the first byte is written.</summary>
    Task ReadArchiveAsync(Caller caller, string reference, string path, Func<PathStat, Task<Stream>> begin, CancellationToken cancellationToken);

    /// <summary>Stat of a path of a container.</summary>
    Task<PathStat> StatPathAsync(Caller caller, string reference, string path, CancellationToken cancellationToken);

    /// <summary>Unpacks a tar into a folder of a container.</summary>
    Task WriteArchiveAsync(Caller caller, string reference, string path, Stream tar, bool noOverwriteDirNonDir, CancellationToken cancellationToken);

    /// <summary>Writes the root file system as tar to what <paramref name="begin"/> gives, without what is mounted in it.</summary>
    Task ExportAsync(Caller caller, string reference, Func<Task<Stream>> begin, CancellationToken cancellationToken);

    /// <summary>What differs from the image, sorted by path.</summary>
    Task<IReadOnlyList<FileChange>> ReadChangesAsync(Caller caller, string reference, CancellationToken cancellationToken);

    /// <summary>Events from <paramref name="since"/> (null: now) on; ends at <paramref name="until"/> when given, else goes on.</summary>
    IAsyncEnumerable<ResourceEvent> ReadEventsAsync(Caller caller, DateTimeOffset? since, DateTimeOffset? until, CancellationToken cancellationToken);
}

/// <summary>What to wait for.</summary>
public enum WaitCondition
{
    /// <summary>Not running now or later (Docker's default).</summary>
    NotRunning,

    /// <summary>The next exit.</summary>
    NextExit,

    /// <summary>Removal.</summary>
    Removed,
}

/// <summary>Result of a wait.</summary>
/// <param name="ExitCode">Exit code.</param>
/// <param name="Error">Why it could not start, or empty.</param>
public sealed record WaitResult(int ExitCode, string Error);

/// <summary>A process to run beside the main one.</summary>
public sealed record ExecSpec
{
    /// <summary>Program and arguments.</summary>
    public required IReadOnlyList<string> Arguments { get; init; }

    /// <summary>Environment over the container's.</summary>
    public IReadOnlyList<string> Environment { get; init; } = [];

    /// <summary>Working directory; null: the container's.</summary>
    public string? WorkingDirectory { get; init; }

    /// <summary>User; null: the container's.</summary>
    public string? User { get; init; }

    /// <summary>Terminal.</summary>
    public bool Tty { get; init; }

    /// <summary>Attach standard input.</summary>
    public bool AttachStdin { get; init; }

    /// <summary>Attach standard output.</summary>
    public bool AttachStdout { get; init; } = true;

    /// <summary>Attach standard error.</summary>
    public bool AttachStderr { get; init; } = true;

    /// <summary>All capabilities.</summary>
    public bool Privileged { get; init; }

    /// <summary>Key sequence that detaches (a client's matter; kept for inspect).</summary>
    public string? DetachKeys { get; init; }
}

/// <summary>A process beside the main one.</summary>
public sealed record Exec
{
    /// <summary>64 hexadecimal digits.</summary>
    public required string Id { get; init; }

    /// <summary>Container.</summary>
    public required string ContainerId { get; init; }

    /// <summary>What was asked for.</summary>
    public required ExecSpec Spec { get; init; }

    /// <summary>It runs.</summary>
    public bool Running { get; init; }

    /// <summary>Pid in the container, 0 before the start.</summary>
    public int Pid { get; init; }

    /// <summary>Exit code; null while it runs or has not been started.</summary>
    public int? ExitCode { get; init; }
}

/// <summary>Result of a fork.</summary>
/// <param name="Forks">The new containers, running.</param>
/// <param name="SourcePauseMilliseconds">How long the original stood still.</param>
/// <param name="Stages">Where the time went.</param>
public sealed record ForkReport(IReadOnlyList<Container> Forks, double SourcePauseMilliseconds, IReadOnlyList<StageTiming> Stages);

/// <summary>Something happened to a resource.</summary>
/// <param name="Sequence">Grows by one.</param>
/// <param name="At">When.</param>
/// <param name="Kind">container, image, exec …</param>
/// <param name="Action">Docker's action names: create, start, die, …</param>
/// <param name="ResourceId">Id.</param>
/// <param name="Attributes">name, image, exitCode, …</param>
public sealed record ResourceEvent(long Sequence, DateTimeOffset At, string Kind, string Action, string ResourceId, IReadOnlyDictionary<string, string> Attributes);

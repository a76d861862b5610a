using System.Collections.Concurrent;
using Candela.Machine;
using Candela.Machine.Identities;
using Candela.Microvisor;
using Candela.Model;
using Candela.Network.Flows;
using Candela.Network.Nftables;
using Candela.Network.Plan;

namespace Candela.Controller.Tests.Fake;

/// <summary>A Machine that runs nothing: tests end its processes. One for each daemon, over the <see cref="FakeHost"/> that stays.</summary>
internal sealed class FakeMachine(FakeHost host, KillSwitch kill, TimeProvider time) : IMachine
{
    public IContainerIdentities? Identities { get; private set; }

    public void UseIdentities(IContainerIdentities identities) => Identities = identities;

    private static int s_lastPid = 1000;

    public event Action<string, ContainerExit>? Exited;

    public event Action<string, string, ContainerExit>? ExecExited;

    /// <summary>Signals sent, in order.</summary>
    public ConcurrentQueue<(string Id, int Signal)> Signals { get; } = new();

    /// <summary>What a signal does; by default SIGTERM and SIGKILL end the process.</summary>
    public Func<string, int, bool> Ends { get; set; } = static (_, signal) => signal is 15 or 9;

    /// <summary>Called with each start, before it takes effect.</summary>
    public Func<Container, Task> Starting { get; set; } = static _ => Task.CompletedTask;

    /// <summary>Called with each fork, before it takes effect.</summary>
    public Func<Task> Forking { get; set; } = static () => Task.CompletedTask;

    /// <summary>Called with each removal, before it takes effect.</summary>
    public Func<string, Task> Removing { get; set; } = static _ => Task.CompletedTask;

    /// <summary>Raised within the start, before it returns to the caller.</summary>
    public ContainerExit? ExitAtStart { get; set; }

    /// <summary>What the last exec was given.</summary>
    public ProcessConfiguration? LastExec { get; private set; }

    /// <summary>Limits that a running container was given last.</summary>
    public (long Memory, long Cpus, long Pids)? LastLimits { get; private set; }

    /// <summary>What an exec with streams does: its exit code (null: it never ends) and output.</summary>
    public Func<ProcessConfiguration, (int? Code, string Output)> Probe { get; set; } = static _ => (0, "");

    public ContainerExit Exit(int code, bool oomKilled = false) => new(code, oomKilled, time.GetUtcNow(), "");

    /// <summary>Ends a container's process.</summary>
    public void End(string id, int code, bool oomKilled = false) => End(id, Exit(code, oomKilled));

    public void EndExec(string id, string execId, int code) => ExecExited?.Invoke(id, execId, Exit(code));

    public async Task<IReadOnlyList<RecoveredContainer>> RecoverAsync(IReadOnlyCollection<Container> known, CancellationToken cancellationToken)
    {
        var ids = known.Select(container => container.Id).ToHashSet();
        foreach (var id in host.Runs.Keys.Concat(host.Disks.Keys).Where(id => !ids.Contains(id)))
        {
            host.Runs.TryRemove(id, out _);
            host.Disks.TryRemove(id, out _);
        }

        var result = known.Select(Recover).ToList();
        await kill.StepAsync();
        return result;
    }

    public async Task<StartedContainer> StartAsync(Container container, CancellationToken cancellationToken)
    {
        await kill.StepAsync();
        await Starting(container);
        host.Disks[container.Id] = true;
        var run = new FakeRun(container, Interlocked.Increment(ref s_lastPid), time.GetUtcNow());
        host.Runs[container.Id] = run;
        await kill.StepAsync();
        if (ExitAtStart is { } exit)
            End(container.Id, exit);
        return new StartedContainer(run.Pid, run.StartedAt, [new StageTiming("fake", 1)]);
    }

    public async Task SignalAsync(string id, int signal, CancellationToken cancellationToken)
    {
        await kill.StepAsync();
        Running(id);
        Signals.Enqueue((id, signal));
        if (Ends(id, signal))
            End(id, 128 + signal);
    }

    public async Task KillAsync(string id, CancellationToken cancellationToken)
    {
        await kill.StepAsync();
        Running(id);
        End(id, 137);
    }

    public Task PauseAsync(string id, CancellationToken cancellationToken)
    {
        Running(id).Paused = true;
        return Task.CompletedTask;
    }

    public Task UnpauseAsync(string id, CancellationToken cancellationToken)
    {
        Running(id).Paused = false;
        return Task.CompletedTask;
    }

    public Task ResizeAsync(string id, ushort rows, ushort columns, CancellationToken cancellationToken) => Task.CompletedTask;

    public Task<IProcessSession> AttachAsync(Container container, AttachOptions options, CancellationToken cancellationToken) =>
        throw new CandelaException(ErrorCode.NotSupported, "not in this fake");

    public async IAsyncEnumerable<LogEntry> ReadLogsAsync(
        string id, LogOptions options, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await Task.CompletedTask;
        yield return new LogEntry(1, false, "a line\n"u8.ToArray());
    }

    public Task<StartedExec> StartExecAsync(
        Container container, string execId, ProcessConfiguration process, bool detach, (ushort Rows, ushort Columns)? size, CancellationToken cancellationToken)
    {
        Running(container.Id);
        LastExec = process;
        return process.Arguments[0] == "missing"
            ? throw new CandelaException(ErrorCode.CommandNotFound, "exec: \"missing\": executable file not found in $PATH")
            : Task.FromResult(new StartedExec(7, detach ? null : new FakeExecSession(Probe(process), code => EndExec(container.Id, execId, code))));
    }

    public Task SignalExecAsync(string id, string execId, int signal, CancellationToken cancellationToken)
    {
        EndExec(id, execId, 128 + signal);
        return Task.CompletedTask;
    }

    public Task ResizeExecAsync(string id, string execId, ushort rows, ushort columns, CancellationToken cancellationToken) => Task.CompletedTask;

    public Task<ContainerStatistics> GetStatisticsAsync(string id, CancellationToken cancellationToken) =>
        Task.FromResult(new ContainerStatistics { ReadAt = time.GetUtcNow() });

    public Task<IReadOnlyList<ProcessEntry>> ListProcessesAsync(string id, CancellationToken cancellationToken) =>
        Task.FromResult<IReadOnlyList<ProcessEntry>>([]);

    public Task ReadArchiveAsync(Container container, string path, Func<PathStat, Task<Stream>> begin, CancellationToken cancellationToken) => Task.CompletedTask;

    public Task<PathStat> StatPathAsync(Container container, string path, CancellationToken cancellationToken) =>
        Task.FromResult(new PathStat(path, 0, 0, time.GetUtcNow(), ""));

    public Task WriteArchiveAsync(Container container, string path, Stream tar, bool noOverwriteDirNonDir, CancellationToken cancellationToken) => Task.CompletedTask;

    public Task ExportAsync(Container container, Func<Task<Stream>> begin, CancellationToken cancellationToken) => Task.CompletedTask;

    public Task ReadLayerAsync(Container container, Stream destination, CancellationToken cancellationToken) => Task.CompletedTask;

    public Task<IReadOnlyList<FileChange>> ReadChangesAsync(Container container, CancellationToken cancellationToken) =>
        Task.FromResult<IReadOnlyList<FileChange>>([new FileChange("/new", FileChangeKind.Added)]);

    public async Task<ForkOutcome> ForkAsync(string id, IReadOnlyList<Container> forks, CancellationToken cancellationToken)
    {
        await kill.StepAsync();
        await Forking();
        var started = new List<StartedContainer>();
        foreach (var fork in forks)
        {
            host.Disks[fork.Id] = true;
            var run = host.Runs[fork.Id] = new FakeRun(fork, Interlocked.Increment(ref s_lastPid), time.GetUtcNow());
            started.Add(new StartedContainer(run.Pid, run.StartedAt, []));
        }

        await kill.StepAsync();
        return new ForkOutcome(started, TimeSpan.FromMilliseconds(3), [new StageTiming("fork", 3)]);
    }

    public async Task RemoveAsync(string id, CancellationToken cancellationToken)
    {
        await kill.StepAsync();
        await Removing(id);
        host.Runs.TryRemove(id, out _);
        host.Disks.TryRemove(id, out _);
        await kill.StepAsync();
    }

    public Task<long> GetDiskUsageAsync(string id, CancellationToken cancellationToken) => Task.FromResult(0L);

    private readonly System.Threading.Channels.Channel<Container> _networks = System.Threading.Channels.Channel.CreateUnbounded<Container>();

    public string? NetworkLack => host.HasNetworks ? null : "the fake has none";

    /// <summary>The last plan that was applied.</summary>
    public NetworkPlan Plan { get; private set; } = new();

    /// <summary>What the next plan meets.</summary>
    public Exception? NetworkFailure { get; set; }

    /// <summary>Ports that programs of the host have.</summary>
    public HashSet<ushort> PortsOfHost { get; } = [];

    public FakeFlows Flows => host.Flows;

    public Task ApplyNetworkAsync(NetworkPlan plan, CancellationToken cancellationToken)
    {
        if (NetworkFailure is { } failure)
            return Task.FromException(failure);
        if (plan.Projects.Values.SelectMany(p => p.Published).FirstOrDefault(p => PortsOfHost.Contains(p.HostPort)) is { } taken)
            return Task.FromException(new Network.PortTakenException(taken.Protocol, taken.HostAddress ?? System.Net.IPAddress.Any, taken.HostPort, "by a program of the host"));
        Plan = plan;
        return Task.CompletedTask;
    }

    public IReadOnlyList<FlowEntry> ReadFlows(string project, Func<FlowEntry, bool> filter, int most, long after) => host.Flows.Read(filter, most, after);

    public Task<long> WaitForFlowsAsync(string project, long after, CancellationToken cancellationToken) => host.Flows.WaitAsync(after, cancellationToken);

    public IReadOnlyDictionary<string, Traffic> CountFlows(string project) => new Dictionary<string, Traffic> { ["policy-no-web"] = new(2, 120), ["unrouted"] = new(1, 60) };

    public int NetworksOfContainer => 4;

    public Task SetNetworkAsync(Container container, IReadOnlyList<NetworkEndpoint> removed, CancellationToken cancellationToken)
    {
        _networks.Writer.TryWrite(container);
        return Task.CompletedTask;
    }

    /// <summary>The next container whose guest is told its network.</summary>
    public Task<Container> NextNetworkAsync() => _networks.Reader.ReadAsync().AsTask().WaitAsync(TestCalls.Patience);

    public Task SetLimitsAsync(Container container, CancellationToken cancellationToken)
    {
        LastLimits = (container.Spec.MemoryBytes, container.Spec.NanoCpus, container.Spec.PidsLimit);
        return Task.CompletedTask;
    }

    public IReadOnlyList<System.Net.IPNetwork> RoutedNetworks() => [];

    public Task<DriverReport> ProbeAsync(CancellationToken cancellationToken) => Task.FromResult(new DriverReport("simulated", "none", "1", []));

    public IReadOnlyList<ParentStatus> ListParents() => [];

    public Task<ParentStatus> EnsureParentAsync(int vcpus, long memoryBytes, CancellationToken cancellationToken) =>
        Task.FromResult(new ParentStatus { Key = "k", Size = new MicroVmSize(vcpus, memoryBytes), GuestVersion = "g", CreatedAt = time.GetUtcNow() });

    public Task RemoveParentAsync(string key, CancellationToken cancellationToken) => Task.CompletedTask;

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private void End(string id, ContainerExit exit)
    {
        host.Runs[id].Exit = exit;
        if (!kill.Killed.IsCompleted)
            Exited?.Invoke(id, exit);
    }

    private FakeRun Running(string id) =>
        host.Runs.TryGetValue(id, out var run) && run.Exit is null ? run : throw new CandelaException(ErrorCode.Conflict, $"container {id} does not run");

    private RecoveredContainer Recover(Container container)
    {
        if (!host.Runs.TryGetValue(container.Id, out var run))
            return new RecoveredContainer(container.Id, false, false, 0, null, null);
        if (run.Exit is not null)
            host.Runs.TryRemove(container.Id, out _); // told once
        return new RecoveredContainer(container.Id, run.Exit is null, run.Paused, run.Exit is null ? run.Pid : 0, run.StartedAt, run.Exit);
    }
}

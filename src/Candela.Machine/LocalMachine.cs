using System.Collections.Concurrent;
using System.Net;
using System.Runtime.CompilerServices;
using Candela.Guest.Protocol;
using Candela.Guest.Protocol.Host;
using Candela.Images;
using Candela.Machine.Disks;
using Candela.Machine.Identities;
using Candela.Machine.Launch;
using Candela.Machine.Logs;
using Candela.Machine.Native;
using Candela.Machine.Streams;
using Candela.Microvisor;
using Candela.Model;
using Candela.Storage;
using Candela.Network;
using Candela.Network.Flows;
using Candela.Network.Nftables;
using Candela.Network.Plan;
using Microsoft.Extensions.Logging;

namespace Candela.Machine;

/// <summary>The Machine of the host that this process runs on.</summary>
public sealed partial class LocalMachine : IMachine
{
    private const int VmIdLength = 24;

    private readonly MachineOptions _options;
    private readonly IMicrovisor _microvisor;
    private readonly IImageStore _images;
    private readonly IVolumeDisks _volumes;
    private readonly TimeProvider _time;
    private readonly ILogger<LocalMachine> _logger;
    private readonly MachineNetwork? _network;
    private readonly ScratchDisks _scratch;
    private readonly RunContext _context;
    private readonly ConcurrentDictionary<string, ContainerSlot> _slots = new();

    /// <summary>Makes it; call <see cref="RecoverAsync"/> before anything else. Without a network containers have loopback only.</summary>
    public LocalMachine(
        MachineOptions options, IMicrovisor microvisor, IImageStore images, IVolumeDisks volumes, AgentConnector connectAgent, TimeProvider time, ILogger<LocalMachine> logger, MachineNetwork? network = null, string? networkLack = null)
    {
        NetworkLack = network is null ? networkLack ?? "this machine has no networks; --network none works" : null;
        _network = network;
        _options = options;
        _microvisor = microvisor;
        _images = images;
        _volumes = volumes;
        _time = time;
        _logger = logger;
        _scratch = new ScratchDisks(Path.Combine(options.StateFolder, "scratch"), options.ScratchBytes, options.ScratchPoolCount, logger);
        _context = new RunContext(
            options,
            time,
            logger,
            connectAgent,
            id => Path.Combine(Folder(id), "run.json"),
            (id, exit) => Exited?.Invoke(id, exit),
            (id, exec, exit) => ExecExited?.Invoke(id, exec, exit));
    }

    /// <inheritdoc/>
    public event Action<string, ContainerExit>? Exited;

    /// <inheritdoc/>
    public event Action<string, string, ContainerExit>? ExecExited;

    /// <inheritdoc/>
    public void UseIdentities(IContainerIdentities identities) => _context.Identities = identities;

    private string ContainersFolder => Path.Combine(_options.StateFolder, "containers");

    /// <inheritdoc/>
    public async Task<IReadOnlyList<RecoveredContainer>> RecoverAsync(IReadOnlyCollection<Container> known, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(ContainersFolder);
        var ids = known.Select(c => c.Id).ToHashSet(StringComparer.Ordinal);
        foreach (string folder in Directory.EnumerateDirectories(ContainersFolder))
        {
            if (!ids.Contains(Path.GetFileName(folder)))
                Directory.Delete(folder, recursive: true);
        }

        var recovered = new ConcurrentBag<RecoveredContainer>();
        var adopted = new ConcurrentBag<string>();
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = _options.RecoveryParallelism, CancellationToken = cancellationToken };
        await Parallel.ForEachAsync(known, parallel, async (container, token) =>
        {
            (RecoveredContainer result, string? vm) = await RecoverOneAsync(container, token);
            recovered.Add(result);
            if (vm is not null)
                adopted.Add(vm);
        });
        await _microvisor.CleanOrphansAsync(adopted.ToHashSet(StringComparer.Ordinal), cancellationToken);
        await _scratch.StartAsync(cancellationToken);
        return [.. recovered];
    }

    /// <inheritdoc/>
    public async Task<StartedContainer> StartAsync(Container container, CancellationToken cancellationToken)
    {
        ContainerSlot slot = Slot(container.Id);
        await slot.StartGate.WaitAsync(cancellationToken);
        try
        {
            if (slot.Run is { } former)
            {
                if (!former.HasEnded)
                    throw new CandelaException(ErrorCode.NotModified, $"container {container.Id} runs already");
                await former.TornDown.WaitAsync(cancellationToken);
            }

            using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            deadline.CancelAfter(_options.StartTimeout);
            try
            {
                return await BeginAsync(slot, container, deadline.Token);
            }
            catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
            {
                throw new CandelaException(ErrorCode.DeadlineExceeded, $"the micro-VM did not start within {_options.StartTimeout.TotalSeconds:0} s: look at the daemon's log", e);
            }
        }
        catch
        {
            slot.CompleteWaiting();
            throw;
        }
        finally
        {
            slot.StartGate.Release();
        }
    }

    /// <inheritdoc/>
    public Task SignalAsync(string id, int signal, CancellationToken cancellationToken) => Translate(Run(id).SignalAsync(signal, cancellationToken));

    /// <inheritdoc/>
    public Task KillAsync(string id, CancellationToken cancellationToken) => Run(id).KillAsync(cancellationToken);

    /// <inheritdoc/>
    public Task PauseAsync(string id, CancellationToken cancellationToken) => Run(id).PauseAsync(cancellationToken);

    /// <inheritdoc/>
    public Task UnpauseAsync(string id, CancellationToken cancellationToken) => Run(id).UnpauseAsync(cancellationToken);

    /// <inheritdoc/>
    public Task ResizeAsync(string id, ushort rows, ushort columns, CancellationToken cancellationToken)
    {
        ContainerSlot slot = Slot(id);
        slot.InitialSize = (rows, columns);
        return slot.Run is { HasEnded: false } run ? Translate(run.ResizeAsync(rows, columns, cancellationToken)) : Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task<IProcessSession> AttachAsync(Container container, AttachOptions options, CancellationToken cancellationToken)
    {
        ContainerSlot slot = Slot(container.Id);
        Func<CancellationToken, IAsyncEnumerable<LogEntry>>? history = null;
        if (options.Logs)
        {
            var past = new LogOptions { Stdout = options.Stdout, Stderr = options.Stderr };
            history = token => slot.OpenLog().ReadAsync(past, () => true, token);
        }

        bool closesInput = container.Spec.StdinOnce && !container.Process.Tty;
        var session = new ProcessSession(container.Process.Tty, options, closesInput, history);
        slot.Attach(session);
        return Task.FromResult<IProcessSession>(session);
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<LogEntry> ReadLogsAsync(string id, LogOptions options, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        ContainerSlot slot = Slot(id);
        ContainerLog log = slot.OpenLog();
        await foreach (LogEntry entry in log.ReadAsync(options, () => slot.Run is not { HasEnded: false }, cancellationToken))
            yield return entry;
    }

    /// <inheritdoc/>
    public Task<StartedExec> StartExecAsync(Container container, string execId, ProcessConfiguration process, bool detach, (ushort Rows, ushort Columns)? size, CancellationToken cancellationToken) =>
        Translate(Run(container.Id).StartExecAsync(execId, process, detach, size, cancellationToken));

    /// <inheritdoc/>
    public Task SignalExecAsync(string id, string execId, int signal, CancellationToken cancellationToken) =>
        Translate(Run(id).SignalExecAsync(execId, signal, cancellationToken));

    /// <inheritdoc/>
    public Task ResizeExecAsync(string id, string execId, ushort rows, ushort columns, CancellationToken cancellationToken) =>
        Translate(Run(id).ResizeExecAsync(execId, rows, columns, cancellationToken));

    /// <inheritdoc/>
    public async Task<ContainerStatistics> GetStatisticsAsync(string id, CancellationToken cancellationToken)
    {
        ContainerRun run = Run(id);
        MicroVmStatistics vmm = await run.MicroVm.GetStatisticsAsync(cancellationToken);
        GuestStatistics guest = run.Paused ? new GuestStatistics() : await Translate(run.Agent.GetStatisticsAsync(cancellationToken));
        return new ContainerStatistics
        {
            ReadAt = _time.GetUtcNow(),
            CpuTotalNanoseconds = guest.CpuTotalNanoseconds,
            CpuUserNanoseconds = guest.CpuUserNanoseconds,
            CpuSystemNanoseconds = guest.CpuSystemNanoseconds,
            SystemTotalNanoseconds = guest.SystemTotalNanoseconds,
            OnlineCpus = guest.OnlineCpus,
            MemoryBytes = guest.MemoryBytes,
            MemoryPeakBytes = guest.MemoryPeakBytes,
            MemoryInactiveFileBytes = guest.MemoryInactiveFileBytes,
            MemoryAnonymousBytes = guest.MemoryAnonymousBytes,
            MemoryLimitBytes = guest.MemoryLimitBytes,
            ReadBytes = guest.ReadBytes,
            WriteBytes = guest.WriteBytes,
            Pids = guest.Pids,
            VmmPrivateBytes = vmm.PrivateBytes,
            VmmProportionalBytes = vmm.ProportionalBytes,
            VmmCpuTime = vmm.CpuTime,
        };
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<ProcessEntry>> ListProcessesAsync(string id, CancellationToken cancellationToken)
    {
        IReadOnlyList<GuestProcessEntry> processes = await Translate(Run(id).Agent.ListProcessesAsync(cancellationToken));
        return
        [
            .. processes.Select(p => new ProcessEntry(
                p.Pid,
                p.ParentPid,
                p.UserId,
                DateTimeOffset.FromUnixTimeSeconds(p.StartTimeSeconds),
                TimeSpan.FromTicks(p.CpuTime / 100),
                p.Terminal,
                p.Command)),
        ];
    }

    /// <inheritdoc/>
    public async Task<ForkOutcome> ForkAsync(string id, IReadOnlyList<Container> forks, CancellationToken cancellationToken)
    {
        ContainerRun source = Run(id);
        if (source.Container.Volumes.Count > 0)
            throw new CandelaException(ErrorCode.NotSupported, $"container {id} has volumes, each of which is attached to one micro-VM at a time: only containers without volumes can be forked");
        if (source.Paused)
            throw new CandelaException(ErrorCode.Conflict, $"container {id} is paused: unpause it first");
        ContainerSlot[] slots = [.. forks.Select(f => Slot(f.Id))];
        var clock = new StageClock();
        ForkResult? result = null;
        var runs = new List<ContainerRun>();
        try
        {
            foreach (ContainerSlot slot in slots)
                Directory.CreateDirectory(slot.Folder);
            CloneSpec[] clones = [.. forks.Zip(slots, (f, s) => NewClone(f.Id, source.MicroVm.Record.Size, source.MicroVm.Record.ImagePath!, s.ScratchPath, []))];
            result = await _microvisor.ForkAsync(source.MicroVm, clones, token => CopyScratchAsync(id, slots, token), cancellationToken);
            clock.Add("fork", result.Stages);
            clock.Mark("fork");
            await Translate(source.SetClockAsync(cancellationToken));

            var started = new List<StartedContainer>();
            for (int i = 0; i < forks.Count; i++)
            {
                RunLease lease = await LeaseAsync(forks[i], new VolumeHolder($"container {forks[i].Name}", static () => false), cancellationToken);
                ContainerRun run = NewRun(forks[i], slots[i], result.Forks[i], lease);
                runs.Add(run);
                Connect(forks[i], result.Forks[i]);
                await Translate(run.BeginForkAsync(LaunchPlan.Identity(forks[i], HostOf(forks[i]), _time), cancellationToken));
                slots[i].Bind(run);
                started.Add(new StartedContainer(run.MicroVm.Record.ProcessId, run.StartedAt, result.Forks[i].Stages));
            }

            clock.Mark("identity");
            foreach (ContainerRun run in runs)
                run.Publish();
            return new ForkOutcome(started, result.SourcePause, clock.Stages);
        }
        catch
        {
            foreach (ContainerRun run in runs)
                await run.AbandonAsync();
            foreach (IMicroVm vm in result?.Forks.Skip(runs.Count) ?? [])
                await vm.KillAsync(CancellationToken.None);
            foreach (Container fork in forks)
                await RemoveAsync(fork.Id, CancellationToken.None);
            throw;
        }
    }

    /// <inheritdoc/>
    public async Task RemoveAsync(string id, CancellationToken cancellationToken)
    {
        ContainerSlot slot = Slot(id);
        await slot.StartGate.WaitAsync(cancellationToken);
        try
        {
            if (slot.Run is { } run)
            {
                if (!run.HasEnded)
                    await run.KillAsync(cancellationToken);
                run.Publish();
                await run.TornDown.WaitAsync(cancellationToken);
            }

            _slots.TryRemove(id, out _);
            if (Directory.Exists(slot.Folder))
                Directory.Delete(slot.Folder, recursive: true);
        }
        finally
        {
            slot.StartGate.Release();
        }

        slot.Dispose();
    }

    /// <inheritdoc/>
    public Task<long> GetDiskUsageAsync(string id, CancellationToken cancellationToken) =>
        Task.FromResult(LinuxFile.AllocatedBytes(Path.Combine(Folder(id), "scratch.ext4")) + LinuxFile.AllocatedBytes(Path.Combine(Folder(id), "log")));

    /// <inheritdoc/>
    public Task<DriverReport> ProbeAsync(CancellationToken cancellationToken) => _microvisor.ProbeAsync(cancellationToken);

    /// <inheritdoc/>
    public IReadOnlyList<ParentStatus> ListParents() => _microvisor.ListParents();

    /// <inheritdoc/>
    public string? NetworkLack { get; }

    /// <inheritdoc/>
    public Task ApplyNetworkAsync(NetworkPlan plan, CancellationToken cancellationToken)
    {
        if (_network is null && !plan.Projects.IsEmpty)
            throw new CandelaException(ErrorCode.NotSupported, NetworkLack!);
        return _network is null ? Task.CompletedTask : Task.Run(() => _network.Apply(plan), cancellationToken);
    }

    /// <inheritdoc/>
    public IReadOnlyList<FlowEntry> ReadFlows(string project, Func<FlowEntry, bool> filter, int most, long after) => _network?.Flows.Query(project, filter, most, after) ?? [];

    /// <inheritdoc/>
    public async Task<long> WaitForFlowsAsync(string project, long after, CancellationToken cancellationToken)
    {
        if (_network is not null)
            return await _network.Flows.WaitAsync(project, after, cancellationToken);
        await Task.Delay(Timeout.Infinite, cancellationToken);
        return after;
    }

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, Traffic> CountFlows(string project) => _network?.Counters(project) ?? new Dictionary<string, Traffic>();

    /// <inheritdoc/>
    public int NetworksOfContainer => MicroVmLimits.CardCount;

    /// <inheritdoc/>
    public async Task SetNetworkAsync(Container container, IReadOnlyList<NetworkEndpoint> removed, CancellationToken cancellationToken)
    {
        ContainerRun run = Run(container.Id);
        IReadOnlyList<NetworkEndpoint> added = await Task.Run(() => Connect(container, run.MicroVm), cancellationToken);
        try
        {
            await Translate(run.SetNetworkAsync(LaunchPlan.Network(container, HostOf(container)), cancellationToken));
        }
        catch
        {
            Disconnect(container, added, run.MicroVm);
            throw;
        }

        await Task.Run(() => Disconnect(container, removed, run.MicroVm), CancellationToken.None);
    }

    /// <inheritdoc/>
    public Task SetLimitsAsync(Container container, CancellationToken cancellationToken)
    {
        ContainerRun run = Run(container.Id);
        SizeClass.CheckFits(container.Spec, run.MicroVm.Record.Size, _options);
        return Translate(run.Agent.SetLimitsAsync(LaunchPlan.Limits(container.Spec), cancellationToken));
    }

    /// <inheritdoc/>
    public IReadOnlyList<IPNetwork> RoutedNetworks() => _network?.RoutedNetworks() ?? [];

    /// <inheritdoc/>
    public Task<ParentStatus> EnsureParentAsync(int vcpus, long memoryBytes, CancellationToken cancellationToken)
    {
        var size = new MicroVmSize(vcpus, memoryBytes);
        SizeClass.Check(size, _options);
        return _microvisor.EnsureParentAsync(size, cancellationToken);
    }

    /// <summary>The scratch disk that all are copies of; there once <see cref="RecoverAsync"/> has returned.</summary>
    public string ScratchTemplate => _scratch.Template;

    /// <summary>
    /// Lets a guest that nobody uses do all that the start and end of a container needs, and forget it: an emulated guest's code is
    /// translated then. Its disks are <c>candela/base</c> and a copy of <see cref="ScratchTemplate"/>.
    /// </summary>
    public async Task RehearseAsync(Stream agent, CancellationToken cancellationToken)
    {
        var events = new Rehearsal();
        await using IAgent connection = await _context.ConnectAgent(agent, events, false, cancellationToken);
        await events.RunAsync(connection, _network is not null, _time, cancellationToken);
    }

    /// <summary>Makes the parent of containers without limits ahead of need, and fills its pool.</summary>
    public Task EnsureDefaultParentAsync(CancellationToken cancellationToken) =>
        _microvisor.EnsureParentAsync(SizeClass.For(new ContainerSpec { Image = "" }, _options), cancellationToken);

    /// <inheritdoc/>
    public Task RemoveParentAsync(string key, CancellationToken cancellationToken) => _microvisor.RemoveParentAsync(key, cancellationToken);

    /// <summary>Lets go of everything without ending a container: the next daemon adopts them. What has ended is taken apart.</summary>
    public async ValueTask DisposeAsync()
    {
        await Task.WhenAll(_slots.Values.Select(s => s.Run).OfType<ContainerRun>().Where(r => r.HasEnded).Select(r => r.TornDown));
        await _scratch.DisposeAsync();
        await _microvisor.DisposeAsync();
    }

    private static CloneSpec NewClone(string id, MicroVmSize size, string imagePath, string? scratchPath, IReadOnlyList<string> volumePaths) =>
        new() { Id = id[..VmIdLength], Size = size, ImagePath = imagePath, ScratchPath = scratchPath, VolumePaths = volumePaths };

    private static PathStat ToPathStat(ArchiveStat stat) =>
        new(stat.Name, stat.Size, stat.Mode, DateTimeOffset.FromUnixTimeSeconds(stat.ModifiedAt), stat.LinkTarget);

    private async Task<StartedContainer> BeginAsync(ContainerSlot slot, Container container, CancellationToken cancellationToken)
    {
        var clock = new StageClock();
        MicroVmSize size = SizeClass.For(container.Spec, _options);
        ContainerRun? run = null;
        RunLease lease = await LeaseAsync(container, new VolumeHolder($"container {container.Name}", () => run is { HasEnded: true }), cancellationToken);
        try
        {
            GuestConfiguration configuration = LaunchPlan.Configuration(container, lease.Image.FileSystem, HostOf(container), _time);
            GuestProcess main = LaunchPlan.Process(container, container.Process, slot.InitialSize);
            await EnsureScratchAsync(slot, cancellationToken);
            clock.Mark("disks");

            IMicroVm vm = await _microvisor.CloneAsync(NewClone(container.Id, size, lease.Image.Path, slot.ScratchPath, lease.VolumePaths), cancellationToken);
            clock.Add("clone", vm.Stages);
            clock.Mark("clone");
            run = NewRun(container, slot, vm, lease);
            // The guest wakes meanwhile; a tap that comes from another project's namespace takes some 20 ms.
            Task connecting = Task.Run(() => Connect(container, vm), CancellationToken.None);
            await Translate(run.BeginAsync(configuration, main, () => slot.Bind(run), connecting, clock, cancellationToken));
            run.Publish();
            KeepTaps(container, vm);
            return new StartedContainer(vm.Record.ProcessId, run.StartedAt, clock.Stages);
        }
        catch
        {
            if (run is null)
                lease.Dispose();
            else
                await run.AbandonAsync();
            throw;
        }
    }

    /// <summary>Connects a micro-VM's network cards, as far as they are not. The plan has the container's ports already.</summary>
    /// <returns>The connections made.</returns>
    private List<NetworkEndpoint> Connect(Container container, IMicroVm vm)
    {
        List<NetworkEndpoint> added = [];
        foreach (NetworkEndpoint endpoint in container.Endpoints)
        {
            if (_network is null || vm.Record.Taps.Count <= endpoint.Card)
                throw new CandelaException(ErrorCode.NotSupported, "the micro-VM has no network card: it was made without networks, or this machine has none; --network none works");
            if (_network.ConnectTap(vm.Record.Taps[endpoint.Card], container.Project, endpoint.PortId, isTypical: endpoint.Card == 0))
                added.Add(endpoint);
        }

        return added;
    }

    /// <summary>The image and the volumes, for one micro-VM. Waits for volumes whose former micro-VM is ending.</summary>
    private async Task<RunLease> LeaseAsync(Container container, VolumeHolder holder, CancellationToken cancellationToken)
    {
        BlockImageLease image = await _images.OpenBlockImageAsync(container.ImageId, cancellationToken);
        try
        {
            return new RunLease(image, await _volumes.AttachAsync(LaunchPlan.VolumeDisks(container), holder, cancellationToken));
        }
        catch
        {
            image.Dispose();
            throw;
        }
    }

    private async Task EnsureScratchAsync(ContainerSlot slot, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(slot.Folder);
        if (!File.Exists(slot.ScratchPath))
            await _scratch.TakeAsync(slot.ScratchPath, cancellationToken);
    }

    private void Disconnect(Container container, IReadOnlyList<NetworkEndpoint> endpoints, IMicroVm vm)
    {
        foreach (NetworkEndpoint endpoint in endpoints)
            _network?.DisconnectTap(vm.Record.Taps[endpoint.Card], container.Project, endpoint.PortId);
    }

    /// <summary>The first card of a container without networks may be connected later, by a later daemon, too.</summary>
    private void KeepTaps(Container container, IMicroVm vm)
    {
        if (_network is null || container.Endpoints.Count > 0)
            return;
        _ = Task.Run(() =>
        {
            try
            {
                _network.KeepTaps(vm.Record.Taps);
            }
            catch (IOException e)
            {
                Log.TapsNotKept(_logger, container.Id, e);
            }
        });
    }

    /// <summary>What <c>host-gateway</c> stands for in a container.</summary>
    private IPAddress? HostOf(Container container) =>
        _network is null || NetworkEndpoint.WayOut(container.Endpoints) is null || !container.Spec.ExtraHosts.Any(h => h.EndsWith(LaunchPlan.HostGateway, StringComparison.Ordinal))
            ? null
            : _network.HostAddress(container.Project);

    private static ContainerLog OpenLog(ContainerSlot slot, Container container)
    {
        ContainerLog log = slot.OpenLog();
        log.Keep(LogLimits.Of(container.Spec.Log));
        return log;
    }

    private ContainerRun NewRun(Container container, ContainerSlot slot, IMicroVm vm, RunLease lease)
    {
        var journal = new JournalEntry { ContainerId = container.Id, MicroVm = vm.Record, ImageId = container.ImageId, StartedAt = _time.GetUtcNow() };
        return new ContainerRun(_context, container, OpenLog(slot, container), vm, lease, journal);
    }

    private async Task<(RecoveredContainer Result, string? VmFolder)> RecoverOneAsync(Container container, CancellationToken cancellationToken)
    {
        string id = container.Id;
        JournalEntry? journal = null;
        try
        {
            journal = Journal.Read(_context.JournalPath(id));
            if (journal is null)
                return (new RecoveredContainer(id, Running: false, Paused: false, Pid: 0, StartedAt: null, Exit: null), null);

            if (await _microvisor.AdoptAsync(journal.MicroVm, cancellationToken) is not { } vm)
            {
                if (_context.Identities is { } identities)
                    await identities.WithdrawAsync(id);
                File.Delete(_context.JournalPath(id));
                ContainerExit exit = journal.Exit ?? new ContainerExit(137, OomKilled: false, _time.GetUtcNow(), "the micro-VM ended while no daemon ran");
                return (new RecoveredContainer(id, Running: false, Paused: false, Pid: 0, journal.StartedAt, exit), null);
            }

            ContainerSlot slot = Slot(id);
            ContainerRun? run = null;
            RunLease lease = await LeaseAsync(container, new VolumeHolder($"container {container.Name}", () => run is { HasEnded: true }), cancellationToken);
            run = new ContainerRun(_context, container, OpenLog(slot, container), vm, lease, journal, wasAdopted: true);
            try
            {
                await run.ResumeAsync(cancellationToken);
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                Log.AdoptionFailed(_logger, id, e);
                await vm.KillAsync(CancellationToken.None);
            }

            slot.Bind(run);
            run.Publish();
            bool running = journal.Exit is null;
            return (new RecoveredContainer(id, running, journal.Paused, vm.Record.ProcessId, journal.StartedAt, journal.Exit), vm.Record.Folder);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            Log.AdoptionFailed(_logger, id, e);
            var exit = new ContainerExit(137, OomKilled: false, _time.GetUtcNow(), $"the container could not be re-adopted: {e.Message}");
            return (new RecoveredContainer(id, Running: false, Paused: false, Pid: 0, journal?.StartedAt, exit), null);
        }
    }

    private Task CopyScratchAsync(string sourceId, ContainerSlot[] forks, CancellationToken cancellationToken)
    {
        string source = Slot(sourceId).ScratchPath;
        foreach (ContainerSlot fork in forks)
        {
            cancellationToken.ThrowIfCancellationRequested();
            LinuxFile.CopySparse(source, fork.ScratchPath);
        }

        return Task.CompletedTask;
    }

    private ContainerSlot Slot(string id) => _slots.GetOrAdd(id, static (key, machine) => new ContainerSlot(key, machine.Folder(key), machine._time), this);

    private string Folder(string id) => Path.Combine(ContainersFolder, id);

    private ContainerRun Run(string id) => _slots.TryGetValue(id, out ContainerSlot? slot) && slot.Run is { HasEnded: false } run
        ? run
        : throw new CandelaException(ErrorCode.Conflict, $"container {id} is not running");

    /// <summary>Turns the agent's failures into the API's.</summary>
    private static async Task Translate(Task task)
    {
        try
        {
            await task;
        }
        catch (Exception e) when (Translated(e) is { } translated)
        {
            throw translated;
        }
    }

    private static async Task<T> Translate<T>(Task<T> task)
    {
        await Translate((Task)task);
        return await task;
    }

    private static CandelaException? Translated(Exception exception) => exception switch
    {
        AgentException e => new CandelaException(Code(e.Error), e.Message, e),
        AgentProtocolException e => new CandelaException(ErrorCode.Unavailable, $"the guest agent broke its protocol: {e.Message}", e),
        TimeoutException e => new CandelaException(ErrorCode.DeadlineExceeded, $"the guest agent does not answer: {e.Message}", e),
        IOException e => new CandelaException(ErrorCode.Unavailable, $"the micro-VM's agent channel broke: {e.Message}", e),
        _ => null,
    };

    private static ErrorCode Code(AgentError error) => error switch
    {
        AgentError.CommandNotFound => ErrorCode.CommandNotFound,
        AgentError.CommandNotExecutable or AgentError.BadWorkingDirectory => ErrorCode.CommandNotExecutable,
        AgentError.UnknownUser or AgentError.InvalidArgument => ErrorCode.InvalidArgument,
        AgentError.NoSuchPath => ErrorCode.NotFound,
        AgentError.NoSuchProcess or AgentError.Gone or AgentError.BadState => ErrorCode.Conflict,
        AgentError.LimitExceeded or AgentError.NoSpace => ErrorCode.ResourceExhausted,
        _ => ErrorCode.Internal,
    };

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Error, Message = "container {Container} could not be re-adopted")]
        public static partial void AdoptionFailed(ILogger logger, string container, Exception exception);

        [LoggerMessage(Level = LogLevel.Warning, Message = "container {Container}: its network cards cannot be connected any more once this daemon has ended")]
        public static partial void TapsNotKept(ILogger logger, string container, Exception exception);
    }
}

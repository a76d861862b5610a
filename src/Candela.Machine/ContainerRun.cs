using System.Collections.Concurrent;
using System.IO.Pipelines;
using Candela.Guest.Protocol;
using Candela.Guest.Protocol.Host;
using Candela.Machine.Identities;
using Candela.Machine.Launch;
using Candela.Machine.Logs;
using Candela.Machine.Streams;
using Candela.Microvisor;
using Candela.Model;
using Microsoft.Extensions.Logging;

namespace Candela.Machine;

/// <summary>One run of a container: a micro-VM, its agent, and the processes in it, from the clone to the last remains.</summary>
internal sealed partial class ContainerRun(RunContext context, Container container, ContainerLog log, IMicroVm vm, RunLease lease, JournalEntry journal, bool wasAdopted = false)
    : IAgentEvents
{
    /// <summary>The agent's number of the main process.</summary>
    private const uint MainProcess = 1;

    // include/uapi/asm-generic/signal.h
    private const int Sigkill = 9;

    private static readonly TimeSpan ReconnectInterval = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<uint, ExecRun> _execs = new();
    private readonly TaskCompletionSource<ProcessExit> _mainExit = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _started = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _takesInput = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly RunIdentity _identity = new(context.Identities, container.Id, wasAdopted, context.Logger);
    private readonly Lock _journalGate = new();
    private JournalEntry _journal = journal;
    private bool _journalClosed;
    private IAgent? _agent;
    private ProcessOutput? _main;
    private int _nextProcess = (int)MainProcess;
    private volatile bool _killed;
    private volatile bool _broken;

    /// <summary>The container as it was when the run began.</summary>
    public Container Container => container;

    /// <summary>The run's micro-VM.</summary>
    public IMicroVm MicroVm => vm;

    /// <summary>Its vCPUs are stopped.</summary>
    public bool Paused => _journal.Paused;

    /// <summary>Start of the run.</summary>
    public DateTimeOffset StartedAt => _journal.StartedAt;

    /// <summary>Completes when nothing of the run is left.</summary>
    public Task TornDown { get; private set; } = Task.CompletedTask;

    /// <summary>The main process has ended (or the micro-VM has).</summary>
    public bool HasEnded { get; private set; }

    /// <summary>Input of the main process.</summary>
    public IProcessInput MainInput => new Input(this, MainProcess, _takesInput.Task);

    /// <summary>Output of the main process.</summary>
    public ProcessOutput MainOutput => _main ?? throw new InvalidOperationException("the run has not begun");

    /// <summary>Begins a fresh clone: configures the guest and starts the main process.</summary>
    public async Task BeginAsync(GuestConfiguration configuration, GuestProcess main, Action bind, Task connecting, StageClock clock, CancellationToken cancellationToken)
    {
        log.BeginRun(0, 0);
        _main = new ProcessOutput(log, container.Process.Tty, (stream, position) => _agent?.Acknowledge(MainProcess, stream, position));
        bind();
        Task<IReadOnlyList<GuestFile>>? files = HasIdentityFiles ? _identity.ReadFilesAsync(cancellationToken) : null;
        await ConnectAsync(mayBeTorn: false, cancellationToken);
        clock.Mark("agent");
        await connecting.WaitAsync(cancellationToken);
        clock.Mark("network");
        if (files is not null)
        {
            configuration = configuration with { Identity = configuration.Identity with { Files = await files } };
            clock.Mark("identity");
        }

        await _agent!.ConfigureAndStartAsync(configuration, main, cancellationToken);
        _takesInput.TrySetResult();
        clock.Mark("process");
        UpdateJournal(j => j);
        clock.Mark("journal");
        Watch();
        KeepIdentityFiles();
    }

    /// <summary>Goes on with a micro-VM of an earlier daemon. A guest that is too busy to answer stays; it is asked again and again.</summary>
    public async Task ResumeAsync(CancellationToken cancellationToken)
    {
        _main = NewMainOutput(log.Persisted(OutputStream.Stdout), log.Persisted(OutputStream.Stderr));
        Watch();
        KeepIdentityFiles();
        // The former daemon may have ended in the midst of a fork, which stops the source for a moment, or of a pause.
        if (Paused)
        {
            await vm.PauseAsync(cancellationToken);
            return;
        }

        await vm.ResumeAsync(cancellationToken);
        try
        {
            await ReconnectAsync(cancellationToken);
        }
        catch (Exception e) when (e is TimeoutException or IOException)
        {
            Log.AgentLost(context.Logger, container.Id, e.Message);
            _ = ReconnectLaterAsync();
        }
    }

    /// <summary>Begins a fork: its processes run already, its output counts from where the original's was.</summary>
    public async Task BeginForkAsync(GuestIdentity identity, CancellationToken cancellationToken)
    {
        await ConnectAsync(mayBeTorn: true, cancellationToken);
        if (HasIdentityFiles)
            identity = identity with { Files = await _identity.ReadFilesAsync(cancellationToken) };
        await _agent!.ReidentifyAsync(identity, cancellationToken);
        IReadOnlyList<GuestProcessStatus> processes = await _agent.ListAsync(cancellationToken);
        GuestProcessStatus main = processes.FirstOrDefault(p => p.Process == MainProcess)
            ?? throw new CandelaException(ErrorCode.Internal, "the fork's guest has lost its main process");
        log.BeginRun(main.Stdout.Next, main.Stderr.Next);
        _main = NewMainOutput(main.Stdout.Next, main.Stderr.Next);
        await ResumeProcessesAsync(processes, cancellationToken);
        UpdateJournal(j => j);
        Watch();
        KeepIdentityFiles();
    }

    /// <summary>The caller knows of the run: its end may be told from now on.</summary>
    public void Publish() => _started.TrySetResult();

    /// <summary>Sends a signal to the main process.</summary>
    public async Task SignalAsync(int signal, CancellationToken cancellationToken)
    {
        if (signal == Sigkill)
            _killed = true;
        if (signal == Sigkill && (Paused || _agent is null || _agent.Closed.IsCompleted))
        {
            await vm.KillAsync(cancellationToken);
            return;
        }

        try
        {
            await Agent.SignalAsync(MainProcess, signal, cancellationToken);
        }
        catch (Exception e) when (signal == Sigkill && e is not OperationCanceledException)
        {
            Log.AgentLost(context.Logger, container.Id, e.Message);
            await vm.KillAsync(cancellationToken);
        }
    }

    /// <summary>Ends the micro-VM at once.</summary>
    public Task KillAsync(CancellationToken cancellationToken)
    {
        _killed = true;
        return vm.KillAsync(cancellationToken);
    }

    /// <summary>Terminal size of the main process.</summary>
    public Task ResizeAsync(ushort rows, ushort columns, CancellationToken cancellationToken) =>
        Agent.ResizeAsync(MainProcess, rows, columns, cancellationToken);

    /// <summary>Stops the vCPUs.</summary>
    public async Task PauseAsync(CancellationToken cancellationToken)
    {
        await vm.PauseAsync(cancellationToken);
        UpdateJournal(j => j with { Paused = true });
    }

    /// <summary>Lets the vCPUs run.</summary>
    public async Task UnpauseAsync(CancellationToken cancellationToken)
    {
        await vm.ResumeAsync(cancellationToken);
        UpdateJournal(j => j with { Paused = false });
        if (_agent is null)
            await ReconnectAsync(cancellationToken);
        await SetClockAsync(cancellationToken);
    }

    /// <summary>Connects and disconnects the guest's network cards.</summary>
    public Task SetNetworkAsync(GuestNetwork network, CancellationToken cancellationToken) => Agent.SetNetworkAsync(network, cancellationToken);

    /// <summary>Gives the guest the time, after a pause of any length.</summary>
    public Task SetClockAsync(CancellationToken cancellationToken) => Agent.SetClockAsync(context.Time.GetUtcNow(), cancellationToken);

    /// <summary>Starts a process beside the main one.</summary>
    public async Task<StartedExec> StartExecAsync(string execId, ProcessConfiguration process, bool detach, (ushort Rows, ushort Columns)? size, CancellationToken cancellationToken)
    {
        GuestProcess spec = LaunchPlan.Process(container, process, size, discardOutput: detach);
        uint number = (uint)Interlocked.Increment(ref _nextProcess);
        var output = new ProcessOutput(log: null, process.Tty, (stream, position) => _agent?.Acknowledge(number, stream, position));
        var exec = new ExecRun(execId, output);
        ProcessSession? session = null;
        if (!detach)
        {
            session = new ProcessSession(process.Tty, new AttachOptions { Stdin = process.OpenStdin }, closesInput: !process.Tty, history: null);
            session.Disposed = _ => { };
            session.Bind(output, new Input(this, number, Task.CompletedTask));
        }

        _execs[number] = exec;
        try
        {
            UpdateJournal(j => j with { Execs = new Dictionary<string, uint>(j.Execs) { [execId] = number } });
            int pid = await Agent.StartAsync(number, spec, cancellationToken);
            exec.Begin(FinishExecAsync(number, exec, hasOutput: !detach));
            return new StartedExec(pid, session);
        }
        catch
        {
            _execs.TryRemove(number, out _);
            ForgetExec(execId);
            session?.Complete();
            throw;
        }
    }

    /// <summary>Terminal size of an exec.</summary>
    public Task ResizeExecAsync(string execId, ushort rows, ushort columns, CancellationToken cancellationToken) =>
        Agent.ResizeAsync(NumberOf(execId), rows, columns, cancellationToken);

    /// <summary>Sends a signal to an exec.</summary>
    public Task SignalExecAsync(string execId, int signal, CancellationToken cancellationToken) => Agent.SignalAsync(NumberOf(execId), signal, cancellationToken);

    private uint NumberOf(string execId)
    {
        foreach ((uint number, ExecRun exec) in _execs)
        {
            if (exec.Id == execId)
                return number;
        }

        throw new CandelaException(ErrorCode.Conflict, $"exec {execId} is not running");
    }

    /// <summary>The agent, or an error that says why there is none.</summary>
    public IAgent Agent => Paused
        ? throw new CandelaException(ErrorCode.Conflict, $"container {container.Id} is paused: unpause it first")
        : _agent ?? throw new CandelaException(ErrorCode.Unavailable, $"the guest agent of container {container.Id} does not answer yet: try again in a moment");

    /// <summary>Gives up a run that could not begin.</summary>
    public async Task AbandonAsync()
    {
        HasEnded = true;
        _takesInput.TrySetResult();
        _main?.Complete();
        await _identity.EndAsync();
        await vm.KillAsync(CancellationToken.None);
        await CloseAsync();
    }

    /// <inheritdoc/>
    public ValueTask OnOutputAsync(uint process, OutputStream stream, ulong position, ReadOnlyMemory<byte> data)
    {
        if (process == MainProcess)
            _main?.OnOutput(stream, position, data);
        else if (_execs.TryGetValue(process, out ExecRun? exec))
            exec.Output.OnOutput(stream, position, data);
        else
            _agent?.Acknowledge(process, stream, position + (ulong)data.Length);
        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    public ValueTask OnExitAsync(uint process, ProcessExit exit)
    {
        if (process == MainProcess)
            _mainExit.TrySetResult(exit);
        else if (_execs.TryGetValue(process, out ExecRun? exec))
            exec.Exit.TrySetResult(exit);
        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    public void OnConnected(IDuplexPipe connection) => _identity.Serve(connection);

    private ProcessOutput NewMainOutput(ulong stdout, ulong stderr) =>
        new(log, container.Process.Tty, (stream, position) => _agent?.Acknowledge(MainProcess, stream, position), stdout, stderr);

    private async Task ConnectAsync(bool mayBeTorn, CancellationToken cancellationToken)
    {
        Stream stream = await vm.ConnectAgentAsync(cancellationToken);
        IAgent agent = await context.ConnectAgent(stream, this, mayBeTorn, cancellationToken);
        _agent = agent;
        _ = WatchChannelAsync(agent);
    }

    /// <summary>While its VMM lives, only a guest that breaks the protocol closes the channel. Nothing can be known of it any more.</summary>
    private async Task WatchChannelAsync(IAgent agent)
    {
        await agent.Closed;
        await Task.WhenAny(vm.Exited, Task.Delay(context.Options.DrainTimeout, context.Time));
        if (HasEnded || vm.Exited.IsCompleted || agent != _agent)
            return;
        _broken = true;
        Log.AgentLost(context.Logger, container.Id, "its channel is closed; the micro-VM is ended");
        await vm.KillAsync(CancellationToken.None);
    }

    private async Task ReconnectAsync(CancellationToken cancellationToken)
    {
        _agent = null; // an earlier connection is closed by the new one, which is nothing to watch for
        await ConnectAsync(mayBeTorn: true, cancellationToken);
        IReadOnlyList<GuestProcessStatus> processes = await _agent!.ListAsync(cancellationToken);
        await ResumeProcessesAsync(processes, cancellationToken);
    }

    private async Task ReconnectLaterAsync()
    {
        while (!HasEnded && !Paused)
        {
            try
            {
                await ReconnectAsync(CancellationToken.None);
                return;
            }
            catch (Exception e) when (e is TimeoutException or IOException)
            {
                Log.AgentLost(context.Logger, container.Id, e.Message);
                await Task.WhenAny(vm.Exited, Task.Delay(ReconnectInterval, context.Time));
            }
            catch (Exception e)
            {
                Log.AgentLost(context.Logger, container.Id, e.Message);
                await vm.KillAsync(CancellationToken.None);
                return;
            }
        }
    }

    private async Task ResumeProcessesAsync(IReadOnlyList<GuestProcessStatus> processes, CancellationToken cancellationToken)
    {
        var execs = _journal.Execs.ToDictionary(e => e.Value, e => e.Key);
        foreach (GuestProcessStatus status in processes)
        {
            uint number = status.Process;
            _nextProcess = Math.Max(_nextProcess, (int)number);
            ulong stdout = status.Stdout.Next;
            ulong stderr = status.Stderr.Next;
            if (number == MainProcess)
            {
                stdout = log.Persisted(OutputStream.Stdout);
                stderr = log.Persisted(OutputStream.Stderr);
                if (status.Exit is { } ended)
                    _mainExit.TrySetResult(ended);
            }
            else if (execs.TryGetValue(number, out string? execId))
            {
                // Its client went with the former daemon: output is thrown away, only the exit matters.
                var output = new ProcessOutput(log: null, tty: false, (stream, position) => _agent?.Acknowledge(number, stream, position), stdout, stderr);
                var exec = new ExecRun(execId, output);
                if (_execs.TryAdd(number, exec))
                    exec.Begin(FinishExecAsync(number, exec, hasOutput: false));
                if (status.Exit is { } exit && _execs.TryGetValue(number, out exec))
                    exec.Exit.TrySetResult(exit);
            }

            try
            {
                await _agent!.ResumeOutputAsync(number, OutputStream.Stdout, stdout, cancellationToken);
                await _agent.ResumeOutputAsync(number, OutputStream.Stderr, stderr, cancellationToken);
            }
            catch (AgentException e) when (e.Error == AgentError.NoSuchProcess && number != MainProcess)
            {
                // An exec that has ended, and whose end was told and forgotten since the guest listed it.
            }
        }

        _takesInput.TrySetResult();
    }

    private bool HasIdentityFiles => LaunchPlan.IdentityFolder(container.Spec).Length > 0;

    private void KeepIdentityFiles()
    {
        if (HasIdentityFiles)
            _ = _identity.KeepFilesAsync(() => Agent, context.Time);
    }

    private void Watch() => TornDown = WatchAsync();

    /// <summary>Waits for the end, tells it, and takes the run apart.</summary>
    private async Task WatchAsync()
    {
        bool told = _journal.Exit is not null;
        ContainerExit exit = _journal.Exit ?? await WaitForEndAsync();
        HasEnded = true;
        _takesInput.TrySetResult();
        foreach (ExecRun exec in _execs.Values)
            exec.Exit.TrySetResult(new ProcessExit(128 + Sigkill, Sigkill, OomKilled: false));
        _main!.Complete();
        UpdateJournal(j => j with { Exit = exit });
        // Before the end is told: whoever knows of it may count on it.
        await _identity.EndAsync();
        await _started.Task;
        if (!told)
            context.Exited(container.Id, exit);
        await TearDownAsync();
    }

    private async Task<ContainerExit> WaitForEndAsync()
    {
        Task<ProcessExit> main = _mainExit.Task;
        await Task.WhenAny(main, vm.Exited);
        if (!main.IsCompleted && _agent is { } agent)
        {
            // The VMM has ended: what its agent said last may still be on its way.
            await Task.WhenAny(agent.Closed, main, Task.Delay(context.Options.DrainTimeout, context.Time));
        }

        if (!main.IsCompletedSuccessfully)
        {
            MicroVmExit end = await vm.Exited;
            string error = _killed ? "" : _broken ? "the guest agent broke its protocol: the micro-VM was ended" : $"the micro-VM ended unexpectedly: {end.Detail}";
            return new ContainerExit(128 + Sigkill, OomKilled: false, context.Time.GetUtcNow(), error);
        }

        ProcessExit exit = await main;
        DateTimeOffset at = context.Time.GetUtcNow();
        if (await Task.WhenAny(_main!.Ended, vm.Exited, Task.Delay(context.Options.DrainTimeout, context.Time)) != _main.Ended)
            Log.OutputCutShort(context.Logger, container.Id);
        return new ContainerExit(exit.Code, exit.OomKilled, at, "");
    }

    private async Task TearDownAsync()
    {
        try
        {
            if ((!container.Spec.AutoRemove || container.Volumes.Count > 0) && _agent is { } agent && !vm.Exited.IsCompleted && !_journal.Paused)
            {
                using var deadline = new CancellationTokenSource(context.Options.PowerOffTimeout, context.Time);
                await agent.PowerOffAsync(deadline.Token);
                await vm.Exited.WaitAsync(deadline.Token);
            }
        }
        catch (Exception e)
        {
            Log.PowerOffFailed(context.Logger, container.Id, e.Message);
        }

        try
        {
            await vm.KillAsync(CancellationToken.None);
            await CloseAsync();
        }
        catch (Exception e)
        {
            Log.TearDownFailed(context.Logger, container.Id, e);
        }
    }

    private async Task CloseAsync()
    {
        if (_agent is { } agent)
            await agent.DisposeAsync();
        await vm.DisposeAsync();
        lease.Dispose();
        lock (_journalGate)
        {
            _journalClosed = true;
            File.Delete(context.JournalPath(container.Id));
        }
    }

    private async Task FinishExecAsync(uint number, ExecRun exec, bool hasOutput)
    {
        ProcessExit exit = await exec.Exit.Task;
        if (hasOutput)
            await Task.WhenAny(exec.Output.Ended, vm.Exited, Task.Delay(context.Options.DrainTimeout, context.Time));
        _execs.TryRemove(number, out _);
        ForgetExec(exec.Id);
        // Before its streams end: clients ask for the exit code then.
        context.ExecExited(container.Id, exec.Id, new ContainerExit(exit.Code, exit.OomKilled, context.Time.GetUtcNow(), ""));
        exec.Output.Complete();
        if (HasEnded || _agent is not { } agent)
            return;
        try
        {
            await agent.ForgetAsync(number, CancellationToken.None);
        }
        catch (Exception e)
        {
            Log.AgentLost(context.Logger, container.Id, e.Message);
        }
    }

    private void ForgetExec(string execId) => UpdateJournal(j =>
    {
        var execs = new Dictionary<string, uint>(j.Execs);
        execs.Remove(execId);
        return j with { Execs = execs };
    });

    /// <summary>Changes the journal. Once the run is taken apart there is none: an exec that ends late must not bring it back.</summary>
    private void UpdateJournal(Func<JournalEntry, JournalEntry> change)
    {
        lock (_journalGate)
        {
            _journal = change(_journal);
            if (!_journalClosed)
                Journal.Write(context.JournalPath(container.Id), _journal);
        }
    }

    /// <summary>Input of a process; a client that was there before its start waits for it.</summary>
    private sealed class Input(ContainerRun run, uint process, Task started) : IProcessInput
    {
        public async ValueTask WriteAsync(ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
        {
            await started.WaitAsync(cancellationToken);
            if (run._agent is not { } agent || run.HasEnded)
                return;
            try
            {
                await agent.WriteInputAsync(process, data, cancellationToken);
            }
            catch (AgentException e) when (e.Error is AgentError.Gone or AgentError.NoSuchProcess)
            {
                // As with a closed pipe: what nobody reads is dropped.
            }
        }

        public async ValueTask CloseAsync(CancellationToken cancellationToken)
        {
            await started.WaitAsync(cancellationToken);
            if (run._agent is not { } agent || run.HasEnded)
                return;
            try
            {
                await agent.CloseInputAsync(process, cancellationToken);
            }
            catch (AgentException e) when (e.Error is AgentError.Gone or AgentError.NoSuchProcess)
            {
                // It ended meanwhile.
            }
        }
    }

    private sealed class ExecRun(string id, ProcessOutput output)
    {
        public string Id => id;

        public ProcessOutput Output => output;

        public TaskCompletionSource<ProcessExit> Exit { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Finished { get; private set; } = Task.CompletedTask;

        public void Begin(Task finished) => Finished = finished;
    }

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Warning, Message = "container {Container}: its agent does not answer: {Reason}")]
        public static partial void AgentLost(ILogger logger, string container, string reason);

        [LoggerMessage(Level = LogLevel.Warning, Message = "container {Container}: its output did not end in time")]
        public static partial void OutputCutShort(ILogger logger, string container);

        [LoggerMessage(Level = LogLevel.Warning, Message = "container {Container}: its guest did not power off, its micro-VM is killed: {Reason}")]
        public static partial void PowerOffFailed(ILogger logger, string container, string reason);

        [LoggerMessage(Level = LogLevel.Error, Message = "container {Container}: its micro-VM could not be taken apart")]
        public static partial void TearDownFailed(ILogger logger, string container, Exception exception);
    }
}

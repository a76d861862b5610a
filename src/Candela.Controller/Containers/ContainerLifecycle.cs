using Candela.Controller.Events;
using Candela.Controller.Health;
using Candela.Controller.Networks;
using Candela.Controller.Storage;
using Candela.Controller.Volumes;
using Candela.Machine;
using Candela.Model;
using Microsoft.Extensions.Logging;

namespace Candela.Controller.Containers;

/// <summary>
/// The transitions of a container. Each is made under the container's gate, but for exits and kills, which wait for nobody. The record is
/// written before the machine acts, or follows from the machine's journal, so that an end of the daemon between any two steps
/// leaves nothing that <see cref="Recovery"/> cannot finish.
/// </summary>
internal sealed partial class ContainerLifecycle(
    ControllerOptions options,
    ContainerTable table,
    StateWriter writer,
    EventLog events,
    ExecTable execs,
    BackgroundTasks background,
    VolumeService volumes,
    HealthMonitor health,
    NetworkService networks,
    IMachine machine,
    TimeProvider time,
    ILogger<ContainerLifecycle> logger) : IDisposable
{
    private const int StopTimeoutDefault = 10;
    private const int ExitCodeNotFound = 127;
    private const int ExitCodeNotExecutable = 126;
    private const int ExitCodeNotStarted = 128;

    private readonly SemaphoreSlim _restarts = new(options.RestartParallelism);
    private volatile bool _closing;

    /// <summary>A container has another name. Must not block.</summary>
    public event Action<Container>? Renamed;

    /// <summary>Makes a container known whose name is held.</summary>
    public async Task CreateAsync(ContainerEntry entry)
    {
        try
        {
            await writer.CreateAsync([entry]);
        }
        catch
        {
            table.Release(entry, entry.Record.Name);
            throw;
        }

        events.AddContainer(entry.Record, "create");
        table.Publish(entry);
    }

    /// <summary>Starts on a user's behalf.</summary>
    public Task StartAsync(ContainerEntry entry) => UnderGateAsync(entry, async () =>
    {
        CheckStartable(entry);
        await StartByUserAsync(entry);
    });

    /// <summary>Asks it to stop, kills it after the timeout (−1: never).</summary>
    public Task StopAsync(ContainerEntry entry, int? timeoutSeconds, string? signal, CancellationToken cancellationToken)
    {
        var number = signal is { Length: > 0 } ? SignalNumbers.Parse(signal) : entry.Record.Process.StopSignal;
        return UnderGateAsync(entry, async () =>
        {
            if (StopRestarting(entry))
            {
                await writer.SaveAsync(entry);
                events.AddContainer(entry.Record, "stop");
                return;
            }

            if (!entry.IsRunning)
                throw new CandelaException(ErrorCode.NotModified, $"container {entry.Id} is not running");
            await MarkStoppedAsync(entry);
            await StopRunningAsync(entry, timeoutSeconds, number, cancellationToken);
        });
    }

    /// <summary>Stops it, if it runs, and starts it.</summary>
    public Task RestartAsync(ContainerEntry entry, int? timeoutSeconds, string? signal, CancellationToken cancellationToken)
    {
        var number = signal is { Length: > 0 } ? SignalNumbers.Parse(signal) : entry.Record.Process.StopSignal;
        return UnderGateAsync(entry, async () =>
        {
            if (entry.IsRunning)
            {
                lock (entry.Sync)
                    entry.KeepsOnExit = true; // neither auto-removal nor restart policy
                try
                {
                    await StopRunningAsync(entry, timeoutSeconds, number, cancellationToken);
                }
                finally
                {
                    lock (entry.Sync)
                        entry.KeepsOnExit = false;
                }
            }
            else if (!StopRestarting(entry))
            {
                CheckStartable(entry);
            }

            await StartByUserAsync(entry);
            events.AddContainer(entry.Record, "restart");
        });
    }

    /// <summary>Sends a signal; waits for the exit with SIGKILL.</summary>
    public async Task KillAsync(ContainerEntry entry, string? signal)
    {
        var number = signal is { Length: > 0 } ? SignalNumbers.Parse(signal) : SignalNumbers.Kill;
        var stops = number == SignalNumbers.Kill || number == entry.Record.Process.StopSignal;
        if (stops && StopRestarting(entry))
        {
            await writer.SaveAsync(entry);
            return;
        }

        CheckRunning(entry);
        var exit = entry.NextExit;
        if (stops)
            await MarkStoppedAsync(entry);
        events.AddContainer(entry.Record, "kill", ("signal", number.Text()));
        if (number == SignalNumbers.Kill)
            await EnsureKilledAsync(entry, exit);
        else
            await machine.SignalAsync(entry.Id, number, CancellationToken.None);
    }

    /// <summary>Stops the vCPUs.</summary>
    public Task PauseAsync(ContainerEntry entry) => UnderGateAsync(entry, async () =>
    {
        if (entry.Status.State == ContainerState.Paused)
            throw new CandelaException(ErrorCode.Conflict, $"container {entry.Id} is already paused");
        CheckRunning(entry);
        await machine.PauseAsync(entry.Id, CancellationToken.None);
        Switch(entry, ContainerState.Running, ContainerState.Paused, "pause");
    });

    /// <summary>Lets the vCPUs run.</summary>
    public Task UnpauseAsync(ContainerEntry entry) => UnderGateAsync(entry, async () =>
    {
        if (entry.Status.State != ContainerState.Paused)
            throw new CandelaException(ErrorCode.Conflict, $"Container {entry.Id} is not paused");
        await ResumeAsync(entry);
    });

    /// <summary>Renames.</summary>
    public Task RenameAsync(ContainerEntry entry, string name) => UnderGateAsync(entry, async () =>
    {
        var former = entry.Record.Name;
        if (name == former)
            throw new CandelaException(ErrorCode.InvalidArgument, "Renaming a container with the same name as its current name");
        table.Reserve(entry, name);
        lock (entry.Sync)
            entry.Update(record => record with { Name = name });
        try
        {
            await writer.RenameAsync(entry, former);
        }
        catch
        {
            lock (entry.Sync)
                entry.Update(record => record with { Name = former });
            table.Release(entry, name);
            throw;
        }

        table.Release(entry, former);
        await networks.RenamedAsync(entry.Record);
        events.AddContainer(entry.Record, "rename", ("oldName", "/" + former));
        Renamed?.Invoke(entry.Record);
    });

    /// <summary>An exit, told by the machine once a start. Does not block.</summary>
    public void OnExited(string id, ContainerExit exit)
    {
        if (table.Find(id) is { } entry)
            HandleExit(entry, exit);
    }

    /// <summary>No restart by policy from now on.</summary>
    public void Close()
    {
        _closing = true;
        health.Close();
        foreach (var entry in table.List(null))
        {
            lock (entry.Sync)
                entry.CancelRestart();
        }
    }

    public void Dispose() => _restarts.Dispose();

    private static async Task UnderGateAsync(ContainerEntry entry, Func<Task> transition)
    {
        await entry.Gate.WaitAsync();
        try
        {
            CheckPresent(entry);
            await transition();
        }
        finally
        {
            entry.Gate.Release();
        }
    }

    private static void CheckPresent(ContainerEntry entry)
    {
        if (entry.IsGone)
            throw new CandelaException(ErrorCode.NotFound, $"No such container: {entry.Id}");
    }

    private static void CheckRunning(ContainerEntry entry)
    {
        CheckPresent(entry);
        if (!entry.IsRunning)
            throw new CandelaException(ErrorCode.Conflict, $"container {entry.Id} is not running");
    }

    private static void CheckStartable(ContainerEntry entry)
    {
        switch (entry.Status.State)
        {
            case ContainerState.Running or ContainerState.Restarting:
                throw new CandelaException(ErrorCode.NotModified, $"container {entry.Id} runs already");
            case ContainerState.Paused:
                throw new CandelaException(ErrorCode.Conflict, "cannot start a paused container, try unpause instead");
            case ContainerState.Removing or ContainerState.Dead:
                throw new CandelaException(ErrorCode.Conflict, "container is marked for removal and cannot be started");
        }
    }

    private void Switch(ContainerEntry entry, ContainerState from, ContainerState to, string action)
    {
        lock (entry.Sync)
        {
            if (entry.Status.State != from)
                return; // it ended meanwhile
            entry.UpdateStatus(status => status with { State = to });
            events.AddContainer(entry.Record, action);
        }

        writer.SaveLater(entry);
    }

    private async Task ResumeAsync(ContainerEntry entry)
    {
        await machine.UnpauseAsync(entry.Id, CancellationToken.None);
        Switch(entry, ContainerState.Paused, ContainerState.Running, "unpause");
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Error, "Container {Id} did not get its signal")]
        public static partial void SignalFailed(ILogger logger, string id, Exception reason);

        [LoggerMessage(2, LogLevel.Error, "Container {Id} could not be removed")]
        public static partial void RemovalFailed(ILogger logger, string id, Exception reason);
    }
}

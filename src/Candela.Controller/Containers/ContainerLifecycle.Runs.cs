using Candela.Controller.Events;
using Candela.Controller.Health;
using Candela.Machine;
using Candela.Model;

namespace Candela.Controller.Containers;

/// <summary>Starts, ends and restarts.</summary>
internal sealed partial class ContainerLifecycle
{
    /// <summary>Records how a run ended and sees to what follows. Safe to call twice for one exit.</summary>
    public void HandleExit(ContainerEntry entry, ContainerExit exit)
    {
        bool removes;
        lock (entry.Sync)
        {
            if (entry.IsStarting)
            {
                entry.ParkedExit = exit;
                return;
            }

            if (!entry.IsRunning)
                return;
            var restarts = !entry.KeepsOnExit && RestartRule.Restarts(entry.Record, exit.Code);
            var ran = exit.At - (entry.Status.StartedAt ?? exit.At);
            entry.UpdateStatus(status => status with
            {
                State = restarts ? ContainerState.Restarting : ContainerState.Exited,
                Pid = 0,
                ExitCode = exit.Code,
                OomKilled = exit.OomKilled,
                Error = exit.Error,
                FinishedAt = exit.At,
                Health = status.Health is { } health ? health with { State = HealthState.Unhealthy } : null, // as Docker has it
            });
            if (exit.OomKilled)
                events.AddContainer(entry.Record, "oom");
            AddDie(entry, ran);
            volumes.Tell(entry.Record, "unmount");
            if (restarts)
                ScheduleRestart(entry, entry.Backoff.Next(ran));
            removes = entry.Record.Spec.AutoRemove && !entry.KeepsOnExit;
        }

        Disconnect(entry);
        // The machine forgets the exit once its micro-VM is taken apart: it is written now, not later.
        if (!removes)
        {
            var saving = writer.SaveAsync(entry);
            background.Run($"recording the exit of container {entry.Id}", () => saving);
        }

        health.End(entry.Id);
        execs.EndAll(entry.Id);
        entry.CompleteExit();
        if (removes)
            background.Run($"auto-removal of container {entry.Id}", () => AutoRemoveAsync(entry));
    }

    /// <summary>Restarts after a while; the caller holds <see cref="ContainerEntry.Sync"/> and has set the state.</summary>
    public void ScheduleRestart(ContainerEntry entry, TimeSpan wait)
    {
        entry.CancelRestart();
        if (!_closing)
            entry.RestartTimer = time.CreateTimer(_ => background.Run($"restart of container {entry.Id}", () => RestartByPolicyAsync(entry)), null, wait, Timeout.InfiniteTimeSpan);
    }

    /// <summary>A fork runs.</summary>
    public void RecordForkStart(ContainerEntry entry, StartedContainer started) => RecordStart(entry, started, restartCount: 0);

    private async Task StartByUserAsync(ContainerEntry entry)
    {
        lock (entry.Sync)
            entry.Backoff.Milliseconds = 0;
        try
        {
            await RunAsync(entry, restartCount: 0);
        }
        catch (CandelaException) when (entry.Record.Spec.AutoRemove)
        {
            await TryRemoveAsync(entry);
            throw;
        }
    }

    /// <summary>Starts; the caller holds the gate.</summary>
    private async Task RunAsync(ContainerEntry entry, int restartCount)
    {
        lock (entry.Sync)
        {
            entry.CancelRestart();
            entry.IsStarting = true;
        }

        StartedContainer started;
        try
        {
            await ConnectAsync(entry, source: null);
            started = await machine.StartAsync(entry.Record, CancellationToken.None);
        }
        catch (Exception e)
        {
            Disconnect(entry);
            var failure = e as CandelaException ?? new CandelaException(ErrorCode.Internal, $"the machine could not start the container: {e.Message}", e);
            await RecordFailureAsync(entry, failure, restartCount);
            throw failure;
        }

        RecordStart(entry, started, restartCount);
    }

    private void RecordStart(ContainerEntry entry, StartedContainer started, int restartCount)
    {
        ContainerExit? parked;
        lock (entry.Sync)
        {
            entry.UpdateStatus(_ => new ContainerStatus
            {
                State = ContainerState.Running,
                Pid = started.Pid,
                StartedAt = started.StartedAt,
                RestartCount = restartCount,
                StartStages = started.Stages,
                Health = HealthMonitor.First(entry.Record),
            });
            volumes.Tell(entry.Record, "mount");
            events.AddContainer(entry.Record, "start");
            parked = EndStart(entry);
        }

        health.Begin(entry);
        // The machine's journal has the start: a later daemon finds it there if this write is lost.
        writer.SaveLater(entry);
        if (parked is not null)
            HandleExit(entry, parked);
    }

    private async Task RecordFailureAsync(ContainerEntry entry, CandelaException failure, int restartCount)
    {
        lock (entry.Sync)
        {
            EndStart(entry);
            entry.UpdateStatus(status => status with
            {
                State = ContainerState.Exited,
                Pid = 0,
                ExitCode = failure.Code switch
                {
                    ErrorCode.CommandNotFound => ExitCodeNotFound,
                    ErrorCode.CommandNotExecutable => ExitCodeNotExecutable,
                    _ => ExitCodeNotStarted,
                },
                Error = $"failed to create task for container: failed to start the process in the micro-VM: {failure.Message.TrimEnd('.')}: unknown",
                OomKilled = false,
                FinishedAt = time.GetUtcNow(),
                RestartCount = restartCount,
                StoppedByUser = false,
            });
            AddDie(entry, TimeSpan.Zero);
        }

        if (!entry.Record.Spec.AutoRemove)
            await writer.SaveAsync(entry);
        entry.CompleteExit();
    }

    private static ContainerExit? EndStart(ContainerEntry entry)
    {
        var parked = entry.ParkedExit;
        (entry.IsStarting, entry.ParkedExit) = (false, null);
        return parked;
    }

    private void AddDie(ContainerEntry entry, TimeSpan ran) =>
        events.AddContainer(
            entry.Record,
            "die",
            ("exitCode", entry.Status.ExitCode.Text()),
            ("execDuration", ((int)Math.Clamp(ran.TotalSeconds, 0, int.MaxValue)).Text()));

    private async Task RestartByPolicyAsync(ContainerEntry entry)
    {
        await _restarts.WaitAsync();
        try
        {
            await UnderGateAsync(entry, async () =>
            {
                if (entry.Status.State != ContainerState.Restarting || _closing)
                    return;
                try
                {
                    await RunAsync(entry, entry.Status.RestartCount + 1);
                }
                catch (CandelaException e) when (RestartRule.MayPass(e.Code))
                {
                    lock (entry.Sync)
                    {
                        if (!RestartRule.Restarts(entry.Record, entry.Status.ExitCode))
                            return;
                        entry.UpdateStatus(status => status with { State = ContainerState.Restarting });
                        ScheduleRestart(entry, entry.Backoff.Next(TimeSpan.Zero));
                    }

                    writer.SaveLater(entry);
                }
            });
        }
        catch (CandelaException e) when (e.Code == ErrorCode.NotFound && entry.IsGone)
        {
            // Removed while it waited.
        }
        finally
        {
            _restarts.Release();
        }
    }

    /// <summary>Ends the wait for a restart, if there is one.</summary>
    private static bool StopRestarting(ContainerEntry entry)
    {
        lock (entry.Sync)
        {
            if (entry.Status.State != ContainerState.Restarting || entry.IsStarting)
                return false;
            entry.CancelRestart();
            entry.UpdateStatus(status => status with { State = ContainerState.Exited, StoppedByUser = true });
            return true;
        }
    }

    /// <summary>A restart policy must not undo what a user does, not even that of the next daemon: written before the signal.</summary>
    private async Task MarkStoppedAsync(ContainerEntry entry)
    {
        lock (entry.Sync)
            entry.UpdateStatus(status => status with { StoppedByUser = true });
        if (entry.Record.Spec.RestartPolicy.Condition != RestartCondition.No)
            await writer.SaveAsync(entry);
    }

    private async Task StopRunningAsync(ContainerEntry entry, int? timeoutSeconds, int signal, CancellationToken cancellationToken)
    {
        var timeout = timeoutSeconds ?? entry.Record.Spec.StopTimeoutSeconds ?? StopTimeoutDefault;
        var exit = entry.NextExit;
        if (!entry.IsRunning)
            return;
        try
        {
            if (entry.Status.State == ContainerState.Paused)
                await ResumeAsync(entry);
            events.AddContainer(entry.Record, "kill", ("signal", signal.Text()));
            await machine.SignalAsync(entry.Id, signal, CancellationToken.None);
        }
        catch (CandelaException e)
        {
            if (!exit.IsCompleted)
                Log.SignalFailed(logger, entry.Id, e);
        }

        if (!await EndsAsync(exit, timeout < 0 ? Timeout.InfiniteTimeSpan : TimeSpan.FromSeconds(timeout), cancellationToken))
        {
            events.AddContainer(entry.Record, "kill", ("signal", SignalNumbers.Kill.Text()));
            await EnsureKilledAsync(entry, exit);
        }

        events.AddContainer(entry.Record, "stop");
    }

    /// <summary>SIGKILL, and if that does not help, the end of the micro-VM.</summary>
    private async Task EnsureKilledAsync(ContainerEntry entry, Task exit)
    {
        try
        {
            await machine.SignalAsync(entry.Id, SignalNumbers.Kill, CancellationToken.None);
        }
        catch (CandelaException e)
        {
            if (!exit.IsCompleted)
                Log.SignalFailed(logger, entry.Id, e);
        }

        if (!await EndsAsync(exit, options.KillTimeout, CancellationToken.None))
            await EndMicroVmAsync(entry, exit);
    }

    private async Task EndMicroVmAsync(ContainerEntry entry, Task exit)
    {
        try
        {
            await machine.KillAsync(entry.Id, CancellationToken.None);
        }
        catch (CandelaException e) when (e.Code is ErrorCode.Conflict or ErrorCode.NotFound)
        {
            // It ended by itself: the exit is on its way.
        }

        if (!await EndsAsync(exit, options.KillTimeout, CancellationToken.None))
        {
            throw new CandelaException(
                ErrorCode.DeadlineExceeded, $"container {entry.Id} was killed, but its end was not seen within {options.KillTimeout.TotalSeconds:0} s: look at the daemon's log");
        }
    }

    private async Task<bool> EndsAsync(Task exit, TimeSpan timeout, CancellationToken cancellationToken)
    {
        try
        {
            await exit.WaitAsync(timeout, time, cancellationToken);
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
    }
}

using System.Collections.Concurrent;
using System.Text;
using Candela.Controller.Containers;
using Candela.Controller.Events;
using Candela.Controller.Storage;
using Candela.Machine;
using Candela.Model;

namespace Candela.Controller.Health;

/// <summary>Probes the running containers that have a health check, each by processes beside its main one.</summary>
internal sealed class HealthMonitor(ContainerExecs execs, StateWriter writer, EventLog events, IMachine machine, BackgroundTasks background, TimeProvider time)
{
    private const int OutputBytes = 4096, Sigkill = 9, NotMade = -1;

    private readonly ConcurrentDictionary<string, CancellationTokenSource> _running = new(StringComparer.Ordinal);

    /// <summary>Health of a container that has just started; null: it has no check.</summary>
    public static HealthStatus? First(Container container) => HealthCheckResolver.Active(container) is null ? null : new HealthStatus();

    /// <summary>The container runs: probes begin.</summary>
    public void Begin(ContainerEntry entry)
    {
        End(entry.Id);
        if (HealthCheckResolver.Active(entry.Record) is not { } check)
            return;
        var stop = new CancellationTokenSource();
        _running[entry.Id] = stop;
        background.Run($"health check of container {entry.Id}", () => RunAsync(entry, check, stop.Token));
    }

    /// <summary>The container has ended.</summary>
    public void End(string id)
    {
        if (_running.TryRemove(id, out var stop))
            stop.Cancel();
    }

    /// <summary>No probe from now on.</summary>
    public void Close()
    {
        foreach (var id in _running.Keys)
            End(id);
    }

    private async Task RunAsync(ContainerEntry entry, HealthCheck check, CancellationToken stop)
    {
        var startedAt = entry.Status.StartedAt ?? time.GetUtcNow();
        var startPeriod = TimeSpan.FromMilliseconds(check.StartPeriodMilliseconds);
        try
        {
            while (true)
            {
                var starts = time.GetUtcNow() - startedAt < startPeriod && entry.Status.Health?.State == HealthState.Starting;
                var wait = starts ? Or(check.StartIntervalMilliseconds, HealthCheck.DefaultStartMilliseconds) : Or(check.IntervalMilliseconds, HealthCheck.DefaultMilliseconds);
                await Task.Delay(wait, time, stop);
                if (entry.Status.State != ContainerState.Running)
                    continue; // paused
                var probe = await ProbeAsync(entry, check, stop);
                stop.ThrowIfCancellationRequested();
                Record(entry, check, probe, probe.StartedAt - startedAt < startPeriod, stop);
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // The container has ended, or the daemon does.
        }
    }

    private async Task<HealthProbe> ProbeAsync(ContainerEntry entry, HealthCheck check, CancellationToken stop)
    {
        var startedAt = time.GetUtcNow();
        var timeout = Or(check.TimeoutMilliseconds, HealthCheck.DefaultMilliseconds);
        using var timer = new CancellationTokenSource(timeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stop, timer.Token);
        string? execId = null;
        try
        {
            execId = execs.Create(entry, new ExecSpec { Arguments = HealthCheckResolver.Arguments(check) }).Id;
            var output = new MemoryStream();
            await using (var session = await execs.StartAsync(entry.Record.Project, execId, detach: false, size: null, either.Token))
            {
                await foreach (var chunk in session!.ReadOutputAsync(either.Token))
                    output.Write(chunk.Data.Span[..(int)Math.Min(chunk.Data.Length, OutputBytes - output.Length)]);
            }

            var code = execs.Get(entry.Record.Project, execId).Exec.ExitCode ?? NotMade;
            return new HealthProbe(startedAt, time.GetUtcNow(), code, Encoding.UTF8.GetString(output.ToArray()));
        }
        catch (OperationCanceledException) when (timer.IsCancellationRequested && !stop.IsCancellationRequested)
        {
            await KillAsync(entry.Id, execId);
            return new HealthProbe(startedAt, time.GetUtcNow(), NotMade, $"Health check exceeded timeout ({Text(timeout)})");
        }
        catch (CandelaException e)
        {
            return new HealthProbe(startedAt, time.GetUtcNow(), NotMade, e.Message);
        }
    }

    private async Task KillAsync(string id, string? execId)
    {
        try
        {
            if (execId is not null)
                await machine.SignalExecAsync(id, execId, Sigkill, CancellationToken.None);
        }
        catch (CandelaException)
        {
            // It ended by itself, or its container did.
        }
    }

    private void Record(ContainerEntry entry, HealthCheck check, HealthProbe probe, bool inStartPeriod, CancellationToken stop)
    {
        HealthState before, after;
        lock (entry.Sync)
        {
            if (stop.IsCancellationRequested || !entry.IsRunning || entry.Status.Health is not { } health)
                return;
            before = after = health.State;
            var streak = 0;
            if (probe.ExitCode == 0)
            {
                after = HealthState.Healthy;
            }
            else if (!(inStartPeriod && before == HealthState.Starting))
            {
                streak = health.FailingStreak + 1;
                if (streak >= (check.Retries > 0 ? check.Retries : HealthCheck.DefaultRetries))
                    after = HealthState.Unhealthy;
            }

            entry.UpdateStatus(status => status with
            {
                Health = new HealthStatus { State = after, FailingStreak = streak, Log = [.. health.Log.TakeLast(HealthStatus.ProbeCount - 1), probe] },
            });
            if (after != before)
                events.AddContainer(entry.Record, $"health_status: {(after == HealthState.Healthy ? "healthy" : "unhealthy")}");
        }

        if (after != before)
            writer.SaveLater(entry);
    }

    private static TimeSpan Or(long milliseconds, long otherwise) => TimeSpan.FromMilliseconds(milliseconds > 0 ? milliseconds : otherwise);

    private static string Text(TimeSpan time) => time.TotalSeconds >= 1 ? $"{time.TotalSeconds:0.###}s" : $"{time.TotalMilliseconds:0.###}ms";
}

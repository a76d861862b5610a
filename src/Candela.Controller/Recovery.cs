using System.Text.Json;
using Candela.Controller.Containers;
using Candela.Controller.Events;
using Candela.Controller.Health;
using Candela.Controller.Networks;
using Candela.Controller.Networks.Policies;
using Candela.Controller.Storage;
using Candela.Controller.Volumes;
using Candela.Machine;
using Candela.Model;
using Candela.State;

namespace Candela.Controller;

/// <summary>
/// Brings records and machine together at the daemon's start: what runs is taken on, exits that nobody saw are recorded, half-made forks
/// and removals are finished, and restart policies applied.
/// </summary>
internal sealed class Recovery(
    IStateStore store,
    StateWriter writer,
    EventLog events,
    ContainerTable table,
    ContainerLifecycle lifecycle,
    ProjectTable projects,
    BackgroundTasks background,
    HealthMonitor health,
    VolumeTable volumeTable,
    VolumeService volumes,
    NetworkTable networkTable,
    PolicyTable policies,
    NetworkService networks,
    IMachine machine,
    TimeProvider time)
{
    private const int ExitCodeLost = 137;

    /// <summary>Reads the state store. Exits that the machine tells from here on are parked until <see cref="ReconcileAsync"/>.</summary>
    public async Task LoadAsync(CancellationToken cancellationToken)
    {
        await projects.EnsureDefaultAsync(cancellationToken);
        await networkTable.LoadAsync(cancellationToken);
        await policies.LoadAsync(cancellationToken);
        await ReadAllAsync(StateKeys.Volumes, volumeTable.Load, cancellationToken);
        volumes.Sweep();
        await ReadAllAsync(StateKeys.Events, entry => events.Load(writer.Chunks.Load(entry.Value)), cancellationToken);
        await ReadAllAsync(StateKeys.Projects, Load, cancellationToken);
    }

    /// <summary>Asks the machine what is, and acts on it.</summary>
    public async Task ReconcileAsync(CancellationToken cancellationToken)
    {
        var entries = table.List(null);
        var found = await machine.RecoverAsync([.. entries.Select(static entry => entry.Record)], cancellationToken);
        var byId = found.ToDictionary(static recovered => recovered.Id, StringComparer.Ordinal);
        await networks.ResumeAsync(found.Where(static f => f.Running).Select(f => table.Find(f.Id)?.Record).OfType<Container>());
        foreach (var entry in entries)
        {
            Reconcile(entry, byId.GetValueOrDefault(entry.Id));
            writer.SaveLater(entry);
        }

        // The machine tells an exit only once.
        await writer.FlushAsync();
        foreach (var entry in entries)
        {
            Continue(entry);
            lifecycle.ResumeNetworks(entry);
        }

        // What was under way.
        foreach (var project in entries.Select(static entry => entry.Record.Project).Distinct())
            lifecycle.UpdateGuests(project);
    }

    private void Load(StateEntry document)
    {
        if (!StateKeys.IsContainer(document.Key))
        {
            var name = document.Key[StateKeys.Projects.Length..];
            if (!name.Contains('/', StringComparison.Ordinal))
                projects.Add(name);
            return;
        }

        var stored = JsonSerializer.Deserialize(document.Value.Span, ControllerJson.Default.StoredContainer)
            ?? throw new CandelaException(ErrorCode.Internal, $"the state store has an empty document at {document.Key}");
        var entry = new ContainerEntry(SpecDefaults.Complete(stored.Container)) { StoredRevision = document.Revision, IsStarting = true };
        entry.Backoff.Milliseconds = stored.BackoffMilliseconds;
        table.Reserve(entry, stored.Container.Name);
        table.Publish(entry);
    }

    private async Task ReadAllAsync(string prefix, Action<StateEntry> read, CancellationToken cancellationToken)
    {
        string? after = null;
        do
        {
            var page = await store.RangeAsync(prefix, after, StateLimits.PageCount, cancellationToken);
            foreach (var entry in page.Entries)
                read(entry);
            after = page.Next;
        }
        while (after is not null);
    }

    private void Reconcile(ContainerEntry entry, RecoveredContainer? found)
    {
        ContainerExit? exit;
        lock (entry.Sync)
        {
            // A start that was made but not written any more.
            if (found?.StartedAt is { } startedAt && startedAt != entry.Status.StartedAt)
            {
                entry.UpdateStatus(status => new ContainerStatus { State = ContainerState.Running, StartedAt = startedAt, RestartCount = status.RestartCount });
                events.AddContainer(entry.Record, "start");
            }

            if (found is { Running: true })
            {
                entry.UpdateStatus(status => status with
                {
                    State = found.Paused ? ContainerState.Paused : ContainerState.Running,
                    Pid = found.Pid,
                    ExitCode = 0,
                    Error = "",
                    FinishedAt = null,
                    Health = status.Health ?? HealthMonitor.First(entry.Record),
                });
                health.Begin(entry);
            }

            exit = entry.ParkedExit ?? (found is { Running: true } || !entry.IsRunning ? null : found?.Exit ?? Lost());
            (entry.IsStarting, entry.ParkedExit) = (false, null);
        }

        if (exit is not null)
            lifecycle.HandleExit(entry, exit);
    }

    private ContainerExit Lost() => new(ExitCodeLost, OomKilled: false, time.GetUtcNow(), "its micro-VM was lost while no daemon ran");

    private void Continue(ContainerEntry entry)
    {
        var isHalfFork = entry.Record.ForkedFrom is not null && entry.Status.State == ContainerState.Created;
        if (entry.Status.State is ContainerState.Removing or ContainerState.Dead
            || isHalfFork
            || entry.Record.Spec.AutoRemove && entry.Status.State == ContainerState.Exited)
        {
            background.Run($"removal of container {entry.Id}", () => lifecycle.AutoRemoveAsync(entry));
            return;
        }

        lock (entry.Sync)
        {
            if (entry.Status.State == ContainerState.Restarting)
            {
                if (entry.RestartTimer is null)
                    lifecycle.ScheduleRestart(entry, TimeSpan.FromMilliseconds(entry.Backoff.Milliseconds));
            }
            else if (entry.Status.State == ContainerState.Exited && RestartRule.RestartsWithDaemon(entry.Record))
            {
                entry.UpdateStatus(status => status with { State = ContainerState.Restarting });
                lifecycle.ScheduleRestart(entry, TimeSpan.Zero);
            }
        }
    }
}

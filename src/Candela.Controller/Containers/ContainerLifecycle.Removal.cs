using Candela.Controller.Events;
using Candela.Model;

namespace Candela.Controller.Containers;

/// <summary>
/// Removal. The record goes first, in one transaction with its name: should the daemon end before the machine has done its part, the
/// machine clears away at the next start what belongs to no record. Only if the machine fails is the record put back, as Dead.
/// </summary>
internal sealed partial class ContainerLifecycle
{
    /// <summary>Removes; kills it first when forced. With <paramref name="withVolumes"/> its anonymous volumes go, too.</summary>
    public async Task RemoveAsync(ContainerEntry entry, bool force, bool withVolumes)
    {
        for (var killed = false; ; killed = true)
        {
            if (entry.Status.State == ContainerState.Removing && !killed)
                throw new CandelaException(ErrorCode.Conflict, $"removal of container {entry.Id} is already in progress");
            if (force && entry.IsRunning)
                await KillForRemovalAsync(entry);
            await entry.Gate.WaitAsync();
            try
            {
                if (entry.IsGone && killed)
                    return; // auto-removed after the kill
                CheckPresent(entry);
                if (!force)
                    CheckRemovable(entry);
                if (!entry.IsRunning)
                {
                    await RemoveUnderGateAsync(entry, withVolumes);
                    return;
                }
            }
            finally
            {
                entry.Gate.Release();
            }
        }
    }

    /// <summary>Removes on nobody's behalf; a failure is logged and told to those who wait for the removal.</summary>
    public async Task TryRemoveAsync(ContainerEntry entry)
    {
        try
        {
            await RemoveUnderGateAsync(entry, entry.Record.Spec.AutoRemove);
        }
        catch (CandelaException e)
        {
            Log.RemovalFailed(logger, entry.Id, e);
            entry.FailRemoval();
        }
    }

    private static void CheckRemovable(ContainerEntry entry)
    {
        var reason = entry.Status.State switch
        {
            ContainerState.Running => "container is running: stop the container before removing or force remove",
            ContainerState.Restarting => "container is restarting: stop the container before removing or force remove",
            ContainerState.Paused => "container is paused and must be unpaused first",
            _ => null,
        };
        if (reason is not null)
            throw new CandelaException(ErrorCode.Conflict, $"cannot remove container \"/{entry.Record.Name}\": {reason}");
    }

    private async Task KillForRemovalAsync(ContainerEntry entry)
    {
        var exit = entry.NextExit;
        if (!entry.IsRunning)
            return;
        lock (entry.Sync)
            entry.UpdateStatus(status => status with { StoppedByUser = true });
        events.AddContainer(entry.Record, "kill", ("signal", SignalNumbers.Kill.Text()));
        // What is in the guest's memory yet of a volume must come to its disk: its agent unmounts it.
        if (entry.Record.Volumes.Count > 0)
            await EnsureKilledAsync(entry, exit);
        else
            await EndMicroVmAsync(entry, exit);
    }

    /// <summary>Removes it, unless it runs (again) or is gone.</summary>
    public async Task AutoRemoveAsync(ContainerEntry entry)
    {
        await entry.Gate.WaitAsync();
        try
        {
            if (!entry.IsGone && !entry.IsRunning)
                await TryRemoveAsync(entry);
        }
        finally
        {
            entry.Gate.Release();
        }
    }

    private async Task RemoveUnderGateAsync(ContainerEntry entry, bool withVolumes)
    {
        ContainerStatus former;
        lock (entry.Sync)
        {
            entry.CancelRestart();
            former = entry.Status;
            entry.UpdateStatus(status => status with { State = ContainerState.Removing });
        }

        try
        {
            await writer.DeleteAsync([entry]);
        }
        catch
        {
            lock (entry.Sync)
                entry.UpdateStatus(_ => former);
            throw;
        }

        try
        {
            await machine.RemoveAsync(entry.Id, CancellationToken.None);
        }
        catch (Exception e)
        {
            var failure = new CandelaException(
                ErrorCode.Internal, $"container {entry.Id} could not be removed completely: {e.Message}: remove it again when the cause is gone", e);
            lock (entry.Sync)
                entry.UpdateStatus(status => status with { State = ContainerState.Dead, Error = failure.Message });
            await writer.CreateAsync([entry]);
            entry.FailRemoval();
            throw failure;
        }

        table.Remove(entry);
        if (withVolumes)
            await volumes.RemoveAnonymousAsync(entry.Record);
        execs.ForgetAll(entry.Id);
        events.AddContainer(entry.Record, "destroy");
        entry.CompleteRemoval();
    }
}

using Candela.Controller.Events;
using Candela.Model;

namespace Candela.Controller.Containers;

/// <summary>Changes of limits and restart policy.</summary>
internal sealed partial class ContainerLifecycle
{
    /// <summary>Changes what was asked for at creation, and the limits of a running micro-VM with it.</summary>
    public Task UpdateAsync(ContainerEntry entry, ContainerUpdate update) => UnderGateAsync(entry, async () =>
    {
        if (entry.Status.State is ContainerState.Removing or ContainerState.Dead)
            throw new CandelaException(ErrorCode.Conflict, $"container {entry.Id} is marked for removal and cannot be updated");
        var former = entry.Record.Spec;
        var spec = former with
        {
            MemoryBytes = update.MemoryBytes ?? former.MemoryBytes,
            NanoCpus = update.NanoCpus ?? former.NanoCpus,
            PidsLimit = update.PidsLimit ?? former.PidsLimit,
            Hints = update.Hints ?? former.Hints,
            RestartPolicy = update.RestartPolicy ?? former.RestartPolicy,
        };
        if (former.AutoRemove && spec.RestartPolicy.Condition != RestartCondition.No)
            throw new CandelaException(ErrorCode.Conflict, "Restart policy cannot be updated because AutoRemove is enabled for the container");
        SpecCheck.Check(spec);
        if (entry.IsRunning && (spec.MemoryBytes, spec.NanoCpus, spec.PidsLimit) != (former.MemoryBytes, former.NanoCpus, former.PidsLimit))
            await machine.SetLimitsAsync(entry.Record with { Spec = spec }, CancellationToken.None);
        lock (entry.Sync)
            entry.Update(record => record with { Spec = spec });
        await writer.SaveAsync(entry);
        events.AddContainer(entry.Record, "update");
    });
}

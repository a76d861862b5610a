using System.Globalization;
using Candela.Model;

namespace Candela.Microvisor.Simulated;

/// <summary>
/// Micro-VMs that are nothing but objects, for tests of the layers above at scale and under faults. Only what a caller can see is like
/// the real drivers: there is no isolation, and a fork's memory is whatever <see cref="SimulatedHost.ForkedGuest"/> makes of it.
/// </summary>
public sealed class SimulatedMicrovisor(SimulatedHost host) : IMicrovisor
{
    /// <summary>Name of this driver.</summary>
    public const string DriverName = "simulated";

    private readonly CancellationTokenSource _closing = new();

    /// <inheritdoc/>
    public Task<DriverReport> ProbeAsync(CancellationToken cancellationToken) =>
        Task.FromResult(new DriverReport(DriverName, "none", "1", ["guests are simulated in the daemon's own process"]));

    /// <inheritdoc/>
    public IReadOnlyList<ParentStatus> ListParents() =>
        [.. host.Parents.Values.Where(p => p.IsValueCreated && p.Value.IsCompletedSuccessfully).Select(p => p.Value.Result).OrderBy(p => p.Key, StringComparer.Ordinal)];

    /// <inheritdoc/>
    public async Task<ParentStatus> EnsureParentAsync(MicroVmSize size, CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(_closing.IsCancellationRequested, this);
        string key = string.Create(CultureInfo.InvariantCulture, $"simulated-{size.VCpus}c-{size.MemoryBytes >> 20}m");
        Lazy<Task<ParentStatus>> entry = host.Parents.GetOrAdd(key, _ => new Lazy<Task<ParentStatus>>(() => BootAsync(key, size)));
        try
        {
            return await entry.Value.WaitAsync(cancellationToken);
        }
        catch when (entry.Value.IsFaulted || entry.Value.IsCanceled)
        {
            host.Parents.TryRemove(new(key, entry));
            throw;
        }
    }

    /// <inheritdoc/>
    public Task RemoveParentAsync(string key, CancellationToken cancellationToken) =>
        host.Parents.TryRemove(key, out _) ? Task.CompletedTask : Task.FromException(new CandelaException(ErrorCode.NotFound, $"no such parent: {key}"));

    /// <inheritdoc/>
    public async Task<IMicroVm> CloneAsync(CloneSpec spec, CancellationToken cancellationToken)
    {
        long start = host.Time.GetTimestamp();
        ParentStatus parent = await EnsureParentAsync(spec.Size, cancellationToken);
        return await StartAsync(spec, parent.Key, source: null, start, cancellationToken);
    }

    /// <inheritdoc/>
    public async Task<ForkResult> ForkAsync(IMicroVm source, IReadOnlyList<CloneSpec> forks, Func<CancellationToken, Task> whilePaused, CancellationToken cancellationToken)
    {
        var original = (SimulatedMicroVm)source;
        long start = host.Time.GetTimestamp();
        await original.PauseAsync(cancellationToken);
        TimeSpan pause;
        try
        {
            await Task.Delay(host.Faults.ForkPause, host.Time, cancellationToken);
            await whilePaused(cancellationToken);
        }
        finally
        {
            original.Vmm.Port.SetPaused(false);
            pause = host.Time.GetElapsedTime(start);
        }

        var made = new List<IMicroVm>();
        try
        {
            foreach (CloneSpec fork in forks)
                made.Add(await StartAsync(fork with { Size = original.Record.Size }, $"fork-{original.Record.Id}", original.Vmm.Spec, host.Time.GetTimestamp(), cancellationToken));
            return new ForkResult(made, pause, [new StageTiming("fork", host.Time.GetElapsedTime(start).TotalMilliseconds)]);
        }
        catch
        {
            foreach (IMicroVm vm in made)
                await vm.KillAsync(CancellationToken.None);
            throw;
        }
    }

    /// <inheritdoc/>
    public Task<IMicroVm?> AdoptAsync(MicroVmRecord record, CancellationToken cancellationToken)
    {
        SimulatedVmm? vmm = host.Find(record.Folder);
        bool same = vmm?.Record.ProcessId == record.ProcessId && vmm.Record.ProcessStartTicks == record.ProcessStartTicks;
        return Task.FromResult<IMicroVm?>(same ? new SimulatedMicroVm(vmm!, [], host.Time, _closing.Token) : null);
    }

    /// <inheritdoc/>
    public Task CleanOrphansAsync(IReadOnlySet<string> known, CancellationToken cancellationToken)
    {
        foreach (MicroVmRecord record in host.Running.Where(r => !known.Contains(r.Folder)))
            host.Find(record.Folder)?.End(new MicroVmExit(GuestPowerOff: false, "signal 9"));
        return Task.CompletedTask;
    }

    /// <summary>Micro-VMs go on.</summary>
    public ValueTask DisposeAsync()
    {
        _closing.Cancel();
        return ValueTask.CompletedTask;
    }

    private async Task<IMicroVm> StartAsync(CloneSpec spec, string parentKey, CloneSpec? source, long start, CancellationToken cancellationToken)
    {
        await Task.Delay(host.Faults.CloneTime, host.Time, cancellationToken);
        ObjectDisposedException.ThrowIf(_closing.IsCancellationRequested, this);
        if (host.Faults.Clone(spec) is { } failure)
            throw failure;
        SimulatedVmm vmm = host.Start(spec, parentKey, source);
        return new SimulatedMicroVm(vmm, [new StageTiming("clone", host.Time.GetElapsedTime(start).TotalMilliseconds)], host.Time, _closing.Token);
    }

    private async Task<ParentStatus> BootAsync(string key, MicroVmSize size)
    {
        MicroVmLimits.Check(size);
        long start = host.Time.GetTimestamp();
        await Task.Delay(host.Faults.BootTime, host.Time, _closing.Token);
        if (host.Faults.Boot(size) is { } failure)
            throw failure;
        return new ParentStatus
        {
            Key = key,
            Size = size,
            GuestVersion = DriverName,
            CreatedAt = host.Time.GetUtcNow(),
            Stages = [new StageTiming("boot", host.Time.GetElapsedTime(start).TotalMilliseconds)],
        };
    }
}

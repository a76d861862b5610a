using Candela.Model;

namespace Candela.Microvisor.Simulated;

/// <summary>One driver's hold on a <see cref="SimulatedVmm"/>.</summary>
internal sealed class SimulatedMicroVm : IMicroVm
{
    // Of a QEMU process that has done little: 16 MiB of its own, and a tenth of its guest's memory touched.
    private const long OwnBytes = 16L << 20;
    private const int TouchedShare = 10;

    private readonly TaskCompletionSource<MicroVmExit> _exited = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TimeProvider _time;
    private readonly long _held;
    private readonly CancellationToken _closing;
    private Stream? _agent;

    /// <param name="vmm">What is held.</param>
    /// <param name="stages">Stages of its birth.</param>
    /// <param name="time">Clock.</param>
    /// <param name="closing">The driver has been closed: like a dead daemon's, its hold neither learns nor does anything any more.</param>
    public SimulatedMicroVm(SimulatedVmm vmm, IReadOnlyList<StageTiming> stages, TimeProvider time, CancellationToken closing)
    {
        Vmm = vmm;
        Stages = stages;
        _time = time;
        _held = time.GetTimestamp();
        _closing = closing;
        _ = TellAsync();
    }

    public SimulatedVmm Vmm { get; }

    public MicroVmRecord Record => Vmm.Record;

    public IReadOnlyList<StageTiming> Stages { get; }

    public Task<MicroVmExit> Exited => _exited.Task;

    public Task<Stream> ConnectAgentAsync(CancellationToken cancellationToken) => Task.FromResult(_agent = Vmm.Port.Connect());

    public Task PauseAsync(CancellationToken cancellationToken) => SetPaused(true);

    public Task ResumeAsync(CancellationToken cancellationToken) => SetPaused(false);

    public async Task KillAsync(CancellationToken cancellationToken)
    {
        if (!_closing.IsCancellationRequested)
            Vmm.End(new MicroVmExit(GuestPowerOff: false, "signal 9"));
        await Exited.WaitAsync(cancellationToken);
    }

    public Task<MicroVmStatistics> GetStatisticsAsync(CancellationToken cancellationToken)
    {
        long shared = Record.Size.MemoryBytes / TouchedShare;
        return Task.FromResult(Vmm.Exited.IsCompleted
            ? new MicroVmStatistics(0, 0, 0, TimeSpan.Zero)
            : new MicroVmStatistics(OwnBytes, OwnBytes + shared / TouchedShare, OwnBytes + shared, _time.GetElapsedTime(_held)));
    }

    public Task<string> ReadConsoleAsync(CancellationToken cancellationToken) => Task.FromResult($"simulated guest {Record.Id}\n");

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _agent, null) is { } agent)
            await agent.DisposeAsync();
    }

    private async Task TellAsync()
    {
        MicroVmExit exit = await Vmm.Exited;
        if (!_closing.IsCancellationRequested)
            _exited.SetResult(exit);
    }

    private Task SetPaused(bool paused)
    {
        if (Vmm.Exited.IsCompleted)
            return Task.FromException(new CandelaException(ErrorCode.Unavailable, "the VMM does not obey: it has ended"));
        Vmm.Port.SetPaused(paused);
        return Task.CompletedTask;
    }
}

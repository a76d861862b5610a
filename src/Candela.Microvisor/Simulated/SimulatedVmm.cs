using System.Security.Cryptography;

namespace Candela.Microvisor.Simulated;

/// <summary>What stands for a VMM's process: it goes on when the driver's object is gone.</summary>
internal sealed class SimulatedVmm(CloneSpec spec, MicroVmRecord record, Action<SimulatedVmm> ended) : IDisposable
{
    private readonly CancellationTokenSource _end = new();
    private readonly TaskCompletionSource<MicroVmExit> _exited = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool _dead;

    public CloneSpec Spec => spec;

    public MicroVmRecord Record => record;

    public GuestPort Port { get; } = new();

    public Task<MicroVmExit> Exited => _exited.Task;

    /// <summary>Lets the guest, or a fault in its place, run.</summary>
    public async Task RunAsync(GuestBehaviour behaviour, Func<Stream, CancellationToken, Task> guest)
    {
        try
        {
            await (behaviour == GuestBehaviour.Sound ? guest(Port, _end.Token) : MisbehaveAsync(behaviour == GuestBehaviour.Babbling));
            End(new MicroVmExit(GuestPowerOff: true, "exit code 0"));
        }
        catch (Exception e)
        {
            End(new MicroVmExit(GuestPowerOff: false, $"exit code 1: {e.Message}"));
        }

        await _exited.Task;
        Dispose();
    }

    /// <summary>Ends it, unless it has ended already.</summary>
    public void End(MicroVmExit exit)
    {
        if (Interlocked.Exchange(ref _dead, true))
            return;
        ended(this);
        Port.End();
        _end.Cancel();
        _exited.SetResult(exit);
    }

    public void Dispose() => _end.Dispose();

    private async Task MisbehaveAsync(bool babbling)
    {
        byte[] buffer = new byte[4096];
        while (await Port.ReadAsync(buffer, _end.Token) > 0)
        {
            RandomNumberGenerator.Fill(buffer);
            if (babbling)
                await Port.WriteAsync(buffer, _end.Token);
        }
    }
}

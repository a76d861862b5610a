namespace Candela.Microvisor.Qemu;

/// <summary>
/// Closes the daemon's copies of taps in the background, one after another: the last copy of a tap takes it apart, for which the kernel
/// needs tens of milliseconds, and nobody who ends a container shall wait for that.
/// </summary>
internal sealed class TapCloser
{
    private readonly Lock _gate = new();
    private Task _last = Task.CompletedTask;

    /// <summary>Closes them later.</summary>
    public void Close(IReadOnlyList<MicroVmTap> taps)
    {
        if (taps.Count == 0)
            return;
        lock (_gate)
            _last = _last.ContinueWith(_ => CloseNow(taps), CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
    }

    /// <summary>Completes when all that were given until now are closed.</summary>
    public Task FinishAsync()
    {
        lock (_gate)
            return _last;
    }

    /// <summary>Closes them before it returns.</summary>
    public static void CloseNow(IReadOnlyList<MicroVmTap> taps)
    {
        foreach (MicroVmTap tap in taps)
            tap.Descriptor.Dispose();
    }
}

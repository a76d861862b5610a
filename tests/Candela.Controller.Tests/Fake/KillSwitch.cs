namespace Candela.Controller.Tests.Fake;

/// <summary>Ends a "daemon" at one of its steps: from then on nothing that it does has an effect.</summary>
internal sealed class KillSwitch
{
    private readonly TaskCompletionSource _killed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _rest = int.MaxValue;

    /// <summary>Completes with the kill.</summary>
    public Task Killed => _killed.Task;

    public void KillAfter(int steps) => Volatile.Write(ref _rest, steps);

    public void KillNow() => KillAfter(0);

    /// <summary>A point at which the daemon may die; it never gets further then.</summary>
    public Task StepAsync()
    {
        if (Interlocked.Decrement(ref _rest) >= 0)
            return Task.CompletedTask;
        Interlocked.Exchange(ref _rest, 0);
        _killed.TrySetResult();
        return new TaskCompletionSource().Task;
    }
}

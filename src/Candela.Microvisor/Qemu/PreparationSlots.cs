namespace Candela.Microvisor.Qemu;

/// <summary>How many VMMs are prepared at once, over all parents. Those that a claim waits for do not queue behind those made ahead of need.</summary>
internal sealed class PreparationSlots : IDisposable
{
    private readonly SemaphoreSlim _urgent;
    private readonly SemaphoreSlim _ahead;

    /// <param name="count">Most that are urgent; half as many are made ahead of need.</param>
    public PreparationSlots(int count)
    {
        _urgent = new SemaphoreSlim(count);
        _ahead = new SemaphoreSlim(Math.Max(1, count / 2));
    }

    /// <summary>Waits for a slot; the caller releases what is returned.</summary>
    public async Task<SemaphoreSlim> TakeAsync(bool urgent, CancellationToken cancellationToken)
    {
        SemaphoreSlim slots = urgent ? _urgent : _ahead;
        await slots.WaitAsync(cancellationToken);
        return slots;
    }

    public void Dispose()
    {
        _urgent.Dispose();
        _ahead.Dispose();
    }
}

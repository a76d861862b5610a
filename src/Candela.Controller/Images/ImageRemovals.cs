namespace Candela.Controller.Images;

/// <summary>Keeps creations and removals of images apart without a lock on the way of a creation.</summary>
internal sealed class ImageRemovals : IDisposable
{
    private readonly SemaphoreSlim _gate = new(1, 1);
    private long _generation;

    /// <summary>Odd while a removal is under way.</summary>
    public long Generation => Interlocked.Read(ref _generation);

    /// <summary>Removes images.</summary>
    public async Task<T> RunAsync<T>(Func<Task<T>> removal, CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken);
        Interlocked.Increment(ref _generation);
        try
        {
            return await removal();
        }
        finally
        {
            Interlocked.Increment(ref _generation);
            _gate.Release();
        }
    }

    /// <summary>True when there was a removal after the generation was read, or is one: it has ended then.</summary>
    public async Task<bool> HappenedSinceAsync(long generation, CancellationToken cancellationToken)
    {
        if (Generation == generation && generation % 2 == 0)
            return false;
        await _gate.WaitAsync(cancellationToken);
        _gate.Release();
        return true;
    }

    public void Dispose() => _gate.Dispose();
}

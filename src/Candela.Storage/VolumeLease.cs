namespace Candela.Storage;

/// <summary>Volumes attached to one micro-VM; disposing detaches them.</summary>
public sealed class VolumeLease : IDisposable
{
    private Action? _release;

    internal VolumeLease(IReadOnlyList<string> paths, Action release)
    {
        Paths = paths;
        _release = release;
    }

    /// <summary>The volumes' disks, in the order asked for.</summary>
    public IReadOnlyList<string> Paths { get; }

    /// <inheritdoc/>
    public void Dispose() => Interlocked.Exchange(ref _release, null)?.Invoke();
}

using Candela.State;

namespace Candela.Identity.Storage;

/// <summary>
/// Leases for documents that are of no use after a while, so that nobody has to look for them: each is shared by what is written within half
/// of that time. A document may therefore stay up to half as long again: whether it still counts is for its own dates to say.
/// </summary>
internal sealed class ExpiryLeases(IStateStore store, TimeProvider time) : IDisposable
{
    /// <summary>Longest life of a document.</summary>
    public static readonly TimeSpan Longest = StateLimits.LeaseTimeToLive / 2;

    private readonly Dictionary<TimeSpan, (long Id, DateTimeOffset Until)> _leases = [];
    private readonly SemaphoreSlim _granting = new(1, 1);

    /// <summary>A lease that lives at least so long.</summary>
    public async Task<long> GetAsync(TimeSpan lifetime, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(lifetime, Longest);
        await _granting.WaitAsync(cancellationToken);
        try
        {
            if (_leases.TryGetValue(lifetime, out var lease) && time.GetUtcNow() < lease.Until)
                return lease.Id;
            var until = time.GetUtcNow() + lifetime / 2;
            var granted = await store.GrantLeaseAsync(lifetime * 1.5, cancellationToken);
            _leases[lifetime] = (granted.Id, until);
            return granted.Id;
        }
        finally
        {
            _granting.Release();
        }
    }

    public void Dispose() => _granting.Dispose();
}

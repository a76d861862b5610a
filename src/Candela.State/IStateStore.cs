namespace Candela.State;

/// <summary>
/// Documents in an ordered key space. Every transaction that changes something gets the next revision. Keys are compared as the bytes
/// of their UTF-8 form. Safe for use from many threads.
/// </summary>
public interface IStateStore : IAsyncDisposable
{
    /// <summary>Revision of the last transaction that changed something; 0 for a new store.</summary>
    long Revision { get; }

    /// <summary>Reads one key; null when it is not there.</summary>
    Task<StateEntry?> GetAsync(string key, CancellationToken cancellationToken);

    /// <summary>Reads keys with a prefix in order, at most <paramref name="limit"/> (1 to <see cref="StateLimits.PageCount"/>) of them.</summary>
    /// <param name="prefix">Prefix; empty: every key.</param>
    /// <param name="after">Only keys greater than this one (a former page's <see cref="StatePage.Next"/>); null: from the first.</param>
    /// <param name="limit">Most entries.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    Task<StatePage> RangeAsync(string prefix, string? after, int limit, CancellationToken cancellationToken);

    /// <summary>
    /// Carries out all of a transaction or, when one of its expectations does not hold, nothing. A committed transaction survives the
    /// death of the process. Once accepted it goes on when the caller cancels.
    /// </summary>
    Task<CommitResult> CommitAsync(StateTransaction transaction, CancellationToken cancellationToken);

    /// <summary>Changes of keys with a prefix, in order, from a revision (inclusive) on; goes on until cancelled.</summary>
    /// <exception cref="StateCompactedException">The history no longer reaches back that far.</exception>
    IAsyncEnumerable<StateChange> WatchAsync(string prefix, long fromRevision, CancellationToken cancellationToken);

    /// <summary>Grants a lease: keys put under it are deleted when it is revoked or not renewed in time.</summary>
    Task<StateLease> GrantLeaseAsync(TimeSpan timeToLive, CancellationToken cancellationToken);

    /// <summary>Renews a lease; false when it is gone.</summary>
    Task<bool> RenewLeaseAsync(long leaseId, CancellationToken cancellationToken);

    /// <summary>Revokes a lease and deletes its keys; false when it is gone.</summary>
    Task<bool> RevokeLeaseAsync(long leaseId, CancellationToken cancellationToken);
}

using Candela.State;

namespace Candela.Controller.Tests.Fake;

/// <summary>A store whose daemon may die before and after each commit; counts them.</summary>
internal sealed class KillableStore(IStateStore inner, KillSwitch kill) : IStateStore
{
    private int _commits;

    public int Commits => _commits;

    /// <summary>Commits fail, as with a full disk.</summary>
    public bool Fails { get; set; }

    public long Revision => inner.Revision;

    public Task<StateEntry?> GetAsync(string key, CancellationToken cancellationToken) => inner.GetAsync(key, cancellationToken);

    public Task<StatePage> RangeAsync(string prefix, string? after, int limit, CancellationToken cancellationToken) =>
        inner.RangeAsync(prefix, after, limit, cancellationToken);

    public async Task<CommitResult> CommitAsync(StateTransaction transaction, CancellationToken cancellationToken)
    {
        await kill.StepAsync();
        if (Fails)
            throw new StateStoreException("the disk is full");
        Interlocked.Increment(ref _commits);
        var result = await inner.CommitAsync(transaction, cancellationToken);
        await kill.StepAsync();
        return result;
    }

    public IAsyncEnumerable<StateChange> WatchAsync(string prefix, long fromRevision, CancellationToken cancellationToken) =>
        inner.WatchAsync(prefix, fromRevision, cancellationToken);

    public Task<StateLease> GrantLeaseAsync(TimeSpan timeToLive, CancellationToken cancellationToken) => inner.GrantLeaseAsync(timeToLive, cancellationToken);

    public Task<bool> RenewLeaseAsync(long leaseId, CancellationToken cancellationToken) => inner.RenewLeaseAsync(leaseId, cancellationToken);

    public Task<bool> RevokeLeaseAsync(long leaseId, CancellationToken cancellationToken) => inner.RevokeLeaseAsync(leaseId, cancellationToken);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}

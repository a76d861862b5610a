using System.Runtime.CompilerServices;
using Candela.State;

namespace Candela.Identity.Tests;

/// <summary>A store that stops working when told to, or before or after a certain commit, as a killed process would have seen it.</summary>
internal sealed class FaultyStateStore(IStateStore store) : IStateStore
{
    private int _commitsLeft = int.MaxValue;
    private bool _afterCommit;
    private CancellationTokenSource _breaking = new();

    /// <summary>Every call fails.</summary>
    public bool Failing { get; set; }

    public long Revision => store.Revision;

    /// <summary>After so many more commits everything fails: the next commit, too, which is not done, or done without an answer.</summary>
    public void FailAfter(int commits, bool afterCommit = false) => (_commitsLeft, _afterCommit) = (commits, afterCommit);

    /// <summary>Ends the watches that go on.</summary>
    public void BreakWatches() => Interlocked.Exchange(ref _breaking, new CancellationTokenSource()).Cancel();

    /// <summary>All is well again.</summary>
    public void Mend() => (_commitsLeft, Failing) = (int.MaxValue, false);

    public Task<StateEntry?> GetAsync(string key, CancellationToken cancellationToken) => Alive() ?? store.GetAsync(key, cancellationToken);

    public Task<StatePage> RangeAsync(string prefix, string? after, int limit, CancellationToken cancellationToken)
    {
        Check();
        return store.RangeAsync(prefix, after, limit, cancellationToken);
    }

    public async Task<CommitResult> CommitAsync(StateTransaction transaction, CancellationToken cancellationToken)
    {
        Check();
        if (Interlocked.Decrement(ref _commitsLeft) < 0)
        {
            Failing = true;
            if (_afterCommit)
                await store.CommitAsync(transaction, cancellationToken);
        }

        Check();
        return await store.CommitAsync(transaction, cancellationToken);
    }

    public async IAsyncEnumerable<StateChange> WatchAsync(string prefix, long fromRevision, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        Check();
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, Volatile.Read(ref _breaking).Token);
        await foreach (var change in store.WatchAsync(prefix, fromRevision, ending.Token))
            yield return change;
    }

    public Task<StateLease> GrantLeaseAsync(TimeSpan timeToLive, CancellationToken cancellationToken) => store.GrantLeaseAsync(timeToLive, cancellationToken);

    public Task<bool> RenewLeaseAsync(long leaseId, CancellationToken cancellationToken) => store.RenewLeaseAsync(leaseId, cancellationToken);

    public Task<bool> RevokeLeaseAsync(long leaseId, CancellationToken cancellationToken) => store.RevokeLeaseAsync(leaseId, cancellationToken);

    /// <summary>The store behind is its owner's to close.</summary>
    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private Task<StateEntry?>? Alive() => Failing ? Task.FromException<StateEntry?>(new StateStoreException("the store does not answer")) : null;

    private void Check()
    {
        if (Failing)
            throw new StateStoreException("the store does not answer");
    }
}

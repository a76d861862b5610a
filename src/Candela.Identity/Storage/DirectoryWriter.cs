using Candela.State;

namespace Candela.Identity.Storage;

/// <summary>Commits what changes something below <see cref="IdentityKeys.Directory"/>.</summary>
internal sealed class DirectoryWriter(IStateStore store, IdentityReplica replica)
{
    /// <summary>Value of keys that only mark something.</summary>
    public static readonly byte[] Mark = "{}"u8.ToArray();

    /// <summary>Commits; on success the change is in the replica when this returns, on failure what stood in the way is.</summary>
    /// <returns>The key whose expectation failed, or null; and the revision.</returns>
    public async Task<(string? FailedKey, long Revision)> TryCommitAsync(StateTransaction transaction, CancellationToken cancellationToken)
    {
        transaction.Put(IdentityKeys.Head, Mark);
        var result = await store.CommitAsync(transaction, cancellationToken);
        if (result.Succeeded)
            await replica.ReachAsync(result.Revision, cancellationToken);
        else
            await replica.RefreshAsync(cancellationToken);
        return (result.FailedKey, result.Revision);
    }

    /// <summary>Deletes keys, in as many transactions as it takes.</summary>
    public async Task DeleteAsync(IEnumerable<string> keys, CancellationToken cancellationToken)
    {
        foreach (var some in keys.Chunk(StateLimits.TransactionCount - 1))
        {
            var transaction = new StateTransaction();
            foreach (var key in some)
                transaction.Delete(key);
            await TryCommitAsync(transaction, cancellationToken);
        }
    }

    /// <summary>A key's revision; 0: not there.</summary>
    public async Task<long> RevisionAsync(string key, CancellationToken cancellationToken) =>
        await store.GetAsync(key, cancellationToken) is { } entry ? entry.Revision : 0;
}

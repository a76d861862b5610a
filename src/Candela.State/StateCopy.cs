using System.Text;
using Candela.State.Etcd;

namespace Candela.State;

/// <summary>Moves all documents of a store to another: backup, restore and the way from SQLite to etcd and back.</summary>
public static class StateCopy
{
    /// <summary>Bytes of values that are written in one transaction.</summary>
    private const int BatchBytes = 512 * 1024;

    private const int BatchCount = 512;

    /// <summary>
    /// Copies everything but what is under a lease, which belongs to a living daemon. The source must stand still: nobody may write to it
    /// meanwhile. Revisions are the new store's own.
    /// </summary>
    /// <param name="from">Source.</param>
    /// <param name="to">Target, which must be empty.</param>
    /// <param name="cancellationToken">Ends it; what was copied so far stays.</param>
    /// <returns>Number of documents.</returns>
    /// <exception cref="StateStoreException">The target is not empty, or a daemon uses the source.</exception>
    public static async Task<long> RunAsync(IStateStore from, IStateStore to, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(from);
        ArgumentNullException.ThrowIfNull(to);
        if ((await to.RangeAsync("", null, StateLimits.PageCount, cancellationToken)).Entries.Any(e => e.LeaseId == 0))
            throw new StateStoreException("the target is not empty: copying would mix two platforms");
        if (await from.GetAsync(EtcdOwnership.Key, cancellationToken) is { LeaseId: not 0 } owner)
            throw new StateStoreException($"the daemon {Encoding.UTF8.GetString(owner.Value.Span)} uses the source: end it first (candela down; containers go on)");
        long count = 0;
        string? after = null;
        do
        {
            var page = await from.RangeAsync("", after, BatchCount, cancellationToken);
            var batch = new StateTransaction();
            var bytes = 0;
            foreach (var entry in page.Entries.Where(e => e.LeaseId == 0))
            {
                if (bytes + entry.Value.Length > BatchBytes && batch.Writes.Count > 0)
                {
                    await to.CommitAsync(batch, cancellationToken);
                    (batch, bytes) = (new StateTransaction(), 0);
                }

                batch.Put(entry.Key, entry.Value);
                bytes += entry.Value.Length;
                count++;
            }

            if (batch.Writes.Count > 0)
                await to.CommitAsync(batch, cancellationToken);
            after = page.Next;
        }
        while (after is not null);
        return count;
    }
}

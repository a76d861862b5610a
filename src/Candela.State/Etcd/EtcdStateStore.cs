using System.Runtime.CompilerServices;
using System.Text;
using Candela.State.Etcd.Messages;
using Google.Protobuf;

namespace Candela.State.Etcd;

/// <summary>
/// The store on an etcd v3 cluster, for several daemons at once. A new cluster is at revision 1 where a new store is at 0, so a revision
/// here is etcd's less 1. History is forgotten when etcd compacts (its <c>--auto-compaction-*</c> options); leases live whole seconds.
/// </summary>
public sealed class EtcdStateStore : IStateStore
{
    private const int RevisionOffset = 1;
    private const string RequestedLeaseNotFound = "requested lease not found";

    /// <summary>Enough for an election, and for members that are started at the same time as the daemon.</summary>
    private static readonly TimeSpan DefaultPatience = TimeSpan.FromSeconds(20);

    private readonly EtcdCluster _cluster;
    private readonly EtcdAddress _address;
    private readonly CancellationTokenSource _closing = new();
    private long _revision;
    private int _closed;

    private EtcdStateStore(EtcdAddress address, TimeSpan patience)
    {
        _address = address;
        _cluster = new EtcdCluster(address, patience);
    }

    /// <summary>The last revision that this store has heard of; others may have gone on.</summary>
    public long Revision => Volatile.Read(ref _revision);

    /// <summary>Finds the cluster, and that it takes what a store must take.</summary>
    /// <exception cref="StateStoreException">No member answers, or transactions are limited too tightly.</exception>
    public static Task<EtcdStateStore> OpenAsync(EtcdAddress address, CancellationToken cancellationToken) => OpenAsync(address, DefaultPatience, cancellationToken);

    /// <summary>Finds the cluster within this time.</summary>
    internal static async Task<EtcdStateStore> OpenAsync(EtcdAddress address, TimeSpan patience, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(address);
        var store = new EtcdStateStore(address, patience);
        try
        {
            await store.CheckLimitsAsync(cancellationToken);
            return store;
        }
        catch
        {
            await store.DisposeAsync();
            throw;
        }
    }

    /// <inheritdoc/>
    public async Task<StateEntry?> GetAsync(string key, CancellationToken cancellationToken)
    {
        StateLimits.CheckKey(key);
        var response = await CallAsync("KV/Range", new RangeRequest { Key = Key(key) }, RangeResponse.Parser, cancellationToken);
        Hear(response.Header);
        return response.Kvs.Count == 0 ? null : Entry(response.Kvs[0]);
    }

    /// <inheritdoc/>
    public async Task<StatePage> RangeAsync(string prefix, string? after, int limit, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(prefix);
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(limit, StateLimits.PageCount);
        var (first, end) = BoundsOf(prefix);
        var request = new RangeRequest { Key = first, RangeEnd = end, Limit = limit };
        // The key that follows another is the other and a zero byte.
        if (after is not null && string.CompareOrdinal(after, prefix) >= 0)
            request.Key = Key(after + "\0");
        var response = await CallAsync("KV/Range", request, RangeResponse.Parser, cancellationToken);
        Hear(response.Header);
        var entries = response.Kvs.Select(Entry).ToList();
        return new StatePage(entries, response.More ? entries[^1].Key : null, response.Header.Revision - RevisionOffset);
    }

    /// <inheritdoc/>
    public async Task<CommitResult> CommitAsync(StateTransaction transaction, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(transaction);
        cancellationToken.ThrowIfCancellationRequested();
        // Of several writes of one key, the last is what remains; etcd takes no more than one.
        var writes = new Dictionary<string, StateWrite>(StringComparer.Ordinal);
        foreach (var write in transaction.Writes)
            writes[write.Key] = write;
        var request = new TxnRequest();
        foreach (var (key, revision) in transaction.Expectations)
        {
            var expected = revision == 0 ? 0 : revision + RevisionOffset;
            request.Compare.Add(new Compare { Target = Compare.Types.CompareTarget.Mod, Key = Key(key), ModRevision = expected });
            request.Failure.Add(Read(key));
        }

        request.Success.AddRange(writes.Values.Select(Write));
        return await CommitAsync(transaction, writes, request).WaitAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<StateChange> WatchAsync(string prefix, long fromRevision, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(fromRevision, 1);
        ObjectDisposedException.ThrowIf(_closed != 0, this);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _closing.Token);
        var (first, end) = BoundsOf(prefix);
        await foreach (var response in _cluster.WatchAsync(first, end, fromRevision + RevisionOffset, ending.Token))
        {
            if (response.CompactRevision != 0)
                throw new StateCompactedException(response.CompactRevision - RevisionOffset);
            Hear(response.Header);
            foreach (var change in response.Events)
            {
                var isDeleted = change.Type == Event.Types.EventType.Delete;
                yield return new StateChange(change.Kv.ModRevision - RevisionOffset, Name(change.Kv.Key), isDeleted ? default(ReadOnlyMemory<byte>?) : change.Kv.Value.Memory);
            }
        }
    }

    /// <inheritdoc/>
    public async Task<StateLease> GrantLeaseAsync(TimeSpan timeToLive, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(timeToLive, TimeSpan.FromMilliseconds(1));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(timeToLive, StateLimits.LeaseTimeToLive);
        var request = new LeaseGrantRequest { TTL = (long)Math.Ceiling(timeToLive.TotalSeconds) };
        var response = await CallAsync("Lease/LeaseGrant", request, LeaseGrantResponse.Parser, cancellationToken);
        Hear(response.Header);
        return new StateLease(response.ID, TimeSpan.FromSeconds(response.TTL));
    }

    /// <inheritdoc/>
    public async Task<bool> RenewLeaseAsync(long leaseId, CancellationToken cancellationToken)
    {
        var response = await CallAsync("Lease/LeaseKeepAlive", new LeaseKeepAliveRequest { ID = leaseId }, LeaseKeepAliveResponse.Parser, cancellationToken);
        Hear(response.Header);
        return response.TTL > 0;
    }

    /// <inheritdoc/>
    public async Task<bool> RevokeLeaseAsync(long leaseId, CancellationToken cancellationToken)
    {
        try
        {
            ObjectDisposedException.ThrowIf(_closed != 0, this);
            var (response, _) = await _cluster.CallAsync(
                Method("Lease/LeaseRevoke"), new LeaseRevokeRequest { ID = leaseId }, LeaseRevokeResponse.Parser, cancellationToken, GrpcFailure.NotFound);
            Hear(response.Header);
            return true;
        }
        catch (GrpcFailure e) when (e.Status == GrpcFailure.NotFound)
        {
            return false;
        }
    }

    /// <summary>Ends watches and closes the connections.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _closed, 1) != 0)
            return;
        await _closing.CancelAsync();
        _cluster.Dispose();
        _closing.Dispose();
    }

    private static string Method(string name) => "/etcdserverpb." + name;

    /// <summary>The key after all that begin with these bytes: the zero key stands for "no end" (etcd's documentation of range_end).</summary>
    private static ByteString EndOf(ByteString prefix)
    {
        var end = prefix.ToByteArray();
        for (var i = end.Length - 1; i >= 0; i--)
        {
            if (end[i] == byte.MaxValue)
                continue;
            end[i]++;
            return ByteString.CopyFrom(end, 0, i + 1);
        }

        return ByteString.CopyFrom(0);
    }

    private static bool IsTooLarge(StateStoreException e) => e.InnerException is GrpcFailure && e.Message.Contains("too many operations", StringComparison.Ordinal);

    private async Task<CommitResult> CommitAsync(StateTransaction transaction, Dictionary<string, StateWrite> writes, TxnRequest request)
    {
        ObjectDisposedException.ThrowIf(_closed != 0, this);
        TxnResponse response;
        bool isRepeated;
        try
        {
            (response, isRepeated) = await _cluster.CallAsync(Method("KV/Txn"), request, TxnResponse.Parser, _closing.Token, GrpcFailure.NotFound);
        }
        catch (GrpcFailure e) when (e.Message.Contains(RequestedLeaseNotFound, StringComparison.Ordinal))
        {
            return new CommitResult(false, Revision, writes.Values.First(w => w.LeaseId != 0).Key);
        }

        Hear(response.Header);
        var revision = response.Header.Revision - RevisionOffset;
        if (response.Succeeded)
            return new CommitResult(true, revision, null);
        if (isRepeated && writes.Count > 0 && await FindOutcomeAsync(writes) is { } carriedOut)
            return new CommitResult(true, carriedOut, null);
        var failed = transaction.Expectations
            .Zip(response.Responses, (expectation, answer) => (expectation, Found: answer.ResponseRange.Kvs))
            .First(pair => (pair.Found.Count == 0 ? 0 : pair.Found[0].ModRevision - RevisionOffset) != pair.expectation.Revision);
        return new CommitResult(false, revision, failed.expectation.Key);
    }

    /// <summary>
    /// After an answer was lost: an attempt that was carried out makes the next one's expectations fail. It was, if everything that the
    /// transaction writes is there as it writes it, all of one revision.
    /// </summary>
    private async Task<long?> FindOutcomeAsync(Dictionary<string, StateWrite> writes)
    {
        var request = new TxnRequest();
        request.Success.AddRange(writes.Keys.Select(Read));
        var response = await CallAsync("KV/Txn", request, TxnResponse.Parser, _closing.Token);
        var revisions = new HashSet<long>();
        foreach (var (write, answer) in writes.Values.Zip(response.Responses))
        {
            var found = answer.ResponseRange.Kvs.SingleOrDefault();
            if (write.Value is not { } value ? found is not null : found is null || !found.Value.Span.SequenceEqual(value.Span))
                return null;
            if (found is not null)
                revisions.Add(found.ModRevision - RevisionOffset);
        }

        return revisions.Count switch { 0 => response.Header.Revision - RevisionOffset, 1 => revisions.Single(), _ => null };
    }

    /// <summary>etcd does not tell its limits; a transaction that compares much and does nothing finds out.</summary>
    private async Task CheckLimitsAsync(CancellationToken cancellationToken)
    {
        var probe = new TxnRequest();
        for (var i = 0; i < StateLimits.TransactionCount; i++)
            probe.Compare.Add(new Compare { Target = Compare.Types.CompareTarget.Mod, Key = Key("."), ModRevision = 0 });
        try
        {
            Hear((await CallAsync("KV/Txn", probe, TxnResponse.Parser, cancellationToken)).Header);
        }
        catch (StateStoreException e) when (IsTooLarge(e))
        {
            throw new StateStoreException($"the etcd cluster {_address} takes too few operations in a transaction: start its members with --max-txn-ops {StateLimits.TransactionCount}", e);
        }
    }

    private async Task<T> CallAsync<T>(string method, IMessage request, MessageParser<T> parser, CancellationToken cancellationToken)
        where T : IMessage<T>
    {
        ObjectDisposedException.ThrowIf(_closed != 0, this);
        return (await _cluster.CallAsync(Method(method), request, parser, cancellationToken)).Response;
    }

    private void Hear(ResponseHeader header)
    {
        var heard = header.Revision - RevisionOffset;
        for (var known = Revision; heard > known && Interlocked.CompareExchange(ref _revision, heard, known) != known; known = Revision)
        {
            // Another call has heard of a later one.
        }
    }

    /// <summary>First key with a prefix and the key after the last. etcd takes no empty key: the zero key stands for the very first.</summary>
    private (ByteString First, ByteString End) BoundsOf(string prefix)
    {
        var first = Key(prefix);
        return (first.IsEmpty ? ByteString.CopyFrom(0) : first, EndOf(first));
    }

    private ByteString Key(string key) => ByteString.CopyFromUtf8(_address.Prefix + key);

    private string Name(ByteString key) => Encoding.UTF8.GetString(key.Span)[_address.Prefix.Length..];

    private StateEntry Entry(KeyValue value) =>
        new(Name(value.Key), value.Value.Memory, value.CreateRevision - RevisionOffset, value.ModRevision - RevisionOffset, value.Lease);

    private RequestOp Read(string key) => new() { RequestRange = new RangeRequest { Key = Key(key) } };

    private RequestOp Write(StateWrite write) => write.Value is { } value
        ? new RequestOp { RequestPut = new PutRequest { Key = Key(write.Key), Value = UnsafeByteOperations.UnsafeWrap(value), Lease = write.LeaseId } }
        : new RequestOp { RequestDeleteRange = new DeleteRangeRequest { Key = Key(write.Key) } };
}

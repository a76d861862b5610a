using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Candela.State.Sqlite.Native;
using Microsoft.Win32.SafeHandles;

namespace Candela.State.Sqlite;

/// <summary>
/// The store in one SQLite file, for one machine. One writer commits whatever waits as a group; readers have a connection of their own.
/// A lock file beside it keeps a second process out.
/// </summary>
public sealed class SqliteStateStore : IStateStore
{
    /// <summary>Requests that may wait for the writer.</summary>
    private const int QueueCount = 1024;

    /// <summary>Most requests of one database transaction.</summary>
    private const int GroupCount = 256;

    /// <summary>Most revisions that a watch reads at once.</summary>
    private const int WatchRevisionCount = 256;

    private readonly SafeFileHandle _lock;
    private readonly SqliteWriter _writer;
    private readonly SqliteReader _reader;
    private readonly TimeProvider _time;
    private readonly ITimer _expiry;
    private readonly CancellationTokenSource _closing = new();
    private readonly Channel<SqliteRequest> _queue = Channel.CreateBounded<SqliteRequest>(new BoundedChannelOptions(QueueCount) { SingleReader = true });
    private readonly Task _writing;
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _revision;
    private int _closed;

    private SqliteStateStore(SafeFileHandle fileLock, string path, TimeProvider time, int historyCount)
    {
        _lock = fileLock;
        _time = time;
        var connection = new SqliteConnection(path);
        try
        {
            SqliteSchema.Prepare(connection);
            _writer = new SqliteWriter(connection, time, historyCount);
            _reader = new SqliteReader(new SqliteConnection(path));
        }
        catch
        {
            connection.Dispose();
            throw;
        }

        _revision = _writer.Revision;
        _expiry = time.CreateTimer(_ => _queue.Writer.TryWrite(new SqliteRequest<int>(w => w.RevokeExpired())), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        ArmExpiry();
        _writing = WriteAsync();
    }

    /// <inheritdoc/>
    public long Revision => Volatile.Read(ref _revision);

    /// <summary>Opens, or makes, the store.</summary>
    /// <param name="path">File; <c>-wal</c>, <c>-shm</c> and <c>.lock</c> are beside it.</param>
    /// <param name="time">Clock of the leases.</param>
    /// <param name="historyCount">Revisions that watches can go back.</param>
    /// <exception cref="StateStoreException">Another process has it, it is damaged, or of an unknown format.</exception>
    public static SqliteStateStore Open(string path, TimeProvider time, int historyCount = 10_000)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(historyCount, 1);
        if (Path.GetDirectoryName(Path.GetFullPath(path)) is { } folder)
            Directory.CreateDirectory(folder);
        var fileLock = FileLock.TryTake(path + ".lock") ?? throw new StateStoreException($"another process uses the state store {path}: is a second daemon running?");
        try
        {
            return new SqliteStateStore(fileLock, path, time, historyCount);
        }
        catch
        {
            FileLock.Release(fileLock);
            throw;
        }
    }

    /// <inheritdoc/>
    public Task<StateEntry?> GetAsync(string key, CancellationToken cancellationToken)
    {
        StateLimits.CheckKey(key);
        return Read(() => _reader.Get(key), cancellationToken);
    }

    /// <inheritdoc/>
    public Task<StatePage> RangeAsync(string prefix, string? after, int limit, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(prefix);
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(limit, StateLimits.PageCount);
        return Read(() => _reader.Range(prefix, after, limit), cancellationToken);
    }

    /// <inheritdoc/>
    public Task<CommitResult> CommitAsync(StateTransaction transaction, CancellationToken cancellationToken) =>
        SubmitAsync(writer => writer.Apply(transaction), cancellationToken);

    /// <inheritdoc/>
    public async IAsyncEnumerable<StateChange> WatchAsync(string prefix, long fromRevision, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(fromRevision, 1);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _closing.Token);
        long next = fromRevision;
        while (true)
        {
            // Taken before reading: a commit in between completes it.
            var changed = Volatile.Read(ref _changed).Task;
            ending.Token.ThrowIfCancellationRequested();
            var (changes, after) = _reader.Changes(prefix, next, WatchRevisionCount);
            foreach (var change in changes)
                yield return change;
            if (after == next)
                await changed.WaitAsync(ending.Token);
            next = after;
        }
    }

    /// <inheritdoc/>
    public Task<StateLease> GrantLeaseAsync(TimeSpan timeToLive, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(timeToLive, TimeSpan.FromMilliseconds(1));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(timeToLive, StateLimits.LeaseTimeToLive);
        return SubmitAsync(writer => writer.Grant(timeToLive), cancellationToken);
    }

    /// <inheritdoc/>
    public Task<bool> RenewLeaseAsync(long leaseId, CancellationToken cancellationToken) => SubmitAsync(writer => writer.Renew(leaseId), cancellationToken);

    /// <inheritdoc/>
    public Task<bool> RevokeLeaseAsync(long leaseId, CancellationToken cancellationToken) => SubmitAsync(writer => writer.Revoke(leaseId), cancellationToken);

    /// <summary>Commits what was accepted, ends watches, closes.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _closed, 1) != 0)
            return;
        await _expiry.DisposeAsync();
        _queue.Writer.Complete();
        await _writing;
        await _closing.CancelAsync();
        _reader.Dispose();
        _writer.Dispose();
        FileLock.Release(_lock);
        _closing.Dispose();
    }

    private Task<T> Read<T>(Func<T> read, CancellationToken cancellationToken)
    {
        // Takes microseconds out of SQLite's cache; a thread hop would cost more.
        if (cancellationToken.IsCancellationRequested)
            return Task.FromCanceled<T>(cancellationToken);
        ObjectDisposedException.ThrowIf(_closed != 0, this);
        try
        {
            return Task.FromResult(read());
        }
        catch (StateStoreException e)
        {
            return Task.FromException<T>(e);
        }
    }

    private async Task<T> SubmitAsync<T>(Func<SqliteWriter, T> run, CancellationToken cancellationToken)
    {
        var request = new SqliteRequest<T>(run);
        try
        {
            await _queue.Writer.WriteAsync(request, cancellationToken);
        }
        catch (ChannelClosedException e)
        {
            throw new ObjectDisposedException("The state store is closed.", e);
        }

        return await request.Done.WaitAsync(cancellationToken);
    }

    private async Task WriteAsync()
    {
        var group = new List<SqliteRequest>(GroupCount);
        while (await _queue.Reader.WaitToReadAsync())
        {
            while (group.Count < GroupCount && _queue.Reader.TryRead(out var request))
                group.Add(request);
            Commit(group);
            group.Clear();
        }
    }

    private void Commit(List<SqliteRequest> group)
    {
        try
        {
            _writer.Begin();
            foreach (var request in group)
                request.Run(_writer);
            _writer.End();
        }
        catch (Exception e)
        {
            // None of the group is done; each caller hears why.
            Abandon(e, group);
            return;
        }

        ArmExpiry();
        bool moved = _writer.Revision != _revision;
        Volatile.Write(ref _revision, _writer.Revision);
        foreach (var request in group)
            request.Complete();
        if (moved)
            Interlocked.Exchange(ref _changed, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).SetResult();
    }

    private void Abandon(Exception cause, List<SqliteRequest> group)
    {
        try
        {
            _writer.Abandon();
        }
        catch (StateStoreException e)
        {
            cause = new AggregateException(cause, e);
        }

        foreach (var request in group)
            request.Fail(cause);
    }

    private void ArmExpiry()
    {
        if (_writer.NextExpiry is not { } next)
            return;
        var wait = next - _time.GetUtcNow();
        _expiry.Change(wait > TimeSpan.Zero ? wait : TimeSpan.Zero, Timeout.InfiniteTimeSpan);
    }
}

namespace Candela.State.Sqlite;

/// <summary>The one writer. Its methods run inside an open database transaction, except <see cref="Begin"/>, <see cref="End"/> and <see cref="Abandon"/>.</summary>
internal sealed class SqliteWriter : IDisposable
{
    private readonly SqliteConnection _connection;
    private readonly TimeProvider _time;
    private readonly int _historyCount;
    private readonly SqliteStatement _begin, _commit, _rollback, _find, _put, _delete, _record, _position, _movePosition, _compact, _ofLease;
    private readonly SqliteStatement _addLease, _removeLease, _lastLease, _leases;

    // Expiry is kept in memory: after a restart each lease gets its whole time again.
    private readonly Dictionary<long, (TimeSpan TimeToLive, DateTimeOffset Expiry)> _expiries = [];

    private bool _moved;

    public SqliteWriter(SqliteConnection connection, TimeProvider time, int historyCount)
    {
        _connection = connection;
        _time = time;
        _historyCount = historyCount;
        _begin = connection.Prepare("BEGIN IMMEDIATE");
        _commit = connection.Prepare("COMMIT");
        _rollback = connection.Prepare("ROLLBACK");
        _find = connection.Prepare("SELECT created, modified FROM entry WHERE key = ?1");
        _put = connection.Prepare("INSERT INTO entry VALUES(?1, ?2, ?3, ?4, ?5) ON CONFLICT(key) DO UPDATE SET value = ?2, created = ?3, modified = ?4, lease = ?5");
        _delete = connection.Prepare("DELETE FROM entry WHERE key = ?1");
        _record = connection.Prepare("INSERT INTO change VALUES(?1, ?2, ?3, ?4)");
        _position = connection.Prepare("SELECT revision, compacted FROM position");
        _movePosition = connection.Prepare("UPDATE position SET revision = ?1, compacted = ?2");
        _compact = connection.Prepare("DELETE FROM change WHERE revision <= ?1");
        _ofLease = connection.Prepare("SELECT key FROM entry WHERE lease = ?1 ORDER BY key");
        _addLease = connection.Prepare("INSERT INTO lease(time_to_live_ms) VALUES(?1)");
        _removeLease = connection.Prepare("DELETE FROM lease WHERE id = ?1");
        _lastLease = connection.Prepare("SELECT last_insert_rowid()");
        _leases = connection.Prepare("SELECT id, time_to_live_ms FROM lease");
        Load();
    }

    /// <summary>Last revision given out.</summary>
    public long Revision { get; private set; }

    /// <summary>Last revision that the history has forgotten.</summary>
    public long Compacted { get; private set; }

    /// <summary>When the next lease ends, if any does.</summary>
    public DateTimeOffset? NextExpiry => _expiries.Count == 0 ? null : _expiries.Values.Min(e => e.Expiry);

    public void Begin() => _begin.Run();

    public void End()
    {
        if (_moved)
        {
            // Some slack, so that not every commit deletes.
            if (Revision - Compacted > _historyCount + _historyCount / 4)
            {
                Compacted = Revision - _historyCount;
                _compact.Bind(1, Compacted).Run();
            }

            _movePosition.Bind(1, Revision).Bind(2, Compacted).Run();
        }

        _commit.Run();
        _moved = false;
    }

    public void Abandon()
    {
        if (_connection.InTransaction)
            _rollback.Run();
        _moved = false;
        Load();
    }

    public CommitResult Apply(StateTransaction transaction)
    {
        foreach (var expectation in transaction.Expectations)
        {
            if (Find(expectation.Key).Modified != expectation.Revision)
                return new CommitResult(false, Revision, expectation.Key);
        }

        foreach (var write in transaction.Writes)
        {
            if (write.LeaseId != 0 && !_expiries.ContainsKey(write.LeaseId))
                return new CommitResult(false, Revision, write.Key);
        }

        long revision = Revision + 1;
        int ordinal = 0;
        foreach (var write in transaction.Writes)
        {
            var (created, modified) = Find(write.Key);
            if (write.Value is { } value)
            {
                _put.Bind(1, write.Key).Bind(2, value.Span).Bind(3, modified == 0 ? revision : created).Bind(4, revision).Bind(5, write.LeaseId).Run();
                _record.Bind(1, revision).Bind(2, ordinal++).Bind(3, write.Key).Bind(4, value.Span).Run();
            }
            else if (modified != 0)
            {
                Remove(write.Key, revision, ordinal++);
            }
        }

        if (ordinal > 0)
            Move(revision);
        return new CommitResult(true, Revision, null);
    }

    public StateLease Grant(TimeSpan timeToLive)
    {
        _addLease.Bind(1, (long)timeToLive.TotalMilliseconds).Run();
        _lastLease.Step();
        long id = _lastLease.Number(0);
        _lastLease.Reset();
        _expiries[id] = (timeToLive, _time.GetUtcNow() + timeToLive);
        return new StateLease(id, timeToLive);
    }

    public bool Renew(long id)
    {
        if (!_expiries.TryGetValue(id, out var lease))
            return false;
        _expiries[id] = (lease.TimeToLive, _time.GetUtcNow() + lease.TimeToLive);
        return true;
    }

    public bool Revoke(long id)
    {
        if (!_expiries.Remove(id))
            return false;
        var keys = new List<string>();
        _ofLease.Bind(1, id);
        while (_ofLease.Step())
            keys.Add(_ofLease.Text(0));
        for (int i = 0; i < keys.Count; i++)
            Remove(keys[i], Revision + 1, i);
        _removeLease.Bind(1, id).Run();
        if (keys.Count > 0)
            Move(Revision + 1);
        return true;
    }

    public int RevokeExpired()
    {
        var now = _time.GetUtcNow();
        long[] expired = [.. _expiries.Where(e => e.Value.Expiry <= now).Select(e => e.Key)];
        foreach (long id in expired)
            Revoke(id);
        return expired.Length;
    }

    public void Dispose() => _connection.Dispose();

    private void Load()
    {
        _position.Step();
        Revision = _position.Number(0);
        Compacted = _position.Number(1);
        _position.Reset();
        var now = _time.GetUtcNow();
        var known = new HashSet<long>();
        while (_leases.Step())
        {
            long id = _leases.Number(0);
            known.Add(id);
            var timeToLive = TimeSpan.FromMilliseconds(_leases.Number(1));
            _expiries.TryAdd(id, (timeToLive, now + timeToLive));
        }

        foreach (long id in _expiries.Keys.Where(id => !known.Contains(id)).ToArray())
            _expiries.Remove(id);
    }

    private (long Created, long Modified) Find(string key)
    {
        if (!_find.Bind(1, key).Step())
            return default;
        var found = (_find.Number(0), _find.Number(1));
        _find.Reset();
        return found;
    }

    private void Remove(string key, long revision, int ordinal)
    {
        _delete.Bind(1, key).Run();
        _record.Bind(1, revision).Bind(2, ordinal).Bind(3, key).BindNull(4).Run();
    }

    private void Move(long revision)
    {
        Revision = revision;
        _moved = true;
    }
}

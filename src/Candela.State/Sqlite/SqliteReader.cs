using System.Text;

namespace Candela.State.Sqlite;

/// <summary>Reads beside the writer (WAL gives it a consistent view). Used by one thread at a time.</summary>
internal sealed class SqliteReader : IDisposable
{
    private const string Columns = "SELECT key, value, created, modified, lease FROM entry";

    private readonly Lock _gate = new();
    private readonly SqliteConnection _connection;
    private readonly SqliteStatement _begin, _commit, _get, _range, _position, _changes;

    public SqliteReader(SqliteConnection connection)
    {
        _connection = connection;
        connection.Execute("PRAGMA query_only=1");
        connection.Execute("PRAGMA busy_timeout=5000");
        _begin = connection.Prepare("BEGIN");
        _commit = connection.Prepare("COMMIT");
        _get = connection.Prepare($"{Columns} WHERE key = ?1");
        _range = connection.Prepare($"{Columns} WHERE key >= ?1 AND (?2 IS NULL OR key < ?2) AND (?3 IS NULL OR key > ?3) ORDER BY key LIMIT ?4");
        _position = connection.Prepare("SELECT revision, compacted FROM position");
        _changes = connection.Prepare("SELECT revision, key, value FROM change WHERE revision >= ?1 AND revision <= ?2 ORDER BY revision, ordinal");
    }

    public StateEntry? Get(string key)
    {
        lock (_gate)
        {
            _get.Bind(1, key);
            if (!_get.Step())
                return null;
            var entry = Entry(_get);
            _get.Reset();
            return entry;
        }
    }

    public StatePage Range(string prefix, string? after, int limit)
    {
        byte[] start = Encoding.UTF8.GetBytes(prefix);
        lock (_gate)
        {
            return InSnapshot(() =>
            {
                _range.Bind(1, start).Bind(4, limit + 1);
                _ = End(start) is { } end ? _range.Bind(2, end) : _range.BindNull(2);
                _ = after is null ? _range.BindNull(3) : _range.Bind(3, after);
                var entries = new List<StateEntry>();
                while (_range.Step())
                    entries.Add(Entry(_range));
                string? next = null;
                if (entries.Count > limit)
                {
                    entries.RemoveAt(limit);
                    next = entries[^1].Key;
                }

                return new StatePage(entries, next, Position().Revision);
            });
        }
    }

    /// <summary>Changes of at most <paramref name="revisionCount"/> revisions, and the revision after the last one looked at.</summary>
    public (List<StateChange> Changes, long Next) Changes(string prefix, long from, int revisionCount)
    {
        lock (_gate)
        {
            return InSnapshot(() =>
            {
                var (revision, compacted) = Position();
                if (from <= compacted)
                    throw new StateCompactedException(compacted + 1);
                long last = Math.Min(revision, from + revisionCount - 1);
                var changes = new List<StateChange>();
                _changes.Bind(1, from).Bind(2, last);
                while (_changes.Step())
                {
                    string key = _changes.Text(1);
                    if (key.StartsWith(prefix, StringComparison.Ordinal))
                        changes.Add(new StateChange(_changes.Number(0), key, _changes.IsNull(2) ? null : (ReadOnlyMemory<byte>?)_changes.Bytes(2)));
                }

                return (changes, Math.Max(from, last + 1));
            });
        }
    }

    public void Dispose()
    {
        lock (_gate)
            _connection.Dispose();
    }

    private T InSnapshot<T>(Func<T> read)
    {
        _begin.Run();
        try
        {
            return read();
        }
        finally
        {
            _commit.Run();
        }
    }

    private (long Revision, long Compacted) Position()
    {
        _position.Step();
        var position = (_position.Number(0), _position.Number(1));
        _position.Reset();
        return position;
    }

    private static StateEntry Entry(SqliteStatement row) => new(row.Text(0), row.Bytes(1), row.Number(2), row.Number(3), row.Number(4));

    /// <summary>The least key that is greater than all with the prefix; null: there is none.</summary>
    private static byte[]? End(byte[] prefix)
    {
        for (int i = prefix.Length - 1; i >= 0; i--)
        {
            if (prefix[i] == 0xff)
                continue;
            byte[] end = prefix[..(i + 1)];
            end[i]++;
            return end;
        }

        return null;
    }
}

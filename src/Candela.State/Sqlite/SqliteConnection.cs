using System.Runtime.InteropServices;
using Candela.State.Sqlite.Native;
using static Candela.State.Sqlite.Native.Sqlite3;

namespace Candela.State.Sqlite;

/// <summary>A connection; used by one thread at a time.</summary>
internal sealed class SqliteConnection : IDisposable
{
    private readonly SqliteConnectionHandle _handle;
    private readonly List<SqliteStatement> _statements = [];
    private readonly string _path;

    public SqliteConnection(string path)
    {
        _path = path;
        int result = sqlite3_open_v2(path, out _handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, 0);
        if (result != SQLITE_OK)
        {
            var failure = Failure(result);
            _handle.Dispose();
            throw failure;
        }
    }

    /// <summary>A transaction is open.</summary>
    public bool InTransaction => sqlite3_get_autocommit(_handle) == 0;

    /// <summary>Prepares a statement for many uses; it lives as long as the connection.</summary>
    public SqliteStatement Prepare(string sql)
    {
        Check(sqlite3_prepare_v3(_handle, sql, -1, SQLITE_PREPARE_PERSISTENT, out var handle, 0));
        var statement = new SqliteStatement(this, handle);
        _statements.Add(statement);
        return statement;
    }

    /// <summary>Runs a statement once; rows are passed over.</summary>
    public void Execute(string sql)
    {
        Check(sqlite3_prepare_v3(_handle, sql, -1, 0, out var handle, 0));
        using var statement = new SqliteStatement(this, handle);
        while (statement.Step())
        {
            // Only its effect is wanted.
        }
    }

    public void Check(int result)
    {
        if (result != SQLITE_OK)
            throw Failure(result);
    }

    public StateStoreException Failure(int result)
    {
        string text = _handle.IsInvalid ? $"error {result}" : Marshal.PtrToStringUTF8(sqlite3_errmsg(_handle)) ?? $"error {result}";
        string advice = (result & 0xff) == SQLITE_FULL ? ": free some space on its disk" : "";
        return new StateStoreException($"state store {_path}: {text}{advice}");
    }

    public void Dispose()
    {
        foreach (var statement in _statements)
            statement.Dispose();
        _handle.Dispose();
    }
}

using System.Text;
using Candela.State.Sqlite.Native;
using static Candela.State.Sqlite.Native.Sqlite3;

namespace Candela.State.Sqlite;

/// <summary>A prepared statement. Bind, step until false (or <see cref="Reset"/>), use again. Parameters count from 1, columns from 0.</summary>
internal sealed class SqliteStatement(SqliteConnection connection, SqliteStatementHandle handle) : IDisposable
{
    private const nint SQLITE_TRANSIENT = -1;

    public SqliteStatement Bind(int index, long value)
    {
        connection.Check(sqlite3_bind_int64(handle, index, value));
        return this;
    }

    public SqliteStatement Bind(int index, string text) => Bind(index, Encoding.UTF8.GetBytes(text));

    public unsafe SqliteStatement Bind(int index, ReadOnlySpan<byte> value)
    {
        byte empty;
        fixed (byte* start = value)
        {
            // A null pointer would bind NULL instead of an empty blob.
            connection.Check(sqlite3_bind_blob(handle, index, start == null ? &empty : start, value.Length, SQLITE_TRANSIENT));
        }

        return this;
    }

    public SqliteStatement BindNull(int index)
    {
        connection.Check(sqlite3_bind_null(handle, index));
        return this;
    }

    /// <summary>True: there is a row. False: done, and ready to be used again.</summary>
    public bool Step()
    {
        int result = sqlite3_step(handle);
        if (result == SQLITE_ROW)
            return true;
        var failure = result == SQLITE_DONE ? null : connection.Failure(result);
        Reset();
        return failure is null ? false : throw failure;
    }

    /// <summary>Steps a statement that has no rows.</summary>
    public void Run()
    {
        if (Step())
            Reset();
    }

    // Repeats the error of the last step, which has been reported then.
    public void Reset() => _ = sqlite3_reset(handle);

    public bool IsNull(int column) => sqlite3_column_type(handle, column) == SQLITE_NULL;

    public long Number(int column) => sqlite3_column_int64(handle, column);

    public string Text(int column) => Encoding.UTF8.GetString(Span(column));

    public byte[] Bytes(int column) => Span(column).ToArray();

    public void Dispose() => handle.Dispose();

    private unsafe ReadOnlySpan<byte> Span(int column)
    {
        byte* start = sqlite3_column_blob(handle, column);
        return new ReadOnlySpan<byte>(start, sqlite3_column_bytes(handle, column));
    }
}

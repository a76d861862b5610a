using System.Runtime.InteropServices;

namespace Candela.State.Sqlite.Native;

/// <summary>The few functions of libsqlite3 that the store needs; names as in sqlite3.h (https://sqlite.org/c3ref/funclist.html).</summary>
internal static unsafe partial class Sqlite3
{
    public const int SQLITE_OK = 0;
    public const int SQLITE_ROW = 100;
    public const int SQLITE_DONE = 101;
    public const int SQLITE_FULL = 13;

    public const int SQLITE_OPEN_READWRITE = 0x2;
    public const int SQLITE_OPEN_CREATE = 0x4;
    public const int SQLITE_OPEN_NOMUTEX = 0x8000;

    public const uint SQLITE_PREPARE_PERSISTENT = 0x1;

    public const int SQLITE_NULL = 5;

    private const string Library = "libsqlite3.so.0";

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int sqlite3_open_v2(string filename, out SqliteConnectionHandle connection, int flags, nint vfs);

    [LibraryImport(Library)]
    public static partial int sqlite3_close_v2(nint connection);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int sqlite3_prepare_v3(SqliteConnectionHandle connection, string sql, int length, uint flags, out SqliteStatementHandle statement, nint tail);

    [LibraryImport(Library)]
    public static partial int sqlite3_finalize(nint statement);

    [LibraryImport(Library)]
    public static partial int sqlite3_step(SqliteStatementHandle statement);

    [LibraryImport(Library)]
    public static partial int sqlite3_reset(SqliteStatementHandle statement);

    [LibraryImport(Library)]
    public static partial int sqlite3_bind_int64(SqliteStatementHandle statement, int index, long value);

    [LibraryImport(Library)]
    public static partial int sqlite3_bind_null(SqliteStatementHandle statement, int index);

    /// <param name="statement">Statement.</param>
    /// <param name="index">1-based.</param>
    /// <param name="value">Bytes.</param>
    /// <param name="length">How many.</param>
    /// <param name="destructor">−1 (SQLITE_TRANSIENT): SQLite makes its own copy.</param>
    [LibraryImport(Library)]
    public static partial int sqlite3_bind_blob(SqliteStatementHandle statement, int index, byte* value, int length, nint destructor);

    [LibraryImport(Library)]
    public static partial int sqlite3_column_type(SqliteStatementHandle statement, int column);

    [LibraryImport(Library)]
    public static partial long sqlite3_column_int64(SqliteStatementHandle statement, int column);

    [LibraryImport(Library)]
    public static partial byte* sqlite3_column_blob(SqliteStatementHandle statement, int column);

    [LibraryImport(Library)]
    public static partial int sqlite3_column_bytes(SqliteStatementHandle statement, int column);

    [LibraryImport(Library)]
    public static partial nint sqlite3_errmsg(SqliteConnectionHandle connection);

    [LibraryImport(Library)]
    public static partial int sqlite3_get_autocommit(SqliteConnectionHandle connection);
}

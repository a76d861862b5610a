using System.Runtime.InteropServices;

namespace Candela.State.Sqlite.Native;

/// <summary>A database connection.</summary>
internal sealed class SqliteConnectionHandle() : SafeHandle(0, ownsHandle: true)
{
    public override bool IsInvalid => handle == 0;

    // _v2: waits for statements that are finalized later.
    protected override bool ReleaseHandle() => Sqlite3.sqlite3_close_v2(handle) == Sqlite3.SQLITE_OK;
}

/// <summary>A prepared statement.</summary>
internal sealed class SqliteStatementHandle() : SafeHandle(0, ownsHandle: true)
{
    public override bool IsInvalid => handle == 0;

    protected override bool ReleaseHandle()
    {
        // Its result repeats the error of the last step, which has been reported then.
        _ = Sqlite3.sqlite3_finalize(handle);
        return true;
    }
}

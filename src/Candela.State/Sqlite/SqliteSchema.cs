using System.Globalization;

namespace Candela.State.Sqlite;

/// <summary>Tables of the store and their version (PRAGMA user_version).</summary>
internal static class SqliteSchema
{
    private const long Version = 1;

    /// <summary>Makes or checks the tables and sets the connection up as the only writer.</summary>
    public static void Prepare(SqliteConnection connection)
    {
        // WAL: readers do not wait for the writer. NORMAL: a commit survives the death of the process; a power cut may take the last
        // ones, never the consistency (https://sqlite.org/pragma.html#pragma_synchronous).
        connection.Execute("PRAGMA journal_mode=WAL");
        connection.Execute("PRAGMA synchronous=NORMAL");
        connection.Execute("PRAGMA busy_timeout=5000");
        long found;
        using (var statement = connection.Prepare("PRAGMA user_version"))
        {
            statement.Step();
            found = statement.Number(0);
            statement.Reset();
        }

        if (found == Version)
            return;
        if (found != 0)
            throw new StateStoreException($"the state store has format {found}, this program knows {Version}: use the program that wrote it");
        connection.Execute("BEGIN IMMEDIATE");
        foreach (string table in Tables)
            connection.Execute(table);
        connection.Execute(string.Create(CultureInfo.InvariantCulture, $"PRAGMA user_version={Version}"));
        connection.Execute("COMMIT");
    }

    private static readonly string[] Tables =
    [
        // Keys are blobs of UTF-8, so that they compare as bytes (memcmp).
        "CREATE TABLE entry(key BLOB PRIMARY KEY, value BLOB NOT NULL, created INTEGER NOT NULL, modified INTEGER NOT NULL, lease INTEGER NOT NULL)",
        "CREATE INDEX entry_lease ON entry(lease) WHERE lease <> 0",
        "CREATE TABLE change(revision INTEGER NOT NULL, ordinal INTEGER NOT NULL, key BLOB NOT NULL, value BLOB, PRIMARY KEY(revision, ordinal)) WITHOUT ROWID",
        "CREATE TABLE lease(id INTEGER PRIMARY KEY AUTOINCREMENT, time_to_live_ms INTEGER NOT NULL)",
        // One row: the last revision, and the last one that the history has forgotten.
        "CREATE TABLE position(id INTEGER PRIMARY KEY CHECK(id = 1), revision INTEGER NOT NULL, compacted INTEGER NOT NULL)",
        "INSERT INTO position VALUES(1, 0, 0)",
    ];
}

using System.Buffers.Binary;

namespace Candela.Machine.Logs;

/// <summary>
/// A record of a container's log file, little-endian: header {u32 payload length, u8 kind, 3 bytes zero, i64 nanoseconds since the
/// Unix epoch, u64 stdout position, u64 stderr position}, payload, trailer {u32 record length}. The positions are those of the agent's streams after the
/// record, so the last record alone tells where to go on; the trailer lets a reader walk backwards.
/// </summary>
internal readonly record struct LogRecord(LogRecordKind Kind, long TimestampNanoseconds, ulong Stdout, ulong Stderr, int PayloadBytes)
{
    /// <summary>Bytes before the payload.</summary>
    public const int HeaderBytes = 32;

    /// <summary>Bytes after the payload.</summary>
    public const int TrailerBytes = 4;

    /// <summary>Longest payload: a line is cut there, as Docker does.</summary>
    public const int PayloadBytesMaximum = 16 * 1024;

    /// <summary>Largest record.</summary>
    public const int RecordBytesMaximum = HeaderBytes + PayloadBytesMaximum + TrailerBytes;

    /// <summary>Whole size.</summary>
    public int RecordBytes => HeaderBytes + PayloadBytes + TrailerBytes;

    /// <summary>Writes header and trailer around a payload that is already in its place.</summary>
    public void Frame(Span<byte> record)
    {
        BinaryPrimitives.WriteInt32LittleEndian(record, PayloadBytes);
        record[4..8].Clear();
        record[4] = (byte)Kind;
        BinaryPrimitives.WriteInt64LittleEndian(record[8..], TimestampNanoseconds);
        BinaryPrimitives.WriteUInt64LittleEndian(record[16..], Stdout);
        BinaryPrimitives.WriteUInt64LittleEndian(record[24..], Stderr);
        BinaryPrimitives.WriteInt32LittleEndian(record[(RecordBytes - TrailerBytes)..], RecordBytes);
    }

    /// <summary>Reads a header; false when it cannot be one.</summary>
    public static bool TryRead(ReadOnlySpan<byte> header, out LogRecord record)
    {
        record = default;
        if (header.Length < HeaderBytes)
            return false;
        int length = BinaryPrimitives.ReadInt32LittleEndian(header);
        var kind = (LogRecordKind)header[4];
        if (length is < 0 or > PayloadBytesMaximum || kind is < LogRecordKind.RunStart or > LogRecordKind.Stderr || header[5..8].IndexOfAnyExcept((byte)0) >= 0)
            return false;
        record = new LogRecord(
            kind,
            BinaryPrimitives.ReadInt64LittleEndian(header[8..]),
            BinaryPrimitives.ReadUInt64LittleEndian(header[16..]),
            BinaryPrimitives.ReadUInt64LittleEndian(header[24..]),
            length);
        return true;
    }

    /// <summary>The trailer of a complete record agrees with its header.</summary>
    public bool HasTrailer(ReadOnlySpan<byte> record) =>
        record.Length >= RecordBytes && BinaryPrimitives.ReadInt32LittleEndian(record[(RecordBytes - TrailerBytes)..]) == RecordBytes;
}

/// <summary>What a record holds.</summary>
internal enum LogRecordKind : byte
{
    /// <summary>A run began; its streams begin at the record's positions.</summary>
    RunStart = 1,

    /// <summary>A line of standard output, or a part of one.</summary>
    Stdout = 2,

    /// <summary>Same of standard error.</summary>
    Stderr = 3,
}

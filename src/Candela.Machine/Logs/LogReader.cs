using System.Buffers.Binary;
using Candela.Model;
using Microsoft.Win32.SafeHandles;

namespace Candela.Machine.Logs;

/// <summary>Walks a log file forwards, and backwards to find the last lines.</summary>
internal sealed class LogReader(SafeFileHandle file, LogOptions options)
{
    private readonly long _since = Nanoseconds(options.Since) ?? long.MinValue;
    private readonly long _until = Nanoseconds(options.Until) ?? long.MaxValue;
    private readonly byte[] _record = new byte[LogRecord.RecordBytesMaximum];
    private byte[] _window = [];
    private long _windowStart;
    private long _position;

    /// <summary>A record later than Until was met: nothing more will come.</summary>
    public bool IsPastUntil { get; private set; }

    /// <summary>End of the last whole record of a file and the positions it gives.</summary>
    public static Tail FindTail(SafeFileHandle file)
    {
        long length = RandomAccess.GetLength(file);
        byte[] bytes = new byte[LogRecord.RecordBytesMaximum];
        if (TryReadBefore(file, length, bytes, out LogRecord last))
            return new Tail(length, last.Stdout, last.Stderr);

        // The last record is torn (or the file is empty): walk from the start to the last whole one.
        var tail = new Tail(0, 0, 0);
        while (true)
        {
            int read = RandomAccess.Read(file, bytes, tail.Length);
            if (!LogRecord.TryRead(bytes.AsSpan(0, read), out LogRecord record) || !record.HasTrailer(bytes.AsSpan(0, read)))
                return tail;
            tail = new Tail(tail.Length + record.RecordBytes, record.Stdout, record.Stderr);
        }
    }

    /// <summary>Goes to the first of the last <paramref name="lines"/> lines before <paramref name="end"/>.</summary>
    /// <returns>How many lines there are from there on.</returns>
    public int SeekTail(long end, int lines)
    {
        long position = end;
        long start = end;
        int found = 0;
        while (found <= lines && TryReadBefore(file, position, _record, out LogRecord record))
        {
            // A record that ends a line, and is wanted, begins a new count; parts of the same line belong to it.
            bool endsLine = record.PayloadBytes > 0 && _record[LogRecord.HeaderBytes + record.PayloadBytes - 1] == '\n';
            if (IsWanted(record) && (endsLine || start == end) && ++found > lines)
                break;
            position -= record.RecordBytes;
            start = position;
        }

        _position = start;
        return Math.Min(found, lines);
    }

    /// <summary>Wanted entries from the present position up to <paramref name="end"/>.</summary>
    public IEnumerable<LogEntry> ReadTo(long end)
    {
        while (_position < end && !IsPastUntil)
        {
            ReadOnlyMemory<byte> bytes = Window(_position, end);
            if (!LogRecord.TryRead(bytes.Span, out LogRecord record) || bytes.Length < record.RecordBytes)
                throw new CandelaException(ErrorCode.Internal, $"the log is damaged at byte {_position}");
            _position += record.RecordBytes;
            if (record.Kind != LogRecordKind.RunStart && record.TimestampNanoseconds > _until)
                IsPastUntil = true;
            else if (IsWanted(record))
                yield return new LogEntry(record.TimestampNanoseconds, record.Kind == LogRecordKind.Stderr, bytes.Slice(LogRecord.HeaderBytes, record.PayloadBytes).ToArray());
        }
    }

    private static bool TryReadBefore(SafeFileHandle file, long end, byte[] buffer, out LogRecord record)
    {
        record = default;
        if (end < LogRecord.HeaderBytes + LogRecord.TrailerBytes)
            return false;
        int want = (int)Math.Min(end, LogRecord.RecordBytesMaximum);
        Span<byte> bytes = buffer.AsSpan(0, want);
        if (RandomAccess.Read(file, bytes, end - want) != want)
            return false;
        int size = BinaryPrimitives.ReadInt32LittleEndian(bytes[(want - LogRecord.TrailerBytes)..]);
        if (size < LogRecord.HeaderBytes + LogRecord.TrailerBytes || size > want)
            return false;
        Span<byte> found = bytes[(want - size)..];
        if (!LogRecord.TryRead(found, out record) || record.RecordBytes != size)
            return false;
        found.CopyTo(buffer);
        return true;
    }

    private static long? Nanoseconds(DateTimeOffset? at) => at is { } a ? (a - DateTimeOffset.UnixEpoch).Ticks * 100 : null;

    private bool IsWanted(LogRecord record) => record.Kind switch
    {
        LogRecordKind.Stdout => options.Stdout,
        LogRecordKind.Stderr => options.Stderr,
        _ => false,
    }
    && record.TimestampNanoseconds >= _since && record.TimestampNanoseconds <= _until;

    /// <summary>At least one whole record at <paramref name="position"/>, as far as the file has it.</summary>
    private ReadOnlyMemory<byte> Window(long position, long end)
    {
        int offset = (int)(position - _windowStart);
        int need = (int)Math.Min(end - position, LogRecord.RecordBytesMaximum);
        if (position < _windowStart || offset + need > _window.Length)
        {
            int size = (int)Math.Min(end - position, 8 * LogRecord.RecordBytesMaximum);
            byte[] window = new byte[size];
            int filled = 0;
            while (filled < size)
            {
                int read = RandomAccess.Read(file, window.AsSpan(filled), position + filled);
                if (read == 0)
                    break;
                filled += read;
            }

            _window = filled == size ? window : window[..filled];
            _windowStart = position;
            offset = 0;
        }

        return _window.AsMemory(offset);
    }

    /// <summary>End of the last whole record.</summary>
    internal readonly record struct Tail(long Length, ulong Stdout, ulong Stderr);
}

using System.Runtime.CompilerServices;
using Candela.Guest.Protocol.Host;
using Candela.Model;
using Microsoft.Win32.SafeHandles;

namespace Candela.Machine.Logs;

/// <summary>
/// The log of one container over all its runs: a line a record, appended by one write(2) a chunk of output. What has been written survives the
/// daemon; what has not (an unfinished line, at most 16 KiB a stream) is still held by the guest, which keeps output until it is acknowledged.
/// </summary>
internal sealed class ContainerLog : IDisposable
{
    private readonly Lock _gate = new();
    private readonly string _path;
    private readonly TimeProvider _time;
    private readonly SafeFileHandle _file;
    private readonly Pending _stdout = new();
    private readonly Pending _stderr = new();
    private byte[] _buffer = new byte[4096];
    private long _length;
    private ulong _stdoutPosition;
    private ulong _stderrPosition;
    private TaskCompletionSource? _changed;

    /// <summary>Opens or makes the log; a record torn by a death of the daemon is cut off.</summary>
    public ContainerLog(string path, TimeProvider time)
    {
        _path = path;
        _time = time;
        _file = File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
        LogReader.Tail tail = LogReader.FindTail(_file);
        _length = tail.Length;
        _stdoutPosition = tail.Stdout;
        _stderrPosition = tail.Stderr;
        if (RandomAccess.GetLength(_file) != _length)
            RandomAccess.SetLength(_file, _length);
    }

    /// <summary>Bytes on disk.</summary>
    public long Length
    {
        get
        {
            lock (_gate)
                return _length;
        }
    }

    /// <summary>Position up to which a stream is on disk.</summary>
    public ulong Persisted(OutputStream stream)
    {
        lock (_gate)
            return stream == OutputStream.Stdout ? _stdoutPosition : _stderrPosition;
    }

    /// <summary>A new run begins: its streams count from these positions.</summary>
    public void BeginRun(ulong stdout, ulong stderr)
    {
        lock (_gate)
        {
            _stdout.Clear();
            _stderr.Clear();
            _stdoutPosition = stdout;
            _stderrPosition = stderr;
            int used = 0;
            Add(LogRecordKind.RunStart, [], [], ref used);
            Write(used);
        }
    }

    /// <summary>Appends output that follows what was appended before; complete lines are on disk when this returns.</summary>
    public void Append(OutputStream stream, ReadOnlySpan<byte> data)
    {
        lock (_gate)
        {
            Pending pending = stream == OutputStream.Stdout ? _stdout : _stderr;
            LogRecordKind kind = stream == OutputStream.Stdout ? LogRecordKind.Stdout : LogRecordKind.Stderr;
            int used = 0;
            while (!data.IsEmpty)
            {
                int room = LogRecord.PayloadBytesMaximum - pending.Length;
                int newline = data.IndexOf((byte)'\n');
                int take = newline >= 0 ? newline + 1 : data.Length;
                if (take > room)
                    take = room;
                else if (newline < 0 && take < room)
                {
                    pending.Add(data);
                    break;
                }

                Add(kind, pending.Span, data[..take], ref used);
                pending.Clear();
                data = data[take..];
            }

            Write(used);
        }
    }

    /// <summary>Writes an unfinished last line: the stream has ended.</summary>
    public void Flush()
    {
        lock (_gate)
        {
            int used = 0;
            if (_stdout.Length > 0)
                Add(LogRecordKind.Stdout, _stdout.Span, [], ref used);
            if (_stderr.Length > 0)
                Add(LogRecordKind.Stderr, _stderr.Span, [], ref used);
            _stdout.Clear();
            _stderr.Clear();
            Write(used);
        }
    }

    /// <summary>Wakes readers that follow, so that they see that the run has ended.</summary>
    public void Wake()
    {
        lock (_gate)
            Interlocked.Exchange(ref _changed, null)?.TrySetResult();
    }

    /// <summary>Entries, oldest first; with Follow until <paramref name="ended"/> says that the run is over.</summary>
    public async IAsyncEnumerable<LogEntry> ReadAsync(LogOptions options, Func<bool> ended, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using SafeFileHandle file = File.OpenHandle(_path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        var reader = new LogReader(file, options);
        reader.SeekTail(Length);
        while (true)
        {
            // In this order: what is appended between the look at the end and the reading is read in the next round.
            Task changed = options.Follow ? Changed() : Task.CompletedTask;
            bool last = !options.Follow || ended();
            long until = Length;
            foreach (LogEntry entry in reader.ReadTo(until))
            {
                cancellationToken.ThrowIfCancellationRequested();
                yield return entry;
            }

            if (last || reader.IsPastUntil)
                yield break;
            await changed.WaitAsync(cancellationToken);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    private Task Changed()
    {
        lock (_gate)
            return (_changed ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
    }

    private void Add(LogRecordKind kind, ReadOnlySpan<byte> head, ReadOnlySpan<byte> tail, ref int used)
    {
        int payload = head.Length + tail.Length;
        if (kind == LogRecordKind.Stdout)
            _stdoutPosition += (ulong)payload;
        else if (kind == LogRecordKind.Stderr)
            _stderrPosition += (ulong)payload;
        long now = (_time.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks * 100;
        var record = new LogRecord(kind, now, _stdoutPosition, _stderrPosition, payload);
        if (_buffer.Length < used + record.RecordBytes)
            Array.Resize(ref _buffer, Math.Max(_buffer.Length * 2, used + record.RecordBytes));
        Span<byte> target = _buffer.AsSpan(used, record.RecordBytes);
        head.CopyTo(target[LogRecord.HeaderBytes..]);
        tail.CopyTo(target[(LogRecord.HeaderBytes + head.Length)..]);
        record.Frame(target);
        used += record.RecordBytes;
    }

    private void Write(int used)
    {
        if (used == 0)
            return;
        RandomAccess.Write(_file, _buffer.AsSpan(0, used), _length);
        _length += used;
        if (_buffer.Length > 1 << 20)
            _buffer = new byte[4096];
        Interlocked.Exchange(ref _changed, null)?.TrySetResult();
    }

    /// <summary>An unfinished line.</summary>
    private sealed class Pending
    {
        private byte[] _bytes = [];

        public int Length { get; private set; }

        public ReadOnlySpan<byte> Span => _bytes.AsSpan(0, Length);

        public void Add(ReadOnlySpan<byte> data)
        {
            if (_bytes.Length < Length + data.Length)
                Array.Resize(ref _bytes, Math.Min(LogRecord.PayloadBytesMaximum, Math.Max(256, (Length + data.Length) * 2)));
            data.CopyTo(_bytes.AsSpan(Length));
            Length += data.Length;
        }

        public void Clear() => Length = 0;
    }
}

using System.Runtime.CompilerServices;
using Candela.Guest.Protocol.Host;
using Candela.Model;
using Microsoft.Win32.SafeHandles;

namespace Candela.Machine.Logs;

/// <summary>
/// The log of one container over all its runs: a line a record, appended by one write(2) a chunk of output. What has been written survives the
/// daemon; what has not (an unfinished line, at most 16 KiB a stream) is still held by the guest, which keeps output until it is acknowledged.
/// A full file is renamed to <c>log.1</c>, that to <c>log.2</c> and so on, and the oldest is deleted. Where nothing is to be kept, the file has one
/// record with the positions alone.
/// </summary>
internal sealed class ContainerLog : IDisposable
{
    private readonly Lock _gate = new();
    private readonly string _path;
    private readonly TimeProvider _time;
    private SafeFileHandle _file;
    private readonly Pending _stdout = new();
    private readonly Pending _stderr = new();
    private byte[] _buffer = new byte[4096];
    private LogLimits _limits = LogLimits.None;
    private long _length;
    private int _generation;
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
        if (_length == 0 && File.Exists(FilePath(1)))
        {
            // The daemon ended while it began a new file.
            using SafeFileHandle former = OpenToRead(FilePath(1));
            tail = LogReader.FindTail(former);
            (_stdoutPosition, _stderrPosition) = (tail.Stdout, tail.Stderr);
        }

        File.Delete(NewPath);
        if (RandomAccess.GetLength(_file) != _length)
            RandomAccess.SetLength(_file, _length);
    }

    private string NewPath => _path + ".new";

    /// <summary>How much is kept from now on.</summary>
    public void Keep(LogLimits limits)
    {
        lock (_gate)
            _limits = limits;
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
        (SafeFileHandle file, LogReader reader, int generation, int newest) = Begin(options);
        try
        {
            while (true)
            {
                // In this order: what is appended between the look at the end and the reading is read in the next round.
                Task changed = options.Follow ? Changed() : Task.CompletedTask;
                bool last = !options.Follow || ended();
                (long until, bool isFull) = EndOf(file, generation);
                foreach (LogEntry entry in reader.ReadTo(until))
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    yield return entry;
                }

                if (reader.IsPastUntil || last && (!isFull || !options.Follow && generation >= newest))
                    yield break;
                if (!isFull)
                {
                    await changed.WaitAsync(cancellationToken);
                    continue;
                }

                file.Dispose();
                (file, generation) = OpenGeneration(generation + 1);
                reader = new LogReader(file, options);
            }
        }
        finally
        {
            file.Dispose();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    private static SafeFileHandle OpenToRead(string path) => File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);

    /// <summary>The file that has been full for so many files; 0: the present one.</summary>
    private string FilePath(int age) => age == 0 ? _path : $"{_path}.{age}";

    /// <summary>Opens the file where reading begins.</summary>
    private (SafeFileHandle File, LogReader Reader, int Generation, int Newest) Begin(LogOptions options)
    {
        lock (_gate)
        {
            int age = 0, lines = options.Tail ?? 0;
            while (true)
            {
                SafeFileHandle file = OpenToRead(FilePath(age));
                var reader = new LogReader(file, options);
                if (options.Tail is not null)
                    lines -= reader.SeekTail(age == 0 ? _length : RandomAccess.GetLength(file), lines);
                if (options.Tail is not null && lines == 0 || !File.Exists(FilePath(age + 1)))
                    return (file, reader, _generation - age, _generation);
                file.Dispose();
                age++;
            }
        }
    }

    /// <summary>Opens a file; the oldest that there still is if it is gone.</summary>
    private (SafeFileHandle File, int Generation) OpenGeneration(int generation)
    {
        lock (_gate)
        {
            int age = _generation - generation;
            while (!File.Exists(FilePath(age)))
                age--;
            return (OpenToRead(FilePath(age)), _generation - age);
        }
    }

    /// <summary>Bytes of a file, and whether there is one after it.</summary>
    private (long Bytes, bool IsFull) EndOf(SafeFileHandle file, int generation)
    {
        lock (_gate)
            return generation == _generation ? (_length, false) : (RandomAccess.GetLength(file), true);
    }

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
        if (!_limits.Keeps)
        {
            used = 0;
            Add(LogRecordKind.RunStart, [], [], ref used);
            _length = 0;
        }

        if (_limits.FileBytes > 0 && _length >= _limits.FileBytes)
            BeginFile(used);
        else
            RandomAccess.Write(_file, _buffer.AsSpan(0, used), _length);
        _length += used;
        if (_buffer.Length > 1 << 20)
            _buffer = new byte[4096];
        Interlocked.Exchange(ref _changed, null)?.TrySetResult();
    }

    /// <summary>Begins a file with what is in the buffer. Whenever the daemon ends in the midst of it, the positions are in one of the files.</summary>
    private void BeginFile(int used)
    {
        SafeFileHandle file = File.OpenHandle(NewPath, FileMode.Create, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
        RandomAccess.Write(file, _buffer.AsSpan(0, used), 0);
        for (int age = _limits.FileCount - 1; age > 0; age--)
        {
            if (File.Exists(FilePath(age - 1)))
                File.Move(FilePath(age - 1), FilePath(age), overwrite: true);
        }

        File.Move(NewPath, _path, overwrite: true);
        _file.Dispose();
        _file = file;
        _length = 0;
        _generation++;
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

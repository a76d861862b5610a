using System.Text;
using Candela.Guest.Protocol.Host;
using Candela.Model;

namespace Candela.Machine.Files;

/// <summary>Reads the records of <see cref="GuestTree.Changes"/>, of which none is believed before it is checked.</summary>
internal sealed class ChangeList : Stream
{
    // A letter, a path of PATH_MAX bytes, a zero byte.
    private const int RecordBytes = 4096 + 256;

    private readonly List<FileChange> _changes = [];
    private readonly byte[] _record = new byte[RecordBytes];
    private int _length;

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>All of them, a folder before what is in it.</summary>
    /// <exception cref="AgentProtocolException">The last one is not whole.</exception>
    public IReadOnlyList<FileChange> Sorted()
    {
        if (_length > 0)
            throw new AgentProtocolException("The guest's list of changes is cut off.");
        _changes.Sort(static (a, b) => ComparePaths(a.Path, b.Path));
        return _changes;
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        Write(buffer.Span);
        return ValueTask.CompletedTask;
    }

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        while (!buffer.IsEmpty)
        {
            int end = buffer.IndexOf((byte)0);
            ReadOnlySpan<byte> part = end < 0 ? buffer : buffer[..end];
            if (_length + part.Length > RecordBytes)
                throw new AgentProtocolException($"A record of the guest's list of changes is longer than {RecordBytes} bytes.");
            part.CopyTo(_record.AsSpan(_length));
            _length += part.Length;
            buffer = buffer[(end < 0 ? buffer.Length : end + 1)..];
            if (end >= 0)
                Add();
        }
    }

    public override void Flush()
    {
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    private void Add()
    {
        if (_changes.Count == FileChange.CountMost)
            throw new CandelaException(ErrorCode.ResourceExhausted, $"the container differs from its image in more than {FileChange.CountMost} paths");
        FileChangeKind kind = _length < 2 || _record[1] != '/'
            ? throw new AgentProtocolException("A record of the guest's list of changes has no path.")
            : _record[0] switch
            {
                (byte)'A' => FileChangeKind.Added,
                (byte)'C' => FileChangeKind.Modified,
                (byte)'D' => FileChangeKind.Deleted,
                _ => throw new AgentProtocolException("A record of the guest's list of changes is of no known kind."),
            };
        _changes.Add(new FileChange(Encoding.UTF8.GetString(_record.AsSpan(1, _length - 1)), kind));
        _length = 0;
    }

    /// <summary>Step by step, so that a folder's content comes right after it.</summary>
    private static int ComparePaths(string a, string b)
    {
        for (int i = 0; i < Math.Min(a.Length, b.Length); i++)
        {
            if (a[i] != b[i])
                return (a[i] == '/' ? '\0' : a[i]) - (b[i] == '/' ? '\0' : b[i]);
        }

        return a.Length - b.Length;
    }
}

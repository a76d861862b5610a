using System.Threading.Channels;

namespace Candela.Microvisor.Simulated;

/// <summary>Bytes on their way in one direction; may be ended from either side.</summary>
internal sealed class ByteQueue
{
    private const int ChunkCount = 16;

    private readonly Channel<byte[]> _chunks = Channel.CreateBounded<byte[]>(ChunkCount);
    private ReadOnlyMemory<byte> _rest;

    /// <summary>Reads what is there, or waits; 0 at the end.</summary>
    public async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        while (_rest.IsEmpty)
        {
            if (!await _chunks.Reader.WaitToReadAsync(cancellationToken))
                return 0;
            if (_chunks.Reader.TryRead(out byte[]? chunk))
                _rest = chunk;
        }

        int count = Math.Min(buffer.Length, _rest.Length);
        _rest[..count].CopyTo(buffer);
        _rest = _rest[count..];
        return count;
    }

    /// <summary>Waits for room; false when the queue has been ended.</summary>
    public async ValueTask<bool> WriteAsync(ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
    {
        try
        {
            if (!data.IsEmpty)
                await _chunks.Writer.WriteAsync(data.ToArray(), cancellationToken);
            return true;
        }
        catch (ChannelClosedException)
        {
            return false;
        }
    }

    /// <summary>Ends it; what is in it can still be read.</summary>
    public void End() => _chunks.Writer.TryComplete();
}

/// <summary>A stream of which only the asynchronous reads and writes are of interest.</summary>
internal abstract class AgentStream : Stream
{
    public override bool CanRead => true;

    public override bool CanWrite => true;

    public override bool CanSeek => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Flush()
    {
        // Nothing is held back.
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();
}

/// <summary>The host's end of one connection to the agent's port.</summary>
internal sealed class HostEnd : AgentStream
{
    /// <summary>Bytes for the guest.</summary>
    public ByteQueue ToGuest { get; } = new();

    /// <summary>Bytes from the guest.</summary>
    public ByteQueue ToHost { get; } = new();

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => ToHost.ReadAsync(buffer, cancellationToken);

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (!await ToGuest.WriteAsync(buffer, cancellationToken))
            throw new IOException("the agent's port is closed");
    }

    protected override void Dispose(bool disposing)
    {
        ToGuest.End();
        ToHost.End();
        base.Dispose(disposing);
    }
}

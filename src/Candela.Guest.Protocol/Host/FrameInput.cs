namespace Candela.Guest.Protocol.Host;

/// <summary>Reads frames; the payload handed out is valid until the next call. The buffer holds two frames and never grows.</summary>
internal sealed class FrameInput(Stream stream)
{
    private readonly byte[] _buffer = new byte[2 * FrameHeader.FrameMaxBytes];
    private int _start;
    private int _end;

    /// <summary>Drops bytes until <paramref name="pattern"/> stands at the beginning.</summary>
    public async ValueTask SkipToAsync(ReadOnlyMemory<byte> pattern, CancellationToken cancellationToken)
    {
        while (true)
        {
            var at = _buffer.AsSpan(_start, _end - _start).IndexOf(pattern.Span);
            if (at >= 0)
            {
                _start += at;
                return;
            }
            // The pattern may have begun in the last bytes.
            _start = Math.Max(_start, _end - pattern.Length + 1);
            await FillAsync(cancellationToken);
        }
    }

    /// <exception cref="AgentProtocolException">Bytes that are no frame.</exception>
    /// <exception cref="EndOfStreamException">The other end is gone.</exception>
    public async ValueTask<(FrameHeader Header, ReadOnlyMemory<byte> Payload)> NextAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            var result = FrameScan.Next(_buffer.AsSpan(_start, _end - _start), out var header, out var consumed);
            var at = _start;
            _start += consumed;
            switch (result)
            {
                case FrameScanResult.Frame:
                    return (header, _buffer.AsMemory(at + FrameHeader.SizeBytes, header.Length));
                case FrameScanResult.Garbage:
                    throw new AgentProtocolException("The guest sent bytes that are no frame.");
                case FrameScanResult.Skip when _buffer[at] != 0:
                    throw new AgentProtocolException("The guest sent a frame without its trailer.");
                case FrameScanResult.Incomplete:
                    await FillAsync(cancellationToken);
                    break;
            }
        }
    }

    private async ValueTask FillAsync(CancellationToken cancellationToken)
    {
        if (_start == _end)
        {
            _start = _end = 0;
        }
        else if (_start > _buffer.Length - FrameHeader.FrameMaxBytes)
        {
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            _end -= _start;
            _start = 0;
        }
        var read = await stream.ReadAsync(_buffer.AsMemory(_end), cancellationToken);
        if (read == 0)
            throw new EndOfStreamException("The guest's end of the agent channel is closed.");
        _end += read;
    }
}

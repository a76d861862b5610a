using Candela.Guest.Native;
using Candela.Guest.Protocol;

namespace Candela.Guest.Channel;

/// <summary>Frames on their way to the host, whole and in order.</summary>
internal sealed unsafe class FrameSender
{
    private byte[] _buffer = new byte[4 * FrameHeader.FrameMaxBytes];
    private int _start;
    private int _end;

    /// <summary>Bytes that the port has not taken yet.</summary>
    public int PendingBytes => _end - _start;

    /// <summary>Forgets what is under way: the host that it was for is gone.</summary>
    public void Clear() => _start = _end = 0;

    /// <summary>Appends a message; one larger than a frame goes in consecutive parts.</summary>
    public void Send(FrameHeader header, ReadOnlySpan<byte> payload)
    {
        do
        {
            var part = payload[..Math.Min(payload.Length, ProtocolLimits.DataFrameBytes)];
            payload = payload[part.Length..];
            var more = payload.Length > 0 ? FrameHeader.MoreFlag : (byte)0;
            part.CopyTo(Begin(part.Length));
            Commit(header with { Flags = (byte)(header.Flags | more) }, part.Length);
        }
        while (payload.Length > 0);
    }

    /// <summary>Room for the payload of the next frame; nothing is sent before <see cref="Commit"/>.</summary>
    public Span<byte> Begin(int payloadBytes)
    {
        var whole = FrameHeader.SizeBytes + payloadBytes + 1;
        if (_buffer.Length - _end < whole)
            MakeRoom(whole);
        return _buffer.AsSpan(_end + FrameHeader.SizeBytes, payloadBytes);
    }

    /// <summary>Makes a frame of the first <paramref name="payloadBytes"/> that <see cref="Begin"/> gave.</summary>
    public void Commit(FrameHeader header, int payloadBytes)
    {
        (header with { Length = payloadBytes }).Write(_buffer.AsSpan(_end));
        _buffer[_end + FrameHeader.SizeBytes + payloadBytes] = FrameHeader.Trailer;
        _end += FrameHeader.SizeBytes + payloadBytes + 1;
    }

    /// <summary>Writes as much as the port takes. False: it takes no more now.</summary>
    public bool Flush(int fd)
    {
        while (_start < _end)
        {
            nint written;
            fixed (byte* data = _buffer)
                written = Libc.write(fd, data + _start, (nuint)(_end - _start));
            if (written <= 0)
                return false;
            _start += (int)written;
        }
        _start = _end = 0;
        return true;
    }

    private void MakeRoom(int bytes)
    {
        var pending = _buffer.AsSpan(_start, _end - _start);
        if (_buffer.Length - pending.Length < bytes)
        {
            var larger = new byte[Math.Max(_buffer.Length * 2, pending.Length + bytes)];
            pending.CopyTo(larger);
            _buffer = larger;
        }
        else
        {
            pending.CopyTo(_buffer);
        }
        _end -= _start;
        _start = 0;
    }
}

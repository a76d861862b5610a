using Candela.Guest.Native;
using Candela.Guest.Protocol;

namespace Candela.Guest.Channel;

/// <summary>Finds the host's frames in what the port delivers; bytes that are none are dropped until the next that is one.</summary>
internal sealed unsafe class FrameReceiver
{
    private readonly byte[] _buffer = new byte[2 * FrameHeader.FrameMaxBytes];
    private int _start;
    private int _end;

    /// <summary>Reads once. False: nothing there now, or no host.</summary>
    public bool Fill(int fd)
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
        nint read;
        fixed (byte* data = _buffer)
            read = Libc.read(fd, data + _end, (nuint)(_buffer.Length - _end));
        if (read <= 0)
            return false;
        _end += (int)read;
        return true;
    }

    /// <summary>The next whole frame; the payload is valid until the next <see cref="Fill"/>.</summary>
    public bool TryNext(out FrameHeader header, out ReadOnlySpan<byte> payload)
    {
        while (true)
        {
            var result = FrameScan.Next(_buffer.AsSpan(_start, _end - _start), out header, out var consumed);
            var at = _start;
            _start += consumed;
            switch (result)
            {
                case FrameScanResult.Frame:
                    payload = _buffer.AsSpan(at + FrameHeader.SizeBytes, header.Length);
                    return true;
                case FrameScanResult.Incomplete:
                    payload = default;
                    return false;
            }
        }
    }
}

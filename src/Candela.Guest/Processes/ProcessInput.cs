using System.Runtime.InteropServices;
using Candela.Guest.Channel;
using Candela.Guest.Loop;
using Candela.Guest.Native;
using Candela.Guest.Protocol;

namespace Candela.Guest.Processes;

/// <summary>Standard input of a process: holds up to a window of what the host sent, and grants more as the process takes it.</summary>
internal sealed unsafe class ProcessInput : IEventSource, IDisposable
{
    private const int Size = ProtocolLimits.InputWindowBytes;
    private const int GrantBytes = Size / 4;

    private readonly EventLoop _loop;
    private readonly FrameSender _sender;
    private readonly uint _process;
    private readonly bool _isTerminal;
    private int _fd;
    private int _watch = -1;
    private byte* _bytes;
    private int _start;
    private int _count;
    private int _ungranted;
    private bool _closing;

    /// <summary>Owns <paramref name="fd"/>, the writing end of a pipe or a terminal.</summary>
    public ProcessInput(EventLoop loop, FrameSender sender, uint process, int fd, bool isTerminal) =>
        (_loop, _sender, _process, _fd, _isTerminal) = (loop, sender, process, fd, isTerminal);

    /// <summary>Takes a frame of input; more than the window allows is dropped.</summary>
    public void Take(ReadOnlySpan<byte> data)
    {
        if (_fd < 0 || _closing || data.Length > Size - _count - _ungranted)
            return;
        if (_bytes is null)
            _bytes = (byte*)NativeMemory.Alloc(Size);
        var at = (_start + _count) % Size;
        var head = Math.Min(data.Length, Size - at);
        data[..head].CopyTo(new Span<byte>(_bytes + at, head));
        data[head..].CopyTo(new Span<byte>(_bytes, data.Length - head));
        _count += data.Length;
        if (_watch < 0)
            Drain();
    }

    /// <summary>Ends the input behind what is held. A terminal stays open, as with Docker.</summary>
    public void Close()
    {
        _closing = !_isTerminal;
        if (_closing && _count == 0)
            Dispose();
    }

    /// <summary>Tells a host that has just connected how much it may send.</summary>
    public void AnnounceRoom()
    {
        _ungranted = 0;
        if (_fd >= 0 && !_closing)
            Grant(Size - _count);
    }

    /// <inheritdoc/>
    public void OnReady(uint events) => Drain();

    /// <inheritdoc/>
    public void Dispose()
    {
        Unwatch();
        if (_fd >= 0)
            _ = Libc.close(_fd);
        _fd = -1;
        NativeMemory.Free(_bytes);
        _bytes = null;
        _count = 0;
    }

    private void Drain()
    {
        while (_count > 0)
        {
            var part = Math.Min(_count, Size - _start);
            var written = Libc.write(_fd, _bytes + _start, (nuint)part);
            if (written <= 0)
            {
                if (Errno.Last is Linux.EAGAIN or Linux.EINTR)
                    break;
                Dispose();
                _sender.Send(new FrameHeader(FrameType.InputGone, 0, 0, _process, 0, 0), []);
                return;
            }
            _start = (_start + (int)written) % Size;
            _count -= (int)written;
            _ungranted += (int)written;
        }
        if (_count > 0)
        {
            if (_watch < 0)
                _watch = _loop.Add(_fd, Linux.EPOLLOUT, this);
        }
        else
        {
            Unwatch();
        }
        if (_closing && _count == 0)
            Dispose();
        else if (!_closing && (_ungranted >= GrantBytes || _count == 0) && _ungranted > 0)
            Grant(_ungranted);
    }

    private void Grant(int bytes)
    {
        _ungranted = 0;
        if (bytes > 0)
            _sender.Send(new FrameHeader(FrameType.InputCredit, 0, 0, _process, 0, (ulong)bytes), []);
    }

    private void Unwatch()
    {
        if (_watch >= 0)
            _loop.Remove(_fd, _watch);
        _watch = -1;
    }
}

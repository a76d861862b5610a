using Candela.Guest.Channel;
using Candela.Guest.Loop;
using Candela.Guest.Native;
using Candela.Guest.Protocol;

namespace Candela.Guest.Workloads;

/// <summary>One connection to the workload socket: bytes both ways, at most a window of them under way.</summary>
internal sealed unsafe class WorkloadConnection : IEventSource, IDisposable
{
    private const int Window = ProtocolLimits.ConnectionWindowBytes;
    private const int ReadMostBytes = 16 * 1024;
    private const int GrantBytes = Window / 4;

    private readonly EventLoop _loop;
    private readonly FrameSender _sender;
    private readonly uint _number;
    private readonly Action<uint> _ended;
    private readonly Queue<byte[]> _held = new();
    private int _fd;
    private int _watch = -1;
    private uint _watched;
    private int _credit = Window;
    private int _heldBytes;
    private int _headBytes;
    private int _ungranted;
    private bool _hasReadAll;
    private bool _isClosing;

    /// <summary>Owns <paramref name="fd"/>, which does not block.</summary>
    public WorkloadConnection(EventLoop loop, FrameSender sender, uint number, int fd, Action<uint> ended)
    {
        (_loop, _sender, _number, _fd, _ended) = (loop, sender, number, fd, ended);
        Watch();
    }

    /// <summary>What the host sends; more than it was granted is dropped.</summary>
    public void Take(ReadOnlySpan<byte> data)
    {
        if (_isClosing || data.Length > Window - _heldBytes - _ungranted)
            return;
        _held.Enqueue(data.ToArray());
        _heldBytes += data.Length;
        if (_held.Count == 1)
            Drain();
        Watch();
    }

    /// <summary>The host has taken what was sent.</summary>
    public void Grant(ulong bytes)
    {
        _credit = (int)Math.Min((ulong)_credit + Math.Min(bytes, Window), Window);
        Watch();
    }

    /// <summary>The host has closed it: it ends behind what is held.</summary>
    public void Close()
    {
        _isClosing = true;
        if (_heldBytes == 0)
            End(tell: false);
        else
            Watch();
    }

    /// <inheritdoc/>
    public void OnReady(uint events)
    {
        if (_heldBytes > 0)
            Drain();
        if (_fd >= 0 && _credit > 0 && !_hasReadAll && !_isClosing)
            Read();
        Watch();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_fd < 0)
            return;
        if (_watch >= 0)
            _loop.Remove(_fd, _watch);
        _watch = -1;
        _ = Libc.close(_fd);
        _fd = -1;
        _held.Clear();
    }

    private void Read()
    {
        var room = Math.Min(_credit, ReadMostBytes);
        nint read;
        fixed (byte* target = _sender.Begin(room))
            read = Libc.read(_fd, target, (nuint)room);
        if (read < 0)
        {
            if (Errno.Last is not (Linux.EAGAIN or Linux.EINTR))
                End(tell: true);
            return;
        }
        _sender.Commit(new FrameHeader(FrameType.ConnectionSent, 0, 0, _number, 0, 0), (int)read);
        _credit -= (int)read;
        _hasReadAll = read == 0;
    }

    private void Drain()
    {
        while (_held.TryPeek(out var head))
        {
            nint written;
            fixed (byte* data = head)
                written = Libc.write(_fd, data + _headBytes, (nuint)(head.Length - _headBytes));
            if (written < 0)
            {
                if (Errno.Last is not (Linux.EAGAIN or Linux.EINTR))
                    End(tell: !_isClosing);
                return;
            }
            _headBytes += (int)written;
            _heldBytes -= (int)written;
            _ungranted += (int)written;
            if (_headBytes < head.Length)
                continue;
            _held.Dequeue();
            _headBytes = 0;
        }
        if (_isClosing)
            End(tell: false);
        else if (_ungranted >= GrantBytes || _heldBytes == 0)
            GrantMore();
    }

    private void GrantMore()
    {
        if (_ungranted == 0)
            return;
        _sender.Send(new FrameHeader(FrameType.ConnectionTaken, 0, 0, _number, 0, (ulong)_ungranted), []);
        _ungranted = 0;
    }

    private void End(bool tell)
    {
        if (_fd < 0)
            return;
        Dispose();
        if (tell)
            _sender.Send(new FrameHeader(FrameType.ConnectionClosed, 0, 0, _number, 0, 0), []);
        _ended(_number);
    }

    /// <summary>A descriptor that nothing is wanted of is not watched: a hang-up would be told again and again.</summary>
    private void Watch()
    {
        var wanted = _fd < 0 ? 0
            : (_credit > 0 && !_hasReadAll && !_isClosing ? Linux.EPOLLIN : 0) | (_heldBytes > 0 ? Linux.EPOLLOUT : 0);
        if (wanted == _watched && (_watch >= 0) == (wanted != 0))
            return;
        if (_watch >= 0)
            _loop.Remove(_fd, _watch);
        _watch = wanted == 0 ? -1 : _loop.Add(_fd, wanted, this);
        _watched = wanted;
    }
}

using Candela.Guest.Channel;
using Candela.Guest.Loop;
using Candela.Guest.Native;
using Candela.Guest.Protocol;
using Candela.Guest.Protocol.Host;

namespace Candela.Guest.Processes;

/// <summary>
/// One output stream of a process: read while the window has room, sent once the host wants it, kept until it is acknowledged.
/// Without a descriptor the stream has ended from the beginning.
/// </summary>
internal sealed class ProcessOutput : IEventSource, IDisposable
{
    private readonly EventLoop _loop;
    private readonly OutputQueue _queue;
    private readonly uint _process;
    private readonly OutputStream _stream;
    private readonly bool _discards;
    private readonly OutputRing _ring = new();
    private int _fd;
    private int _watch = -1;
    private ulong _sent;
    private bool _flowing;
    private bool _endSent;

    public ProcessOutput(EventLoop loop, OutputQueue queue, uint process, OutputStream stream, int fd, bool discards)
    {
        (_loop, _queue, _process, _stream, _fd, _discards) = (loop, queue, process, stream, fd, discards);
        Watch();
    }

    /// <summary>In the queue of those that have something to send.</summary>
    public bool IsQueued { get; set; }

    /// <summary>Nothing more will be read.</summary>
    public bool HasEnded => _fd < 0;

    /// <summary>What the host is told by List.</summary>
    public StreamStatus Status => new(_ring.First, _ring.Next, HasEnded);

    private bool HasSomething => _flowing && (_sent < _ring.Next || (HasEnded && !_endSent));

    /// <inheritdoc/>
    public void OnReady(uint events)
    {
        var read = _ring.ReadFrom(_fd, ProtocolLimits.DataFrameBytes);
        _queue.Pace.Note(read);
        if (read <= 0)
        {
            // A terminal without a process gives EIO.
            if (read == 0 || Errno.Last is not (Linux.EAGAIN or Linux.EINTR))
                Close();
        }
        else if (_discards)
        {
            Acknowledge(_ring.Next);
        }
        else if (_ring.Room == 0)
        {
            Unwatch();
        }
        Offer();
    }

    /// <summary>Sends from <paramref name="position"/> on, which the host thereby acknowledges.</summary>
    public void Resume(ulong position)
    {
        Acknowledge(position);
        _sent = _ring.First;
        _endSent = false;
        _flowing = true;
        Offer();
    }

    /// <summary>The host is gone: nothing is sent until the next <see cref="Resume"/>.</summary>
    public void Halt() => _flowing = false;

    /// <summary>Drops output before <paramref name="position"/>.</summary>
    public void Acknowledge(ulong position)
    {
        _ring.DropTo(position);
        _sent = Math.Max(_sent, _ring.First);
        if (_watch < 0 && _fd >= 0 && _ring.Room > 0)
            Watch();
    }

    /// <summary>Appends the next frame.</summary>
    public void SendNext(FrameSender sender)
    {
        if (!HasSomething)
            return;
        var count = (int)Math.Min(_ring.Next - _sent, ProtocolLimits.DataFrameBytes);
        _ring.CopyTo(_sent, sender.Begin(count));
        sender.Commit(new FrameHeader(FrameType.Output, (byte)_stream, 0, _process, 0, _sent), count);
        _sent += (ulong)count;
        _endSent = count == 0;
        Offer();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Halt();
        Close();
        _ring.Dispose();
    }

    private void Offer()
    {
        if (HasSomething)
            _queue.Add(this);
    }

    private void Close()
    {
        if (_fd < 0)
            return;
        Unwatch();
        _ = Libc.close(_fd);
        _fd = -1;
    }

    private void Watch()
    {
        if (_fd >= 0)
            _watch = _loop.Add(_fd, Linux.EPOLLIN, this);
    }

    private void Unwatch()
    {
        if (_watch >= 0)
            _loop.Remove(_fd, _watch);
        _watch = -1;
    }
}

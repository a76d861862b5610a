using Candela.Guest.Native;

namespace Candela.Guest.Loop;

/// <summary>epoll for one thread. A source that is removed hears nothing any more, also of the batch under way.</summary>
internal sealed unsafe class EventLoop
{
    private const int BatchCount = 64;

    private readonly int _epoll = Errno.Check(Libc.epoll_create1(Linux.EPOLL_CLOEXEC), "epoll_create1");
    private readonly Stack<int> _free = new();
    private (IEventSource? Source, uint Generation)[] _slots = new (IEventSource?, uint)[64];
    private int _slotCount;

    /// <summary>Watches <paramref name="fd"/>; the result names the watch.</summary>
    public int Add(int fd, uint events, IEventSource source)
    {
        if (!_free.TryPop(out var slot))
        {
            if (_slotCount == _slots.Length)
                Array.Resize(ref _slots, _slots.Length * 2);
            slot = _slotCount++;
        }
        _slots[slot].Source = source;
        var change = new EpollEvent { Events = events, Data = ((ulong)_slots[slot].Generation << 32) | (uint)slot };
        if (Libc.epoll_ctl(_epoll, Linux.EPOLL_CTL_ADD, fd, &change) < 0)
        {
            var error = Errno.Last;
            Release(slot);
            throw Errno.Failure("epoll_ctl", error);
        }
        return slot;
    }

    /// <summary>Ends the watch of <paramref name="fd"/> (still open).</summary>
    public void Remove(int fd, int slot)
    {
        EpollEvent none;
        _ = Libc.epoll_ctl(_epoll, Linux.EPOLL_CTL_DEL, fd, &none);
        Release(slot);
    }

    /// <summary>Waits, at most <paramref name="timeoutMilliseconds"/> (−1: forever), and calls the sources that are ready.</summary>
    public void Turn(int timeoutMilliseconds)
    {
        var events = stackalloc EpollEvent[BatchCount];
        var count = Libc.epoll_wait(_epoll, events, BatchCount, timeoutMilliseconds);
        if (count < 0 && Errno.Last != Linux.EINTR)
            throw Errno.Failure("epoll_wait", Errno.Last);
        for (var i = 0; i < count; i++)
        {
            var (source, generation) = _slots[(int)(uint)events[i].Data];
            if (generation == (uint)(events[i].Data >> 32))
                source?.OnReady(events[i].Events);
        }
    }

    private void Release(int slot)
    {
        _slots[slot] = (null, _slots[slot].Generation + 1);
        _free.Push(slot);
    }
}

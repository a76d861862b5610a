using Candela.Vmm.Native;

namespace Candela.Vmm.Loop;

/// <summary>The device thread's loop over descriptors (epoll(7)). Used by one thread.</summary>
internal sealed unsafe class EventLoop
{
    private const int EventsPerTurn = 32;
    private const int SourcesMaximum = 128;

    private readonly int _epoll = Errno.Check(Libc.epoll_create1(Linux.EPOLL_CLOEXEC), "epoll_create1");
    private readonly IEventSource?[] _sources = new IEventSource?[SourcesMaximum];
    private readonly int[] _descriptors = new int[SourcesMaximum];

    /// <summary>Waits for a descriptor from now on.</summary>
    public void Add(int descriptor, uint events, IEventSource source)
    {
        int slot = Array.IndexOf(_sources, null);
        if (slot < 0)
            throw new InvalidOperationException($"the device thread waits for {SourcesMaximum} descriptors already");
        _sources[slot] = source;
        _descriptors[slot] = descriptor;
        EpollEvent change = new() { Events = events, Data = (ulong)slot };
        Errno.Check(Libc.epoll_ctl(_epoll, Linux.EPOLL_CTL_ADD, descriptor, &change), "epoll_ctl");
    }

    /// <summary>Waits for a descriptor no more; before it is closed.</summary>
    public void Remove(int descriptor)
    {
        for (int slot = 0; slot < SourcesMaximum; slot++)
        {
            if (_sources[slot] is null || _descriptors[slot] != descriptor)
                continue;
            _sources[slot] = null;
            EpollEvent change = default;
            _ = Libc.epoll_ctl(_epoll, Linux.EPOLL_CTL_DEL, descriptor, &change);
        }
    }

    /// <summary>Waits until something is ready and handles it.</summary>
    public void Turn()
    {
        EpollEvent* events = stackalloc EpollEvent[EventsPerTurn];
        int count = Libc.epoll_wait(_epoll, events, EventsPerTurn, -1);
        for (int i = 0; i < count; i++)
            _sources[events[i].Data]?.OnReady(events[i].Events);
    }
}

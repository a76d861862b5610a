using System.Collections.Concurrent;
using System.ComponentModel;
using System.Runtime.InteropServices;

namespace Candela.Controller.Transport;

/// <summary>
/// Tells when a peer has gone altogether, as opposed to having closed only its writing side: EPOLLHUP of epoll_ctl(2). One thread
/// for the whole process; .NET's own socket engine does not tell the two apart.
/// </summary>
internal sealed partial class HangupWatch
{
    private const int EPOLL_CTL_ADD = 1;
    private const int EPOLL_CTL_DEL = 2;
    private const int EPOLL_CLOEXEC = 0x80000;
    private const uint EPOLLONESHOT = 1u << 30;
    private const int EINTR = 4;
    private const int EventsAtOnce = 64;

    private static readonly Lazy<HangupWatch> SharedWatch = new(() => new HangupWatch());

    private readonly ConcurrentDictionary<ulong, Action> _callbacks = new();
    private readonly int _epoll;
    private ulong _lastKey;

    private HangupWatch()
    {
        _epoll = EpollCreate1(EPOLL_CLOEXEC);
        if (_epoll < 0)
            throw new Win32Exception();
        new Thread(Run) { IsBackground = true, Name = "socket hang-ups" }.Start();
    }

    public static HangupWatch Shared => SharedWatch.Value;

    /// <summary>Calls once, on the watch's thread, when the peer of this socket has gone. The callback must be short and not throw.</summary>
    public ulong Add(SafeHandle socket, Action gone)
    {
        var key = Interlocked.Increment(ref _lastKey);
        _callbacks[key] = gone;
        // EPOLLHUP and EPOLLERR are always reported, whatever is asked for.
        var request = new EpollEvent { Events = EPOLLONESHOT, Key = key };
        if (EpollCtl(_epoll, EPOLL_CTL_ADD, socket, ref request) != 0)
        {
            _callbacks.TryRemove(key, out _);
            throw new Win32Exception();
        }

        return key;
    }

    /// <summary>Ends the watch; to be called before the socket is closed.</summary>
    public void Remove(SafeHandle socket, ulong key)
    {
        _callbacks.TryRemove(key, out _);
        var ignored = default(EpollEvent);
        _ = EpollCtl(_epoll, EPOLL_CTL_DEL, socket, ref ignored); // fails only when it is not there any more
    }

    private void Run()
    {
        Span<EpollEvent> events = stackalloc EpollEvent[EventsAtOnce];
        while (true)
        {
            var count = EpollWait(_epoll, events, EventsAtOnce, -1);
            if (count < 0 && Marshal.GetLastPInvokeError() != EINTR)
                throw new Win32Exception();
            for (var i = 0; i < count; i++)
            {
                if (_callbacks.TryRemove(events[i].Key, out var gone))
                    gone();
            }
        }
    }

    /// <summary>struct epoll_event: packed on x86-64 (sys/epoll.h).</summary>
    [StructLayout(LayoutKind.Sequential, Pack = 1)]
    private struct EpollEvent
    {
        public uint Events;
        public ulong Key;
    }

    [LibraryImport("libc", EntryPoint = "epoll_create1", SetLastError = true)]
    private static partial int EpollCreate1(int flags);

    [LibraryImport("libc", EntryPoint = "epoll_ctl", SetLastError = true)]
    private static partial int EpollCtl(int epoll, int operation, SafeHandle socket, ref EpollEvent request);

    [LibraryImport("libc", EntryPoint = "epoll_wait", SetLastError = true)]
    private static partial int EpollWait(int epoll, Span<EpollEvent> events, int count, int timeoutMs);
}

using System.Collections.Concurrent;
using Microsoft.Win32.SafeHandles;
using static Candela.Microvisor.Native.Libc;

namespace Candela.Microvisor.Native;

/// <summary>Tells when processes that are not this process's own children end: pidfds in one epoll set, watched by one thread.</summary>
internal sealed unsafe class ExitWatcher : IDisposable
{
    private const ulong StopKey = 0;

    private readonly SafeFileHandle _epoll = Own(epoll_create1(EPOLL_CLOEXEC), "epoll_create1");
    private readonly ConcurrentDictionary<ulong, (SafeFileHandle Pidfd, TaskCompletionSource<string> Ended)> _watched = new();
    private readonly Thread _thread;
    private readonly SafeFileHandle _stop;
    private ulong _lastKey = StopKey;

    public ExitWatcher()
    {
        // Jailed programs are orphans by design; as their reaper this process learns how they ended and leaves no zombie.
        Check(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), "becoming a subreaper");
        _stop = Own(eventfd(0, EFD_CLOEXEC), "eventfd");
        Add(_stop, StopKey);
        _thread = new Thread(Run) { IsBackground = true, Name = "exit watcher" };
        _thread.Start();
    }

    /// <summary>Opens a process; null when it is not there (any more).</summary>
    public static SafeFileHandle? Open(int pid)
    {
        long fd = syscall(SYS_pidfd_open, pid, 0, 0, 0);
        return fd >= 0 ? new SafeFileHandle((nint)fd, ownsHandle: true) : null;
    }

    /// <summary>Sends a signal; nothing happens when the process has ended or the handle is closed.</summary>
    public static void Signal(SafeFileHandle pidfd, int signal)
    {
        // The number of a closed descriptor may be another process's by now.
        bool open = false;
        try
        {
            pidfd.DangerousAddRef(ref open);
            _ = syscall(SYS_pidfd_send_signal, pidfd.Number(), signal, 0, 0);
        }
        catch (ObjectDisposedException)
        {
            // Whoever closed it knew that the process had ended.
        }
        finally
        {
            if (open)
                pidfd.DangerousRelease();
        }
    }

    /// <summary>Completes with the exit status for people ("exit code 1", "signal 9", or "ended") when the process ends.</summary>
    public Task<string> WatchAsync(SafeFileHandle pidfd)
    {
        var ended = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        ulong key = Interlocked.Increment(ref _lastKey);
        _watched[key] = (pidfd, ended);
        Add(pidfd, key);
        return ended.Task;
    }

    public void Dispose()
    {
        ulong one = 1;
        _ = write(_stop.Number(), &one, sizeof(ulong));
        _thread.Join();
        _stop.Dispose();
        _epoll.Dispose();
    }

    private static string Reap(SafeFileHandle pidfd)
    {
        // siginfo_t: si_code at 8, si_status at 24 (x86-64).
        byte* information = stackalloc byte[128];
        if (waitid(P_PIDFD, pidfd.Number(), information, WEXITED) < 0)
            return "ended";
        int status = *(int*)(information + 24);
        return *(int*)(information + 8) == CLD_EXITED ? $"exit code {status}" : $"signal {status}";
    }

    private void Add(SafeFileHandle handle, ulong key)
    {
        var change = new EpollEvent { Events = EPOLLIN | EPOLLONESHOT, Data = key };
        Check(epoll_ctl(_epoll.Number(), EPOLL_CTL_ADD, handle.Number(), &change), "epoll_ctl");
    }

    private void Run()
    {
        EpollEvent* events = stackalloc EpollEvent[16];
        while (true)
        {
            int count = epoll_wait(_epoll.Number(), events, 16, -1);
            for (int i = 0; i < count; i++)
            {
                if (events[i].Data == StopKey)
                    return;
                if (!_watched.TryRemove(events[i].Data, out var entry))
                    continue;
                string how = Reap(entry.Pidfd);
                _ = epoll_ctl(_epoll.Number(), EPOLL_CTL_DEL, entry.Pidfd.Number(), null);
                entry.Ended.SetResult(how);
            }
        }
    }
}

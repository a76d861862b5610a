namespace Candela.Vmm.Jail;

/// <summary>
/// System calls that a running VM makes, by their numbers on x86-64 (Linux, arch/x86/entry/syscalls/syscall_64.tbl). What is neither
/// allowed nor refused ends the process.
/// </summary>
internal static class SystemCalls
{
    private const int read = 0, write = 1, open = 2, close = 3, fstat = 5, lseek = 8, mmap = 9, mprotect = 10, munmap = 11, rt_sigaction = 13, rt_sigprocmask = 14;
    private const int rt_sigreturn = 15, ioctl = 16, readv = 19, writev = 20, access = 21, sched_yield = 24, mremap = 25, madvise = 28, nanosleep = 35, getpid = 39, recvmsg = 47;
    private const int getsockopt = 55, exit = 60, fcntl = 72, fdatasync = 75, readlink = 89, sysinfo = 99, sigaltstack = 131, prctl = 157, gettid = 186, futex = 202;
    private const int sched_getaffinity = 204, restart_syscall = 219, clock_gettime = 228, clock_nanosleep = 230, exit_group = 231, epoll_wait = 232, epoll_ctl = 233, tgkill = 234;
    private const int get_mempolicy = 239, openat = 257, newfstatat = 262, set_robust_list = 273, fallocate = 285, accept4 = 288, preadv = 295, pwritev = 296, prlimit64 = 302;
    private const int getcpu = 309, getrandom = 318, membarrier = 324, rseq = 334;

    /// <summary>Allowed: the devices', KVM's, and what memory management and threads of the runtime need.</summary>
    public static ReadOnlySpan<int> Allowed =>
    [
        // Devices, agent, commands.
        read, write, close, readv, writev, preadv, pwritev, fallocate, fdatasync, lseek, recvmsg, accept4, getsockopt, fcntl, epoll_wait, epoll_ctl, getrandom,
        // KVM and the taps.
        ioctl,
        // The runtime: garbage collection, locks, threads that stop for one another, the end.
        mmap, munmap, mprotect, mremap, madvise, futex, membarrier, sched_yield, nanosleep, clock_nanosleep, clock_gettime, rt_sigprocmask, rt_sigreturn, sigaltstack,
        tgkill, gettid, getpid, getcpu, sched_getaffinity, set_robust_list, rseq, restart_syscall, exit, exit_group,
    ];

    /// <summary>Refused with EPERM, since the runtime asks and gets along without: nothing is opened by path.</summary>
    public static ReadOnlySpan<int> Refused => [open, openat, access, readlink, newfstatat, fstat, sysinfo, get_mempolicy, prlimit64, rt_sigaction, prctl];
}

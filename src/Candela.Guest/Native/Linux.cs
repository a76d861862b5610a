namespace Candela.Guest.Native;

/// <summary>Numbers of the x86-64 Linux ABI, by their kernel names.</summary>
internal static class Linux
{
    // fs/ext4/ext4.h
    public const uint EXT4_IOC_SHUTDOWN = 0x8004587D;
    public const uint EXT4_GOING_FLAGS_NOLOGFLUSH = 2;

    public const int O_RDONLY = 0, O_WRONLY = 1, O_RDWR = 2, O_CREAT = 0x40, O_EXCL = 0x80, O_NOCTTY = 0x100, O_TRUNC = 0x200;
    public const int O_NONBLOCK = 0x800, O_DIRECTORY = 0x10000, O_NOFOLLOW = 0x20000, O_CLOEXEC = 0x80000, O_PATH = 0x200000;
    public const int AT_FDCWD = -100, AT_EACCESS = 0x200;
    public const int F_SETFL = 4, F_DUPFD_CLOEXEC = 1030;

    public const int ENOENT = 2, ESRCH = 3, EINTR = 4, EIO = 5, ENOEXEC = 8, EAGAIN = 11, ENOMEM = 12, EACCES = 13, EBUSY = 16;
    public const int EEXIST = 17, ENODEV = 19, ENOTDIR = 20, EISDIR = 21, EINVAL = 22, ENOSPC = 28, EPIPE = 32, ELOOP = 40;

    public const uint S_IFCHR = 0x2000, S_IFDIR = 0x4000, S_IFREG = 0x8000, S_IFMT = 0xF000;

    public const uint EPOLLIN = 1, EPOLLOUT = 4, EPOLLERR = 8, EPOLLHUP = 0x10, EPOLLET = 1u << 31;
    public const int EPOLL_CLOEXEC = 0x80000, EPOLL_CTL_ADD = 1, EPOLL_CTL_DEL = 2, EPOLL_CTL_MOD = 3;

    public const ulong MS_RDONLY = 1, MS_NOSUID = 2, MS_NODEV = 4, MS_NOEXEC = 8, MS_REMOUNT = 0x20, MS_BIND = 0x1000, MS_MOVE = 0x2000;
    public const ulong MS_REC = 0x4000, MS_PRIVATE = 1 << 18, MS_RELATIME = 1 << 21, MS_STRICTATIME = 1 << 24;
    public const ulong MS_NOATIME = 0x400, MS_NODIRATIME = 0x800, MS_SYNCHRONOUS = 0x10, MS_DIRSYNC = 0x80, MS_MANDLOCK = 0x40;
    public const int MNT_DETACH = 2;

    public const ulong RESOLVE_NO_SYMLINKS = 4, RESOLVE_IN_ROOT = 0x10;

    public const int CLONE_VM = 0x100, CLONE_PIDFD = 0x1000, CLONE_VFORK = 0x4000, CLONE_NEWNS = 0x20000, CLONE_NEWCGROUP = 0x2000000;
    public const int CLONE_NEWPID = 0x20000000, CLONE_NEWNET = 0x40000000;
    public const int SIGKILL = 9, SIGPIPE = 13, SIGCHLD = 17, SignalMost = 64;
    public const int WNOHANG = 1, WALL = 0x40000000;

    public const nuint TIOCSCTTY = 0x540E, TIOCSWINSZ = 0x5414, TIOCGPTN = 0x80045430, TIOCSPTLCK = 0x40045431;
    public const nuint RNDADDENTROPY = 0x40085203, RNDRESEEDCRNG = 0x5207, SIOCGIFFLAGS = 0x8913, SIOCSIFFLAGS = 0x8914;
    public const nuint SIOCADDRT = 0x890B, SIOCDELRT = 0x890C, SIOCSIFADDR = 0x8916, SIOCSIFNETMASK = 0x891C, SIOCSIFMTU = 0x8922, SIOCSIFHWADDR = 0x8924, SIOCGIFHWADDR = 0x8927, SIOCGIFINDEX = 0x8933;
    public const short IFF_UP = 1, ARPHRD_ETHER = 1;
    public const ushort RTF_UP = 1, RTF_GATEWAY = 2;
    public const int AF_INET = 2, AF_INET6 = 10, AF_NETLINK = 16, SOCK_DGRAM = 2, SOCK_RAW = 3, SOCK_CLOEXEC = 0x80000;
    public const int AF_UNIX = 1, SOCK_STREAM = 1, SOCK_NONBLOCK = 0x800;

    // include/uapi/linux/netlink.h, rtnetlink.h, if_link.h
    public const int NETLINK_ROUTE = 0;
    public const ushort RTM_SETLINK = 19, NLM_F_REQUEST = 1, NLM_F_ACK = 4, NLMSG_ERROR = 2, IFLA_IFNAME = 3, IFLA_NET_NS_FD = 28;

    public const int CLOCK_REALTIME = 0;

    public const int PR_SET_DUMPABLE = 4, PR_CAPBSET_DROP = 24, PR_SET_NO_NEW_PRIVS = 38;
    public const uint LINUX_CAPABILITY_VERSION_3 = 0x20080522;
    public const int RB_AUTOBOOT = 0x01234567;

    public const nint SYS_close = 3, SYS_rt_sigaction = 13, SYS_rt_sigprocmask = 14, SYS_ioctl = 16, SYS_dup2 = 33, SYS_getpid = 39;
    public const nint SYS_execve = 59, SYS_chdir = 80, SYS_fchown = 93, SYS_umask = 95, SYS_setsid = 112, SYS_setgroups = 116;
    public const nint SYS_setresuid = 117, SYS_setresgid = 119, SYS_capset = 126, SYS_pivot_root = 155, SYS_prctl = 157;
    public const nint SYS_mount = 165, SYS_umount2 = 166, SYS_exit_group = 231, SYS_openat = 257, SYS_newfstatat = 262, SYS_unshare = 272;
    public const nint SYS_prlimit64 = 302, SYS_setns = 308, SYS_finit_module = 313, SYS_write = 1, SYS_close_range = 436;
    public const nint SYS_openat2 = 437, SYS_faccessat2 = 439;
    public const uint CLOSE_RANGE_CLOEXEC = 4;
}

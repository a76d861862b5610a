namespace Candela.Vmm.Native;

/// <summary>Constants of Linux on x86-64, named as in its headers (include/uapi, arch/x86/include/uapi).</summary>
internal static class Linux
{
    public const int EAGAIN = 11;
    public const int EINTR = 4;
    public const int EOPNOTSUPP = 95;
    public const int ENOTSOCK = 88;

    public const int O_RDWR = 2;
    public const int O_NONBLOCK = 0x800;
    public const int O_CLOEXEC = 0x80000;
    public const int SEEK_SET = 0;
    public const int SEEK_END = 2;
    public const int F_GETFL = 3;
    public const int F_SETFL = 4;

    public const int PROT_READ = 1;
    public const int PROT_WRITE = 2;
    public const int PROT_EXEC = 4;
    public const int MAP_SHARED = 1;
    public const int MAP_PRIVATE = 2;
    public const int MAP_ANONYMOUS = 0x20;
    public const int MAP_NORESERVE = 0x4000;
    public const uint MFD_CLOEXEC = 1;

    public const int EFD_NONBLOCK = 0x800;
    public const int EFD_CLOEXEC = 0x80000;
    public const int EPOLL_CLOEXEC = 0x80000;
    public const int EPOLL_CTL_ADD = 1;
    public const int EPOLL_CTL_DEL = 2;
    public const uint EPOLLIN = 1;
    public const uint EPOLLOUT = 4;
    public const uint EPOLLHUP = 16;
    public const uint EPOLLET = 1u << 31;

    public const int SOL_SOCKET = 1;
    public const int SO_ACCEPTCONN = 30;
    public const int SOCK_NONBLOCK = 0x800;
    public const int SOCK_CLOEXEC = 0x80000;
    public const int SCM_RIGHTS = 1;
    public const int MSG_NOSIGNAL = 0x4000;
    public const int MSG_CMSG_CLOEXEC = 0x40000000;

    public const int FALLOC_FL_KEEP_SIZE = 1;
    public const int FALLOC_FL_PUNCH_HOLE = 2;

    public const int SIGUSR1 = 10;
    public const int SIGPIPE = 13;

    public const long SYS_gettid = 186;
    public const long SYS_tgkill = 234;
}

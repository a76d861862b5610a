using Candela.Guest.Native;

namespace Candela.Guest.Boot;

/// <summary>The network interface <c>lo</c>.</summary>
internal static unsafe class Loopback
{
    // struct ifreq
    private const int RequestBytes = 40;
    private const int FlagsAt = 16;

    /// <summary>Switches it on; the kernel gives it its addresses.</summary>
    /// <exception cref="AgentFailure">A call failed.</exception>
    public static void SwitchOn()
    {
        var fd = Errno.Check(Libc.socket(Linux.AF_INET, Linux.SOCK_DGRAM | Linux.SOCK_CLOEXEC, 0), "socket");
        var request = stackalloc byte[RequestBytes];
        new Span<byte>(request, RequestBytes).Clear();
        "lo"u8.CopyTo(new Span<byte>(request, FlagsAt));
        Errno.Check(Libc.ioctl(fd, Linux.SIOCGIFFLAGS, request), "SIOCGIFFLAGS lo");
        *(short*)(request + FlagsAt) |= Linux.IFF_UP;
        Errno.Check(Libc.ioctl(fd, Linux.SIOCSIFFLAGS, request), "SIOCSIFFLAGS lo");
        _ = Libc.close(fd);
    }
}

using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Candela.Network.Native;

/// <summary>System calls; names and numbers as in Linux's headers (x86-64).</summary>
internal static unsafe partial class Libc
{
    public const int O_RDONLY = 0, O_RDWR = 2, O_CREAT = 0x40, O_CLOEXEC = 0x80000, O_NONBLOCK = 0x800;
    public const int AF_NETLINK = 16, SOCK_RAW = 3, SOCK_CLOEXEC = 0x80000, SOCK_NONBLOCK = 0x800;
    public const int SOL_SOCKET = 1, SO_SNDBUFFORCE = 32, SO_RCVBUFFORCE = 33;
    public const int SOL_NETLINK = 270, NETLINK_NO_ENOBUFS = 5, NETLINK_CAP_ACK = 10, NETLINK_EXT_ACK = 11, NETLINK_GET_STRICT_CHK = 12;
    public const int MSG_DONTWAIT = 0x40, MSG_TRUNC = 0x20;
    public const int CLONE_NEWNET = 0x40000000;
    public const ulong MS_BIND = 4096;
    public const int MNT_DETACH = 2;
    public const int EPERM = 1, ENOENT = 2, EINTR = 4, EAGAIN = 11, EBUSY = 16, EEXIST = 17, ENODEV = 19, EINVAL = 22, ESRCH = 3,
        EADDRNOTAVAIL = 99, ENOBUFS = 105, EOPNOTSUPP = 95;
    public const short POLLIN = 1;
    public const int EFD_CLOEXEC = 0x80000, EFD_NONBLOCK = 0x800;

    [StructLayout(LayoutKind.Sequential)]
    public struct Pollfd
    {
        public int Descriptor;
        public short Events;
        public short ReturnedEvents;
    }

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int open(string path, int flags, uint mode);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int socket(int domain, int type, int protocol);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int bind(int fd, byte* address, uint length);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int setsockopt(int fd, int level, int name, void* value, uint length);

    [LibraryImport("libc", SetLastError = true)]
    public static partial nint send(int fd, void* data, nuint length, int flags);

    [LibraryImport("libc", SetLastError = true)]
    public static partial nint recv(int fd, void* buffer, nuint length, int flags);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int eventfd(uint initial, int flags);

    [LibraryImport("libc", SetLastError = true)]
    public static partial nint read(int fd, void* buffer, nuint count);

    [LibraryImport("libc", SetLastError = true)]
    public static partial nint write(int fd, void* data, nuint count);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int poll(Pollfd* descriptors, nuint count, int timeoutMilliseconds);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int setns(int fd, int type);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int unshare(int flags);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int mount(string source, string target, string? type, ulong flags, string? data);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int umount2(string target, int flags);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int ioctl(int fd, ulong request, void* argument);

    /// <summary>The failure of the last call.</summary>
    public static IOException Failure(string what) => new($"{what}: {Marshal.GetLastPInvokeErrorMessage()}", Marshal.GetLastPInvokeError());

    /// <summary>Throws when a call failed.</summary>
    public static long Check(long result, string what) => result >= 0 ? result : throw Failure(what);

    /// <summary>Owns a new descriptor, or throws.</summary>
    public static SafeFileHandle Own(int fd, string what) => fd >= 0 ? new SafeFileHandle(fd, ownsHandle: true) : throw Failure(what);

    /// <summary>The number behind a handle, which must be kept alive.</summary>
    public static int Number(this SafeFileHandle handle) => (int)handle.DangerousGetHandle();
}

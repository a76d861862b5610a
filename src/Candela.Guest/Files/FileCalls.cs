using System.Runtime.InteropServices;

namespace Candela.Guest.Files;

/// <summary>
/// File calls of libc on descriptors and byte strings: names in a container are bytes, not text.
/// Each returns the call's result, or the negative error number. Names end with a zero byte.
/// </summary>
internal static unsafe partial class FileCalls
{
    // include/uapi/asm-generic/fcntl.h
    public const int O_RDONLY = 0, O_WRONLY = 1, O_CREAT = 0x40, O_EXCL = 0x80, O_NOCTTY = 0x100, O_NONBLOCK = 0x800;
    public const int O_DIRECTORY = 0x10000, O_NOFOLLOW = 0x20000, O_CLOEXEC = 0x80000, O_PATH = 0x200000;

    // include/uapi/linux/fcntl.h
    public const int AT_FDCWD = -100, AT_SYMLINK_NOFOLLOW = 0x100, AT_REMOVEDIR = 0x200, AT_EMPTY_PATH = 0x1000;

    // include/uapi/linux/openat2.h
    public const ulong RESOLVE_NO_MAGICLINKS = 2, RESOLVE_IN_ROOT = 0x10;

    // include/uapi/asm-generic/errno-base.h, errno.h
    public const int EPERM = 1, ENOENT = 2, EINTR = 4, EAGAIN = 11, EEXIST = 17, ENOTDIR = 20, EISDIR = 21, EINVAL = 22, ENOSPC = 28, EROFS = 30;
    public const int ENOTEMPTY = 39, ELOOP = 40, ENOTSUP = 95, EDQUOT = 122;

    // include/uapi/linux/mount.h
    private const int OPEN_TREE_CLONE = 1;

    private const nint SYS_getdents64 = 217, SYS_open_tree = 428, SYS_openat2 = 437;

    /// <summary>A transient EAGAIN of openat2 (a rename went on somewhere) is tried again so often.</summary>
    private const int ResolveAttempts = 64;

    /// <summary>struct open_how, include/uapi/linux/openat2.h.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct OpenHow
    {
        public ulong Flags;
        public ulong Mode;
        public ulong Resolve;
    }

    /// <summary>struct timespec.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct TimeSpec
    {
        public long Seconds;
        public long Nanoseconds;
    }

    /// <summary>openat2(2): every step of the path, symbolic links included, stays below the folder.</summary>
    public static int OpenInRoot(int folder, ReadOnlySpan<byte> path, int flags)
    {
        var how = new OpenHow { Flags = (ulong)(flags | O_CLOEXEC), Resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS };
        fixed (byte* name = path)
        {
            for (var attempt = 0; ; attempt++)
            {
                var result = Result(syscall(SYS_openat2, folder, (nint)name, (nint)(&how), sizeof(OpenHow)));
                if ((result != -EAGAIN && result != -EINTR) || attempt == ResolveAttempts)
                    return (int)result;
            }
        }
    }

    /// <summary>open_tree(2): a copy of the mount at a path without those in it, which goes with its descriptor.</summary>
    public static int CloneMount(ReadOnlySpan<byte> path)
    {
        fixed (byte* name = path)
            return (int)Result(syscall(SYS_open_tree, AT_FDCWD, (nint)name, OPEN_TREE_CLONE | O_CLOEXEC, 0));
    }

    public static int OpenAt(int folder, ReadOnlySpan<byte> path, int flags, uint mode = 0)
    {
        fixed (byte* name = path)
            return Result(openat(folder, name, flags | O_CLOEXEC, mode));
    }

    public static int Close(int file) => Result(close(file));

    /// <summary>Bytes read, 0 at the end.</summary>
    public static int Read(int file, Span<byte> buffer)
    {
        fixed (byte* bytes = buffer)
        {
            while (true)
            {
                var result = (int)Result(read(file, bytes, (nuint)buffer.Length));
                if (result != -EINTR)
                    return result;
            }
        }
    }

    /// <summary>Writes everything: 0, or the negative error number.</summary>
    public static int WriteAll(int file, ReadOnlySpan<byte> data)
    {
        fixed (byte* bytes = data)
        {
            for (var at = 0; at < data.Length;)
            {
                var result = (int)Result(write(file, bytes + at, (nuint)(data.Length - at)));
                if (result < 0 && result != -EINTR)
                    return result;
                at += int.Max(result, 0);
            }
        }

        return 0;
    }

    /// <summary>Fills the buffer with struct linux_dirent64 records: bytes, 0 at the end.</summary>
    public static int ReadFolder(int folder, Span<byte> buffer)
    {
        fixed (byte* bytes = buffer)
            return (int)Result(syscall(SYS_getdents64, folder, (nint)bytes, buffer.Length, 0));
    }

    public static int ReadLinkAt(int folder, ReadOnlySpan<byte> path, Span<byte> buffer)
    {
        fixed (byte* name = path)
        fixed (byte* bytes = buffer)
            return (int)Result(readlinkat(folder, name, bytes, (nuint)buffer.Length));
    }

    public static int MakeFolderAt(int folder, ReadOnlySpan<byte> path, uint mode)
    {
        fixed (byte* name = path)
            return Result(mkdirat(folder, name, mode));
    }

    public static int MakeNodeAt(int folder, ReadOnlySpan<byte> path, uint mode, ulong device)
    {
        fixed (byte* name = path)
            return Result(mknodat(folder, name, mode, device));
    }

    public static int SymlinkAt(ReadOnlySpan<byte> target, int folder, ReadOnlySpan<byte> path)
    {
        fixed (byte* text = target)
        fixed (byte* name = path)
            return Result(symlinkat(text, folder, name));
    }

    /// <summary>Gives an open file another name (AT_EMPTY_PATH).</summary>
    public static int LinkAt(int file, int folder, ReadOnlySpan<byte> path)
    {
        byte empty = 0;
        fixed (byte* name = path)
            return Result(linkat(file, &empty, folder, name, AT_EMPTY_PATH));
    }

    public static int UnlinkAt(int folder, ReadOnlySpan<byte> path, int flags)
    {
        fixed (byte* name = path)
            return Result(unlinkat(folder, name, flags));
    }

    /// <summary>Owner of a name, never of what a symbolic link there points to.</summary>
    public static int ChangeOwnerAt(int folder, ReadOnlySpan<byte> path, uint user, uint group)
    {
        fixed (byte* name = path)
            return Result(fchownat(folder, name, user, group, AT_SYMLINK_NOFOLLOW));
    }

    public static int ChangeOwner(int file, uint user, uint group) => Result(fchown(file, user, group));

    public static int ChangeMode(int file, uint mode) => Result(fchmod(file, mode));

    /// <summary>Times of a name, never of what a symbolic link there points to.</summary>
    public static int SetTimesAt(int folder, ReadOnlySpan<byte> path, TimeSpec accessed, TimeSpec modified)
    {
        var times = stackalloc TimeSpec[] { accessed, modified };
        fixed (byte* name = path)
            return Result(utimensat(folder, name, times, AT_SYMLINK_NOFOLLOW));
    }

    public static int SetTimes(int file, TimeSpec accessed, TimeSpec modified)
    {
        var times = stackalloc TimeSpec[] { accessed, modified };
        return Result(futimens(file, times));
    }

    /// <summary>Names of extended attributes, each ended by a zero byte.</summary>
    public static int ListAttributes(int file, Span<byte> buffer)
    {
        fixed (byte* bytes = buffer)
            return (int)Result(flistxattr(file, bytes, (nuint)buffer.Length));
    }

    public static int GetAttribute(int file, ReadOnlySpan<byte> attribute, Span<byte> buffer)
    {
        fixed (byte* name = attribute)
        fixed (byte* bytes = buffer)
            return (int)Result(fgetxattr(file, name, bytes, (nuint)buffer.Length));
    }

    public static int SetAttribute(int file, ReadOnlySpan<byte> attribute, ReadOnlySpan<byte> value)
    {
        fixed (byte* name = attribute)
        fixed (byte* bytes = value)
            return Result(fsetxattr(file, name, bytes, (nuint)value.Length, 0));
    }

    public static uint SetUmask(uint mask) => umask(mask);

    /// <summary>statx(2) of a name, never of what a symbolic link there points to; an empty name is the descriptor itself.</summary>
    public static int Status(int folder, ReadOnlySpan<byte> path, out FileStatus status)
    {
        fixed (byte* name = path)
        fixed (FileStatus* result = &status)
            return Result(statx(folder, name, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH, FileStatus.STATX_BASIC_STATS, result));
    }

    private static int Result(int result) => result == -1 ? -Marshal.GetLastPInvokeError() : result;

    private static nint Result(nint result) => result == -1 ? -Marshal.GetLastPInvokeError() : result;

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint syscall(nint number, nint a, nint b, nint c, nint d);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int openat(int folder, byte* path, int flags, uint mode);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int close(int file);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint read(int file, byte* buffer, nuint count);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint write(int file, byte* buffer, nuint count);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint readlinkat(int folder, byte* path, byte* buffer, nuint size);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int mkdirat(int folder, byte* path, uint mode);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int mknodat(int folder, byte* path, uint mode, ulong device);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int symlinkat(byte* target, int folder, byte* path);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int linkat(int oldFolder, byte* oldPath, int newFolder, byte* newPath, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int unlinkat(int folder, byte* path, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fchownat(int folder, byte* path, uint user, uint group, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fchown(int file, uint user, uint group);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fchmod(int file, uint mode);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int utimensat(int folder, byte* path, TimeSpec* times, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int futimens(int file, TimeSpec* times);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint flistxattr(int file, byte* list, nuint size);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint fgetxattr(int file, byte* name, byte* value, nuint size);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fsetxattr(int file, byte* name, byte* value, nuint size, int flags);

    [LibraryImport("libc")]
    private static partial uint umask(uint mask);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int statx(int folder, byte* path, int flags, uint mask, FileStatus* status);
}

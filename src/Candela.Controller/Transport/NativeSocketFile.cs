using System.Buffers.Binary;
using System.ComponentModel;
using System.Runtime.InteropServices;

namespace Candela.Controller.Transport;

/// <summary>Calls of Linux that .NET does not offer, as far as socket files need them.</summary>
internal static partial class NativeSocketFile
{
    // statx(2), linux/stat.h and linux/fcntl.h
    private const int AT_FDCWD = -100;
    private const int AT_SYMLINK_NOFOLLOW = 0x100;
    private const uint STATX_TYPE = 0x1;
    private const uint STATX_INO = 0x100;
    private const int StatxBytes = 256;
    private const int S_IFMT = 0xF000;
    private const int S_IFSOCK = 0xC000;

    [LibraryImport("libc", EntryPoint = "fchmod", SetLastError = true)]
    public static partial int FChMod(int fd, uint mode);

    [LibraryImport("libc", EntryPoint = "lchown", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int LChOwn(string path, uint owner, uint group);

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int StatX(int folder, string path, int flags, uint mask, Span<byte> buffer);

    public static bool IsSocket(string path)
    {
        Span<byte> buffer = stackalloc byte[StatxBytes];
        return StatX(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, STATX_TYPE, buffer) == 0
            && (BinaryPrimitives.ReadUInt16LittleEndian(buffer[28..]) & S_IFMT) == S_IFSOCK;
    }

    public static (ulong Device, ulong Inode) Identify(string path) =>
        TryIdentify(path, out var identity) ? identity : throw new Win32Exception();

    public static bool TryIdentify(string path, out (ulong Device, ulong Inode) identity)
    {
        Span<byte> buffer = stackalloc byte[StatxBytes];
        var found = StatX(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, STATX_INO, buffer) == 0;
        identity = (BinaryPrimitives.ReadUInt64LittleEndian(buffer[136..]), BinaryPrimitives.ReadUInt64LittleEndian(buffer[32..]));
        return found;
    }
}

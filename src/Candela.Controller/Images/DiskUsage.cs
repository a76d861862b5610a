using System.Runtime.InteropServices;

namespace Candela.Controller.Images;

/// <summary>Disk usage as du(1) counts it: allocated blocks, hard links once.</summary>
internal static partial class DiskUsage
{
    // statx(2), linux/stat.h and linux/fcntl.h
    private const int AT_FDCWD = -100;
    private const int AT_SYMLINK_NOFOLLOW = 0x100;
    private const uint STATX_INO = 0x100;
    private const uint STATX_BLOCKS = 0x400;
    private const int StatxBytes = 256;
    private const int InodeOffset = 32;
    private const int BlocksOffset = 48;
    private const int BlockBytes = 512;

    /// <summary>Bytes of all files below a folder; 0 when there is none.</summary>
    public static long OfFolder(string folder, CancellationToken cancellationToken)
    {
        if (!Directory.Exists(folder))
            return 0;
        var everything = new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.ReparsePoint, IgnoreInaccessible = true };
        var seen = new HashSet<ulong>();
        var total = 0L;
        Span<byte> buffer = stackalloc byte[StatxBytes];
        foreach (var path in Directory.EnumerateFiles(folder, "*", everything))
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (StatX(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, STATX_INO | STATX_BLOCKS, buffer) == 0
                && seen.Add(MemoryMarshal.Read<ulong>(buffer[InodeOffset..])))
                total += MemoryMarshal.Read<long>(buffer[BlocksOffset..]) * BlockBytes;
        }

        return total;
    }

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int StatX(int folder, string path, int flags, uint mask, Span<byte> buffer);
}

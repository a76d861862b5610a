using System.ComponentModel;
using System.Runtime.InteropServices;
using Candela.Model;
using Microsoft.Win32.SafeHandles;

namespace Candela.Machine.Native;

/// <summary>Linux file operations that .NET does not offer.</summary>
internal static partial class LinuxFile
{
    // include/uapi/linux/fs.h: FICLONE = _IOW(0x94, 9, int).
    private const ulong Ficlone = 0x40049409;

    // include/uapi/linux/fs.h
    private const int SeekData = 3;
    private const int SeekHole = 4;

    // include/uapi/asm-generic/errno.h
    private const int Enxio = 6;
    private const int Enospc = 28;

    /// <summary>Copies a sparse file: by reference where the file system can (FICLONE), else its data extents only.</summary>
    /// <exception cref="CandelaException">ResourceExhausted when the disk is full; the destination is deleted.</exception>
    public static void CopySparse(string source, string destination)
    {
        try
        {
            using SafeFileHandle from = File.OpenHandle(source, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            using SafeFileHandle to = File.OpenHandle(destination, FileMode.Create, FileAccess.ReadWrite, FileShare.None);
            if (Ioctl(to, Ficlone, (int)from.DangerousGetHandle()) == 0)
                return;

            long length = RandomAccess.GetLength(from);
            RandomAccess.SetLength(to, length);
            CopyExtents(from, to, length);
        }
        catch (Exception e) when (e is Win32Exception or IOException)
        {
            File.Delete(destination);
            if (e is Win32Exception { NativeErrorCode: Enospc } || e.HResult == Enospc)
                throw new CandelaException(ErrorCode.ResourceExhausted, $"no space left on the disk that holds {Path.GetDirectoryName(destination)}: free some space and try again", e);
            throw;
        }
    }

    private static void CopyExtents(SafeFileHandle from, SafeFileHandle to, long length)
    {
        long position = 0;
        while (position < length)
        {
            long data = Seek(from, position, SeekData);
            if (data < 0)
            {
                if (Marshal.GetLastPInvokeError() == Enxio)
                    return;
                throw new Win32Exception(Marshal.GetLastPInvokeError());
            }

            long hole = Seek(from, data, SeekHole);
            if (hole < 0)
                throw new Win32Exception(Marshal.GetLastPInvokeError());
            long input = data;
            long output = data;
            while (input < hole)
            {
                if (CopyFileRange(from, ref input, to, ref output, (nuint)(hole - input), 0) <= 0)
                    throw new Win32Exception(Marshal.GetLastPInvokeError());
            }

            position = hole;
        }
    }

    /// <summary>Bytes that a file occupies on disk (st_blocks), 0 when it is not there.</summary>
    public static unsafe long AllocatedBytes(string path)
    {
        // statx(2): struct statx, stx_blocks at offset 48; STATX_BLOCKS = 0x400, AT_FDCWD = -100.
        byte* buffer = stackalloc byte[256];
        return Statx(-100, path, 0, 0x400, buffer) == 0 ? *(long*)(buffer + 48) * 512 : 0;
    }

    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    private static partial int Ioctl(SafeFileHandle file, ulong request, int argument);

    [LibraryImport("libc", EntryPoint = "lseek", SetLastError = true)]
    private static partial long Seek(SafeFileHandle file, long offset, int whence);

    [LibraryImport("libc", EntryPoint = "copy_file_range", SetLastError = true)]
    private static partial nint CopyFileRange(SafeFileHandle from, ref long fromOffset, SafeFileHandle to, ref long toOffset, nuint length, uint flags);

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static unsafe partial int Statx(int folder, string path, int flags, uint mask, byte* buffer);
}

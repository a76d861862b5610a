using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Candela.State.Sqlite.Native;

/// <summary>flock(2): the kernel gives the lock back when the process ends, however it ends.</summary>
internal static partial class FileLock
{
    // include/uapi/asm-generic/fcntl.h
    private const int O_RDWR = 2;
    private const int O_CREAT = 0x40;
    private const int O_CLOEXEC = 0x80000;
    private const int LOCK_EX = 2;
    private const int LOCK_NB = 4;
    private const int LOCK_UN = 8;
    private const int EWOULDBLOCK = 11;

    /// <summary>Takes the lock of a file (made when absent), or returns null when another process has it.</summary>
    public static SafeFileHandle? TryTake(string path)
    {
        // Not File.OpenHandle: .NET takes locks of its own there and reports them as other errors.
        var file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0b110_000_000);
        if (!file.IsInvalid && flock(file, LOCK_EX | LOCK_NB) == 0)
            return file;
        int error = Marshal.GetLastPInvokeError();
        file.Dispose();
        return error == EWOULDBLOCK ? null : throw new StateStoreException($"cannot lock {path}: {Marshal.GetPInvokeErrorMessage(error)}");
    }

    /// <summary>Gives the lock back at once: closing alone would leave it to a child that is being forked just then.</summary>
    public static void Release(SafeFileHandle file)
    {
        _ = flock(file, LOCK_UN);
        file.Dispose();
    }

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial SafeFileHandle open(string path, int flags, uint mode);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int flock(SafeFileHandle file, int operation);
}

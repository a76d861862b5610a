using System.ComponentModel;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Candela.Os.Native;

/// <summary>flock(2) on a file in a folder: one process at a time works there. The kernel releases it when the process ends.</summary>
internal static partial class FolderLock
{
    // include/uapi/asm-generic/fcntl.h
    private const int O_RDWR = 2;
    private const int O_CREAT = 0x40;
    private const int O_CLOEXEC = 0x80000;
    private const int LOCK_EX = 2;
    private const int LOCK_NB = 4;
    private const int EWOULDBLOCK = 11;

    private static readonly TimeSpan RetryInterval = TimeSpan.FromMilliseconds(100);

    /// <summary>Waits for the folder's lock; disposing the handle releases it.</summary>
    public static async Task<SafeFileHandle> TakeAsync(string folder, CancellationToken cancellationToken)
    {
        string path = Path.Combine(folder, "lock");
        // Not File.OpenHandle: .NET takes locks of its own there and reports them as other errors.
        SafeFileHandle file = Open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0b110_000_000);
        try
        {
            if (file.IsInvalid)
                throw new Win32Exception(Marshal.GetLastPInvokeError(), $"cannot open {path}: {Marshal.GetLastPInvokeErrorMessage()}");
            while (Flock(file, LOCK_EX | LOCK_NB) != 0)
            {
                int error = Marshal.GetLastPInvokeError();
                if (error != EWOULDBLOCK)
                    throw new Win32Exception(error, $"cannot lock {path}: {Marshal.GetPInvokeErrorMessage(error)}");
                await Task.Delay(RetryInterval, cancellationToken);
            }

            return file;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial SafeFileHandle Open(string path, int flags, uint mode);

    [LibraryImport("libc", EntryPoint = "flock", SetLastError = true)]
    private static partial int Flock(SafeFileHandle file, int operation);
}

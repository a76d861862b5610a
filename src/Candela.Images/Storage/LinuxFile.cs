using System.ComponentModel;
using System.Runtime.InteropServices;
using Candela.Model;
using Microsoft.Win32.SafeHandles;

namespace Candela.Images.Storage;

/// <summary>Linux file operations that .NET does not offer.</summary>
internal static partial class LinuxFile
{
    // include/uapi/asm-generic/fcntl.h
    private const int O_RDONLY = 0;
    private const int O_RDWR = 2;
    private const int O_CREAT = 0x40;
    private const int O_DIRECTORY = 0x10000;
    private const int O_CLOEXEC = 0x80000;
    private const int LOCK_EX = 2;
    private const int LOCK_NB = 4;
    private const int LOCK_UN = 8;

    // include/uapi/asm-generic/errno-base.h, errno.h
    private const int EAGAIN = 11;
    private const int ENOSPC = 28;
    private const int EDQUOT = 122;

    /// <summary>Takes the flock(2) of a file (made when absent) until <see cref="Unlock"/> or the process's end; null when another process has it.</summary>
    public static SafeFileHandle? TryLock(string path)
    {
        // Not File.OpenHandle: .NET takes locks of its own there and reports them as other errors.
        SafeFileHandle file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0b110_000_000);
        if (!file.IsInvalid && flock(file, LOCK_EX | LOCK_NB) == 0)
            return file;
        int error = Marshal.GetLastPInvokeError();
        file.Dispose();
        return error == EAGAIN ? null : throw new IOException($"cannot lock {path}: {Marshal.GetPInvokeErrorMessage(error)}", error);
    }

    /// <summary>
    /// Gives a lock back and closes its file. Closing alone would leave it to copies of the descriptor: a child that is being started has one
    /// until it runs its program. May be called again.
    /// </summary>
    public static void Unlock(SafeFileHandle file)
    {
        if (!file.IsClosed)
            _ = flock(file, LOCK_UN);
        file.Dispose();
    }

    /// <summary>Makes the names in a folder durable.</summary>
    public static void SyncFolder(string path)
    {
        using SafeFileHandle folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
        if (folder.IsInvalid || fsync(folder) != 0)
            throw LastError(path);
    }

    /// <summary>Makes a file's content durable.</summary>
    public static void SyncFile(string path)
    {
        using SafeFileHandle file = open(path, O_RDONLY | O_CLOEXEC, 0);
        if (file.IsInvalid || fsync(file) != 0)
            throw LastError(path);
    }

    /// <summary>Changes a file's owner and group.</summary>
    public static void ChangeOwner(string path, uint user, uint group)
    {
        if (chown(path, user, group) != 0)
            throw LastError(path);
    }

    /// <summary>Whether an I/O failure means that the disk, or a quota on it, is full.</summary>
    public static bool IsDiskFull(Exception error) => error switch
    {
        Win32Exception { NativeErrorCode: ENOSPC or EDQUOT } => true,
        IOException { HResult: ENOSPC or EDQUOT } => true,
        _ => false,
    };

    /// <summary>The failure to give for a full disk.</summary>
    public static CandelaException DiskFull(string folder, Exception? inner = null) =>
        new(ErrorCode.ResourceExhausted, $"no space left on the disk that holds {folder}: free some space (candela image prune) and try again", inner);

    private static IOException LastError(string path)
    {
        int error = Marshal.GetLastPInvokeError();
        return new IOException($"{path}: {Marshal.GetPInvokeErrorMessage(error)}", error);
    }

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial SafeFileHandle open(string path, int flags, uint mode);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int flock(SafeFileHandle file, int operation);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fsync(SafeFileHandle file);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int chown(string path, uint user, uint group);
}

using Candela.Network.Native;
using Microsoft.Win32.SafeHandles;
using static Candela.Network.Native.Libc;

namespace Candela.Network.Namespaces;

/// <summary>
/// A network namespace (network_namespaces(7)), held by a descriptor. Sockets, taps and sysctls that are opened inside
/// <see cref="Run{T}"/> belong to it for good; the calling thread is back in its own namespace afterwards.
/// </summary>
public sealed class NetworkNamespace : IDisposable
{
    private NetworkNamespace(SafeFileHandle handle, string? path) => (Handle, Path) = (handle, path);

    /// <summary>The file that keeps the namespace alive when no process is in it, if it has one.</summary>
    public string? Path { get; }

    internal SafeFileHandle Handle { get; }

    /// <summary>The namespace of the calling thread.</summary>
    public static NetworkNamespace Current() => new(Own(open(CurrentPath, O_RDONLY | O_CLOEXEC, 0), "opening the network namespace of this thread"), null);

    /// <summary>A new namespace that ends with this handle and whatever else uses it.</summary>
    /// <exception cref="IOException">The kernel refuses, e.g. for lack of CAP_SYS_ADMIN.</exception>
    public static NetworkNamespace CreateAnonymous() => Create(null);

    /// <summary>A new namespace that outlives this process: it is mounted on a file, which must not exist.</summary>
    /// <exception cref="IOException">The file exists, or the kernel refuses.</exception>
    public static NetworkNamespace CreateAt(string path)
    {
        // The mount point first: an existing one belongs to somebody.
        Own(open(path, O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0x100), $"making {path}").Dispose();
        try
        {
            return Create(path);
        }
        catch
        {
            File.Delete(path);
            throw;
        }
    }

    /// <summary>Opens the namespace mounted on a file.</summary>
    /// <returns>Null when there is no such file, or one without a namespace (left by a reboot).</returns>
    public static unsafe NetworkNamespace? TryOpenAt(string path)
    {
        int fd = open(path, O_RDONLY | O_CLOEXEC, 0);
        if (fd < 0)
            return null;
        var handle = new SafeFileHandle(fd, ownsHandle: true);
        if (ioctl(fd, NS_GET_NSTYPE, null) == CLONE_NEWNET)
            return new NetworkNamespace(handle, path);
        handle.Dispose();
        return null;
    }

    /// <summary>Lets go of the namespace mounted on a file and deletes the file; nothing happens when there is none.</summary>
    /// <remarks>The namespace ends with its last socket, tap or process.</remarks>
    public static void DeleteAt(string path)
    {
        if (!File.Exists(path))
            return;
        if (umount2(path, MNT_DETACH) < 0 && System.Runtime.InteropServices.Marshal.GetLastPInvokeError() != EINVAL)
            throw Failure($"unmounting {path}");
        File.Delete(path);
    }

    /// <summary>Does something synchronous inside the namespace.</summary>
    public T Run<T>(Func<T> action)
    {
        using SafeFileHandle home = Own(open(CurrentPath, O_RDONLY | O_CLOEXEC, 0), "opening the network namespace of this thread");
        Check(setns(Handle.Number(), CLONE_NEWNET), $"entering the network namespace {Path}");
        try
        {
            return action();
        }
        finally
        {
            GoBack(home);
        }
    }

    /// <summary>Does something synchronous inside the namespace.</summary>
    public void Run(Action action) => Run(() =>
    {
        action();
        return true;
    });

    /// <summary>Sets a kernel parameter below /proc/sys/net in the namespace, e.g. <c>ipv4/ip_forward</c>.</summary>
    /// <exception cref="IOException">The kernel has no such parameter or refuses the value.</exception>
    public void SetParameter(string name, string value) => Run(() => File.WriteAllText($"/proc/sys/net/{name}", value));

    /// <summary>Reads a kernel parameter below /proc/sys/net; null when the kernel has none of that name.</summary>
    public string? GetParameter(string name) => Run(() =>
    {
        string path = $"/proc/sys/net/{name}";
        return File.Exists(path) ? File.ReadAllText(path).Trim() : null;
    });

    /// <inheritdoc/>
    public void Dispose() => Handle.Dispose();

    private const string CurrentPath = "/proc/thread-self/ns/net";
    private const int O_EXCL = 0x80;
    private const ulong NS_GET_NSTYPE = 0xb703; // linux/nsfs.h

    private static unsafe NetworkNamespace Create(string? path)
    {
        using SafeFileHandle home = Own(open(CurrentPath, O_RDONLY | O_CLOEXEC, 0), "opening the network namespace of this thread");
        Check(unshare(CLONE_NEWNET), "making a network namespace");
        try
        {
            if (path is not null)
                Check(mount(CurrentPath, path, null, MS_BIND, null), $"mounting a network namespace on {path}");
            return new NetworkNamespace(Own(open(CurrentPath, O_RDONLY | O_CLOEXEC, 0), "opening a new network namespace"), path);
        }
        finally
        {
            GoBack(home);
        }
    }

    // A thread that stays in a foreign namespace would give whatever runs on it next the wrong network.
    private static void GoBack(SafeFileHandle home)
    {
        if (setns(home.Number(), CLONE_NEWNET) < 0)
            Environment.FailFast("a thread could not leave a network namespace that it had entered");
    }
}

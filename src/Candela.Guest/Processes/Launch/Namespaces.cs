using Candela.Guest.Native;

namespace Candela.Guest.Processes.Launch;

/// <summary>Namespaces of the container's first process, for those that join it.</summary>
internal sealed class Namespaces : IDisposable
{
    private Namespaces(int processId) =>
        (Pid, Mount, Cgroup) = (Open(processId, "pid"), Open(processId, "mnt"), Open(processId, "cgroup"));

    public int Pid { get; }

    public int Mount { get; }

    public int Cgroup { get; }

    /// <summary>Null: the process has ended already.</summary>
    public static Namespaces? TryOpen(int processId)
    {
        var opened = new Namespaces(processId);
        if (opened.Pid >= 0 && opened.Mount >= 0 && opened.Cgroup >= 0)
            return opened;
        opened.Dispose();
        return null;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var fd in (ReadOnlySpan<int>)[Pid, Mount, Cgroup])
        {
            if (fd >= 0)
                _ = Libc.close(fd);
        }
    }

    private static int Open(int processId, string name) => Libc.open($"/proc/{processId}/ns/{name}", Linux.O_RDONLY | Linux.O_CLOEXEC, 0);
}

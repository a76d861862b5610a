using Candela.Guest.Native;

namespace Candela.Guest.Container;

/// <summary>The container's /sys, read only and without firmware. Made before the micro-VM is cloned, as <see cref="DeviceFolder"/>.</summary>
internal static class KernelFolder
{
    private const string Path = GuestPaths.Kernel;
    private const string Cgroup = "/fs/cgroup";
    private const ulong Plain = Linux.MS_NOSUID | Linux.MS_NODEV | Linux.MS_NOEXEC;

    private static ReadOnlySpan<string> Hidden => new[] { "/firmware", "/devices/virtual/powercap" };

    /// <summary>Makes it at <see cref="GuestPaths.Kernel"/>.</summary>
    /// <exception cref="AgentFailure">A mount failed.</exception>
    public static void Prepare()
    {
        Mounts.Mount("sysfs", Path, "sysfs", Plain | Linux.MS_RDONLY, null);
        Mounts.Bind(GuestPaths.ContainerCgroup, Path + Cgroup);
        Mounts.SetFlags(Path + Cgroup, Plain | Linux.MS_RDONLY);
        foreach (var hidden in Hidden)
        {
            if (Libc.mount("tmpfs", Path + hidden, "tmpfs", Linux.MS_RDONLY, null) < 0 && Errno.Last != Linux.ENOENT)
                throw Errno.Failure($"hide /sys{hidden}", Errno.Last);
        }
    }

    /// <summary>Moves it to the container's /sys, which must be there; a privileged one sees and may write everything.</summary>
    /// <exception cref="AgentFailure">A mount failed.</exception>
    public static void Install(bool privileged)
    {
        if (privileged)
        {
            Mounts.SetFlags(Path, Plain);
            Mounts.SetFlags(Path + Cgroup, Plain);
            foreach (var hidden in Hidden)
                _ = Libc.umount2(Path + hidden, 0);
        }
        Mounts.Move(Path, GuestPaths.Root + "/sys");
    }
}

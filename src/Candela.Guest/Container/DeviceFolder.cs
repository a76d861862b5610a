using Candela.Guest.Native;

namespace Candela.Guest.Container;

/// <summary>
/// The container's /dev: a small tmpfs with the nodes, links and mounts that every container has. Made before the
/// micro-VM is cloned, so that a clone only has to move it.
/// </summary>
internal static class DeviceFolder
{
    private const string Path = GuestPaths.Devices;
    private const long DefaultShmBytes = 64L * 1024 * 1024;
    private const ulong Quiet = Linux.MS_NOSUID | Linux.MS_NOEXEC;
    private const uint AllReadWrite = 0b110_110_110;

    private static ReadOnlySpan<(string Name, uint Major, uint Minor)> Nodes => new (string, uint, uint)[]
    {
        ("null", 1, 3), ("zero", 1, 5), ("full", 1, 7), ("random", 1, 8), ("urandom", 1, 9), ("tty", 5, 0),
    };

    private static ReadOnlySpan<(string Name, string Target)> Links => new (string, string)[]
    {
        ("fd", "/proc/self/fd"), ("stdin", "/proc/self/fd/0"), ("stdout", "/proc/self/fd/1"), ("stderr", "/proc/self/fd/2"),
        ("ptmx", "pts/ptmx"), ("core", "/proc/kcore"),
    };

    /// <summary>Makes it at <see cref="GuestPaths.Devices"/>.</summary>
    /// <exception cref="AgentFailure">A mount failed.</exception>
    public static void Prepare()
    {
        Mounts.Mount("tmpfs", Path, "tmpfs", Linux.MS_NOSUID | Linux.MS_STRICTATIME, "mode=755,size=65536k");
        foreach (var (name, major, minor) in Nodes)
            Errno.Check(Libc.mknod($"{Path}/{name}", Linux.S_IFCHR | AllReadWrite, (major << 8) | minor), $"mknod /dev/{name}");
        foreach (var (name, target) in Links)
            Errno.Check(Libc.symlink(target, $"{Path}/{name}"), $"symlink /dev/{name}");
        SmallFile.Write($"{Path}/console", "");
        foreach (var folder in (ReadOnlySpan<string>)["pts", "shm", "mqueue"])
            Mounts.MakeFolder($"{Path}/{folder}");
        Mounts.Mount("devpts", $"{Path}/pts", "devpts", Quiet, "newinstance,ptmxmode=0666,mode=0620,gid=5");
        Mounts.Mount("shm", $"{Path}/shm", "tmpfs", Quiet | Linux.MS_NODEV, ShmOptions(DefaultShmBytes));
        Mounts.Mount("mqueue", $"{Path}/mqueue", "mqueue", Quiet | Linux.MS_NODEV, null);
    }

    /// <summary>Moves it to the container's /dev, which must be there.</summary>
    /// <exception cref="AgentFailure">A mount failed.</exception>
    public static void Install(long shmSizeBytes)
    {
        if (shmSizeBytes != DefaultShmBytes)
            Errno.Check(Libc.mount(null, $"{Path}/shm", null, Linux.MS_REMOUNT | Quiet | Linux.MS_NODEV, ShmOptions(shmSizeBytes)), "size /dev/shm");
        Mounts.Move(Path, GuestPaths.Root + "/dev");
    }

    private static string ShmOptions(long sizeBytes) => $"mode=1777,size={sizeBytes}";
}

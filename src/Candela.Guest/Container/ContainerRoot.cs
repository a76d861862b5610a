using Candela.Guest.Native;
using Candela.Guest.Protocol;
using Candela.Guest.Protocol.Host;

namespace Candela.Guest.Container;

/// <summary>The container's root, made at <see cref="GuestPaths.Root"/> from the image and the writable layer.</summary>
internal sealed unsafe class ContainerRoot
{
    private const string ImageDevice = "/dev/vda";
    private const string ScratchDevice = "/dev/vdb";
    private const ulong Plain = Linux.MS_NOSUID | Linux.MS_NODEV | Linux.MS_NOEXEC;
    private readonly bool _readOnly;
    private bool _sealed;

    /// <summary>Mounts everything but /proc, which only the container's first process can.</summary>
    /// <exception cref="AgentFailure">A value is malformed or a mount failed.</exception>
    public ContainerRoot(GuestConfiguration configuration)
    {
        _readOnly = configuration.ReadOnlyRoot;
        MountLayers(configuration);
        Folder = Errno.Check(Libc.open(GuestPaths.Root, Linux.O_PATH | Linux.O_DIRECTORY | Linux.O_CLOEXEC, 0), "open the root");
        MakeMountPoint("/proc");
        MakeMountPoint("/sys");
        MakeMountPoint("/dev");
        DeviceFolder.Mount(configuration.ShmSizeBytes);
        Terminals = Errno.Check(Libc.open(GuestPaths.Root + "/dev/pts", Linux.O_PATH | Linux.O_DIRECTORY | Linux.O_CLOEXEC, 0), "open /dev/pts");
        MountSys(configuration.Privileged);
        EtcFiles.Mount(Folder, configuration);
        foreach (var (target, options) in Sorted(configuration.Tmpfs))
            MountTmpfs(RootedPath.Checked(target, "a tmpfs target"), options);
    }

    /// <summary>O_PATH descriptor of the root.</summary>
    public int Folder { get; }

    /// <summary>O_PATH descriptor of the container's /dev/pts.</summary>
    public int Terminals { get; }

    /// <summary>Makes a folder of the container with those above it; one that is there is fine.</summary>
    /// <exception cref="AgentFailure">It cannot be made.</exception>
    public void MakeFolder(string path) => _ = Libc.close(RootedPath.OpenOrMake(Folder, path, isFolder: true));

    /// <summary>Makes a read-only root read-only, once all mount points are there.</summary>
    /// <exception cref="AgentFailure">The kernel refused.</exception>
    public void Seal()
    {
        if (_readOnly && !_sealed)
            Errno.Check(Libc.mount(null, GuestPaths.Root, null, Linux.MS_REMOUNT | Linux.MS_BIND | Linux.MS_RDONLY, null), "make the root read-only");
        _sealed = true;
    }

    private static void MountLayers(GuestConfiguration configuration)
    {
        if (configuration.ImageFileSystem is not ("squashfs" or "erofs"))
            throw new AgentFailure(AgentError.InvalidArgument, "the image's file system must be squashfs or erofs");
        ForgetCached(ImageDevice);
        Mounts.Mount(ImageDevice, GuestPaths.Image, configuration.ImageFileSystem, Linux.MS_RDONLY, null);
        if (configuration.HasScratch && !configuration.ReadOnlyRoot)
        {
            ForgetCached(ScratchDevice);
            Mounts.Mount(ScratchDevice, GuestPaths.Scratch, "ext4", 0, null);
        }
        else
        {
            Mounts.Mount("tmpfs", GuestPaths.Scratch, "tmpfs", 0, "mode=700");
        }
        const string Upper = GuestPaths.Scratch + "/upper";
        const string Work = GuestPaths.Scratch + "/work";
        if (Libc.mkdir(Upper, 0b111_101_101) >= 0)
            CopyOwner(GuestPaths.Image, Upper);
        Mounts.MakeFolder(Work);
        Mounts.Mount("overlay", GuestPaths.Root, "overlay", 0, $"lowerdir={GuestPaths.Image},upperdir={Upper},workdir={Work}");
    }

    private static void MountSys(bool privileged)
    {
        const string Sys = GuestPaths.Root + "/sys";
        const string Cgroup = Sys + "/fs/cgroup";
        var writable = privileged ? 0 : Linux.MS_RDONLY;
        Mounts.Mount("sysfs", Sys, "sysfs", Plain | writable, null);
        Mounts.Bind(GuestPaths.ContainerCgroup, Cgroup);
        Errno.Check(Libc.mount(null, Cgroup, null, Linux.MS_REMOUNT | Linux.MS_BIND | Plain | writable, null), "mount /sys/fs/cgroup");
        if (privileged)
            return;
        foreach (var hidden in (ReadOnlySpan<string>)["/firmware", "/devices/virtual/powercap"])
        {
            if (Libc.mount("tmpfs", Sys + hidden, "tmpfs", Linux.MS_RDONLY, null) < 0 && Errno.Last != Linux.ENOENT)
                throw Errno.Failure($"hide /sys{hidden}", Errno.Last);
        }
    }

    private void MountTmpfs(string target, string options)
    {
        var (flags, data) = TmpfsOptions.Parse(options);
        var folder = RootedPath.OpenOrMake(Folder, target, isFolder: true);
        try
        {
            if (Libc.mount("tmpfs", RootedPath.OfDescriptor(folder), "tmpfs", flags, data) < 0)
                throw new AgentFailure(AgentError.InvalidArgument, $"mount tmpfs on {target} with options {options}: {Errno.Text(Errno.Last)}");
        }
        finally
        {
            _ = Libc.close(folder);
        }
    }

    private void MakeMountPoint(string path)
    {
        MakeFolder(path);
        var folder = RootedPath.Open(Folder, path, Linux.O_PATH | Linux.O_DIRECTORY, Linux.RESOLVE_IN_ROOT | Linux.RESOLVE_NO_SYMLINKS);
        if (folder < 0)
            throw new AgentFailure(AgentError.Failed, $"the image's {path} must be a folder: {Errno.Text(-folder)}");
        _ = Libc.close(folder);
    }

    /// <summary>What was read before the disk was put behind the device must not be believed.</summary>
    private static void ForgetCached(string device)
    {
        var fd = Errno.Check(Libc.open(device, Linux.O_RDONLY | Linux.O_CLOEXEC, 0), $"open {device}");
        _ = Libc.ioctl(fd, Linux.BLKFLSBUF, null);
        _ = Libc.close(fd);
    }

    private static void CopyOwner(string source, string target)
    {
        if (!FileStat.TryGet(source, out var stat))
            return;
        Errno.Check(Libc.chown(target, stat.Uid, stat.Gid), $"chown {target}");
        Errno.Check(Libc.chmod(target, stat.Mode & 0xFFF), $"chmod {target}");
    }

    private static List<KeyValuePair<string, string>> Sorted(IReadOnlyList<KeyValuePair<string, string>> mounts)
    {
        var sorted = new List<KeyValuePair<string, string>>(mounts);
        sorted.Sort(static (a, b) => string.CompareOrdinal(a.Key, b.Key));
        return sorted;
    }
}

using Candela.Guest.Native;
using Candela.Guest.Protocol;
using Candela.Guest.Protocol.Host;

namespace Candela.Guest.Container;

/// <summary>The container's root, made at <see cref="GuestPaths.Root"/> from the image and the writable layer.</summary>
internal sealed unsafe class ContainerRoot
{
    private const string ImageDevice = "/dev/vda";
    private const string ScratchDevice = "/dev/vdb";

    // No work in the background: a container is young and small, or has it done already.
    private const string ScratchOptions = "noinit_itable,no_prefetch_block_bitmaps";
    private readonly bool _readOnly;
    private bool _sealed;

    /// <summary>Mounts everything but /proc, which only the container's first process can.</summary>
    /// <exception cref="AgentFailure">A value is malformed or a mount failed.</exception>
    public ContainerRoot(GuestConfiguration configuration)
    {
        _readOnly = configuration.ReadOnlyRoot;
        IsPrivileged = configuration.Privileged;
        MountLayers(configuration);
        Folder = Errno.Check(Libc.open(GuestPaths.Root, Linux.O_PATH | Linux.O_DIRECTORY | Linux.O_CLOEXEC, 0), "open the root");
        MakeMountPoint("/proc");
        MakeMountPoint("/sys");
        MakeMountPoint("/dev");
        DeviceFolder.Install(configuration.ShmSizeBytes);
        Terminals = Errno.Check(Libc.open(GuestPaths.Root + "/dev/pts", Linux.O_PATH | Linux.O_DIRECTORY | Linux.O_CLOEXEC, 0), "open /dev/pts");
        KernelFolder.Install(configuration.Privileged);
        EtcFiles.Install(Folder, configuration);
        MountInside(configuration);
    }

    /// <summary>A mount within another one comes after it.</summary>
    private void MountInside(GuestConfiguration configuration)
    {
        var mounts = new List<(string Target, Action Mount)>();
        foreach (var (target, options) in configuration.Tmpfs)
            mounts.Add((RootedPath.Checked(target, "a tmpfs target"), () => MountTmpfs(target, options)));
        foreach (var volume in configuration.Volumes)
            mounts.Add((RootedPath.Checked(volume.Target, "a volume's target"), () => VolumeMounts.Mount(Folder, volume)));
        mounts.Sort(static (a, b) => string.CompareOrdinal(a.Target, b.Target));
        foreach (var (_, mount) in mounts)
            mount();
    }

    /// <summary>Nothing is hidden from the container.</summary>
    public bool IsPrivileged { get; }

    /// <summary>O_PATH descriptor of the root.</summary>
    public int Folder { get; }

    /// <summary>O_PATH descriptor of the container's /dev/pts.</summary>
    public int Terminals { get; }

    /// <summary>Makes what does not depend on the container, before there is one.</summary>
    /// <exception cref="AgentFailure">A mount failed.</exception>
    public static void Prepare()
    {
        DeviceFolder.Prepare();
        KernelFolder.Prepare();
        EtcFiles.Prepare();
    }

    /// <summary>Makes a folder of the container with those above it; one that is there is fine.</summary>
    /// <exception cref="AgentFailure">It cannot be made.</exception>
    public void MakeFolder(string path) => _ = Libc.close(RootedPath.OpenOrMake(Folder, path, isFolder: true));

    /// <summary>Makes a read-only root read-only, once all mount points are there.</summary>
    /// <exception cref="AgentFailure">The kernel refused.</exception>
    public void Seal()
    {
        if (_readOnly && !_sealed)
            Mounts.SetFlags(GuestPaths.Root, Linux.MS_RDONLY);
        _sealed = true;
    }

    /// <summary>Closes its descriptors, so that it can be unmounted.</summary>
    public void Close()
    {
        _ = Libc.close(Terminals);
        _ = Libc.close(Folder);
    }

    private static void MountLayers(GuestConfiguration configuration)
    {
        if (configuration.ImageFileSystem is not ("squashfs" or "erofs"))
            throw new AgentFailure(AgentError.InvalidArgument, "the image's file system must be squashfs or erofs");
        Mounts.Mount(ImageDevice, GuestPaths.Image, configuration.ImageFileSystem, Linux.MS_RDONLY, null);
        if (configuration.HasScratch && !configuration.ReadOnlyRoot)
        {
            Mounts.Mount(ScratchDevice, GuestPaths.Scratch, "ext4", 0, ScratchOptions);
        }
        else
        {
            Mounts.Mount("tmpfs", GuestPaths.Scratch, "tmpfs", 0, "mode=700");
        }
        const string Upper = GuestPaths.Scratch + "/upper";
        const string Work = GuestPaths.Scratch + "/work";
        Mounts.MakeFolder(Upper);
        Mounts.MakeFolder(Work);
        CopyOwner(GuestPaths.Image, Upper);
        Mounts.Mount("overlay", GuestPaths.Root, "overlay", 0, $"lowerdir={GuestPaths.Image},upperdir={Upper},workdir={Work}");
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

    private static void CopyOwner(string source, string target)
    {
        if (!FileStat.TryGet(source, out var stat) || !FileStat.TryGet(target, out var present))
            return;
        if ((stat.Uid, stat.Gid, stat.Mode) == (present.Uid, present.Gid, present.Mode))
            return;
        Errno.Check(Libc.chown(target, stat.Uid, stat.Gid), $"chown {target}");
        Errno.Check(Libc.chmod(target, stat.Mode & 0xFFF), $"chmod {target}");
    }
}

using Candela.Guest.Files;
using Candela.Guest.Native;
using Candela.Guest.Protocol;
using Candela.Guest.Protocol.Host;

namespace Candela.Guest.Container;

/// <summary>The container's volumes: each disk is mounted once, out of its sight, and its data folder shown where it is wanted.</summary>
internal static class VolumeMounts
{
    private const int Most = 'z' - 'c' + 1;
    private const string Data = "/data";

    private static readonly List<string> Disks = [];

    /// <summary>Where disks are mounted.</summary>
    public static IReadOnlyList<string> Mounted => Disks;

    /// <summary>Mounts a volume, filling it first when it is empty and that is asked.</summary>
    /// <param name="root">The container's root (O_PATH).</param>
    /// <param name="volume">What and where.</param>
    /// <exception cref="AgentFailure">The disk or the target is not fit for it, or the image's content does not fit on it.</exception>
    public static void Mount(int root, GuestVolume volume)
    {
        if (volume.Disk is < 0 or >= Most)
            throw new AgentFailure(AgentError.InvalidArgument, $"there is no volume disk {volume.Disk}");
        var disk = $"{GuestPaths.Volumes}/{volume.Disk}";
        if (!Disks.Contains(disk))
        {
            Mounts.MakeFolder(disk);
            Mounts.Mount($"/dev/vd{(char)('c' + volume.Disk)}", disk, "ext4", 0, "noinit_itable,no_prefetch_block_bitmaps");
            Disks.Add(disk);
        }

        var data = disk + Data;
        Mounts.MakeFolder(data);
        var target = RootedPath.OpenOrMake(root, volume.Target, isFolder: true);
        try
        {
            if (volume.CopyUp && IsEmpty(data))
                CopyUp(volume.Target, data);
            Mounts.Bind(data, RootedPath.OfDescriptor(target));
        }
        finally
        {
            _ = Libc.close(target);
        }

        if (volume.ReadOnly)
            MakeReadOnly(root, volume.Target);
    }

    /// <summary>All of them are unmounted.</summary>
    public static void Clear() => Disks.Clear();

    private static void MakeReadOnly(int root, string target)
    {
        // Opened again: the descriptor from before the mount is the folder below it.
        var mounted = RootedPath.Open(root, target, Linux.O_PATH | Linux.O_DIRECTORY);
        if (mounted < 0)
            throw Errno.Failure($"open {target}", -mounted);
        try
        {
            Mounts.SetFlags(RootedPath.OfDescriptor(mounted), Linux.MS_RDONLY);
        }
        finally
        {
            _ = Libc.close(mounted);
        }
    }

    private static bool IsEmpty(string path)
    {
        var number = FileCalls.OpenAt(FileCalls.AT_FDCWD, UnixPath.Terminated(System.Text.Encoding.UTF8.GetBytes(path)), FileCalls.O_RDONLY | FileCalls.O_DIRECTORY);
        if (number < 0)
            throw new AgentFailure(AgentError.Failed, $"open {path}: {Errno.Text(-number)}");
        using var reader = new FolderReader(new Descriptor(number), []);
        return reader.Next().IsEmpty;
    }

    /// <summary>As docker cp would: names, owners, modes, times, links and attributes.</summary>
    private static void CopyUp(string target, string data)
    {
        using (var source = ArchiveReader.Open(GuestPaths.Root, target.TrimEnd('/') + "/."))
        using (var writer = ArchiveWriter.Open(data, "/", noOverwriteDirNonDir: false))
        {
            var buffer = new byte[ProtocolLimits.DataFrameBytes];
            for (int count; (count = source.Read(buffer)) > 0;)
                writer.Write(buffer.AsSpan(0, count));
            writer.Complete();
            var owner = source.Owner;
            Errno.Check(Libc.chown(data, owner.UserId, owner.GroupId), $"chown {data}");
            Errno.Check(Libc.chmod(data, owner.Mode & 0xFFFu), $"chmod {data}");
        }
    }
}

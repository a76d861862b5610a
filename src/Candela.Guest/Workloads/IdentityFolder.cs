using Candela.Guest.Container;
using Candela.Guest.Native;
using Candela.Guest.Processes.Launch;
using Candela.Guest.Protocol;
using Candela.Guest.Protocol.Host;

namespace Candela.Guest.Workloads;

/// <summary>
/// The container's identity as files, in memory and read-only for it. All are exchanged at once: who follows the link <c>.current</c> never sees
/// a key that does not belong to its certificate, and can read on while they are exchanged: those before the present ones stay.
/// </summary>
internal sealed class IdentityFolder
{
    private const string Current = ".current";
    private const uint FolderMode = 0b111_101_101;

    private readonly string _path;
    private readonly ProcessUser _owner;
    private int _generation;

    /// <summary>Shows <paramref name="path"/> at <paramref name="target"/> in the container.</summary>
    /// <param name="root">O_PATH descriptor of the container's root.</param>
    /// <param name="target">Where the container sees the files.</param>
    /// <param name="path">Where the agent has them.</param>
    /// <param name="owner">Whose the files are: the user of the container's first process.</param>
    /// <exception cref="AgentFailure">It could not be mounted.</exception>
    public static IdentityFolder Mount(int root, string target, string path, ProcessUser owner)
    {
        var folder = new IdentityFolder(path, owner);
        var covered = RootedPath.OpenOrMake(root, RootedPath.Checked(target, "the folder of identity files"), isFolder: true);
        try
        {
            Mounts.Bind(path, RootedPath.OfDescriptor(covered));
        }
        finally
        {
            _ = Libc.close(covered);
        }
        var mounted = RootedPath.OpenOrMake(root, target, isFolder: true);
        try
        {
            Mounts.SetFlags(RootedPath.OfDescriptor(mounted), Linux.MS_RDONLY | Linux.MS_NOSUID | Linux.MS_NODEV | Linux.MS_NOEXEC);
        }
        finally
        {
            _ = Libc.close(mounted);
        }
        return folder;
    }

    /// <summary>Makes the folder at <paramref name="path"/>.</summary>
    /// <exception cref="AgentFailure">It could not be made.</exception>
    public IdentityFolder(string path, ProcessUser owner)
    {
        (_path, _owner) = (path, owner);
        Mounts.MakeFolder(path);
    }

    /// <summary>Puts these files in place of the former ones.</summary>
    /// <exception cref="AgentFailure">A name is malformed, or a file could not be written.</exception>
    public void Write(IReadOnlyList<GuestFile> files)
    {
        var folder = $".{++_generation}";
        Mounts.MakeFolder($"{_path}/{folder}", FolderMode);
        for (var i = 0; i < files.Count; i++)
            WriteOne($"{_path}/{folder}", files[i]);
        _ = Libc.unlink($"{_path}/{Current}.new");
        Errno.Check(Libc.symlink(folder, $"{_path}/{Current}.new"), "link the identity files");
        Errno.Check(Libc.rename($"{_path}/{Current}.new", $"{_path}/{Current}"), "exchange the identity files");
        for (var i = 0; i < files.Count; i++)
        {
            if (Libc.symlink($"{Current}/{files[i].Name}", $"{_path}/{files[i].Name}") < 0 && Errno.Last != Linux.EEXIST)
                throw Errno.Failure($"link {files[i].Name}", Errno.Last);
        }
        if (_generation <= 2)
            return;
        var former = $"{_path}/.{_generation - 2}";
        for (var i = 0; i < files.Count; i++)
            _ = Libc.unlink($"{former}/{files[i].Name}");
        _ = Libc.rmdir(former);
    }

    private void WriteOne(string folder, GuestFile file)
    {
        if (file.Name.Length == 0 || file.Name.Contains('/') || file.Name.Contains('\0') || file.Name.StartsWith('.'))
            throw new AgentFailure(AgentError.InvalidArgument, "the name of an identity file is malformed");
        SmallFile.Write($"{folder}/{file.Name}", file.Text, file.IsSecret ? 0b100_000_000u : 0b100_100_100u);
        Errno.Check(Libc.chown($"{folder}/{file.Name}", _owner.Uid, _owner.Gid), $"chown {file.Name}");
    }
}

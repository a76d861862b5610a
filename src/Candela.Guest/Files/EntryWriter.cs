using Candela.Guest.Protocol;

namespace Candela.Guest.Files;

/// <summary>Makes the entries of an archive below a folder of the container, by the rules of Docker's unpacking.</summary>
internal sealed class EntryWriter : IDisposable
{
    /// <summary>Folders whose times are set at the end; further ones keep the time of their last change.</summary>
    private const int MaximumFolderTimes = 65_536;

    // include/linux/stat.h
    private const long UTIME_NOW = 0x3FFFFFFF;
    private const uint FolderMode = 0b111_101_101, PrivateFolderMode = 0b111_000_000, PrivateFileMode = 0b110_000_000;

    private readonly ConfinedRoot _root;
    private readonly byte[] _destination;
    private readonly bool _keepsKinds;
    private readonly List<(byte[] Path, FileCalls.TimeSpec Modified)> _folderTimes = [];
    private Descriptor? _parent;
    private byte[] _parentPath = [];
    private Descriptor? _file;
    private TarEntry? _fileEntry;
    private byte[] _fileName = [];

    /// <param name="root">The container's root; disposed with this.</param>
    /// <param name="path">Folder that the entries go into; links on the way are followed.</param>
    /// <param name="keepsKinds">Refuse to replace a folder by something else or the other way round.</param>
    /// <exception cref="AgentFailure">NoSuchPath; InvalidArgument when it is no folder.</exception>
    public EntryWriter(ConfinedRoot root, string path, bool keepsKinds)
    {
        _root = root;
        _keepsKinds = keepsKinds;
        using (var subject = ArchiveSubject.Open(root, path))
            _destination = subject.CleanPath;
        var folder = root.TryOpen(_destination, FileCalls.O_PATH | FileCalls.O_DIRECTORY);
        if (folder == -FileCalls.ENOTDIR)
            throw new AgentFailure(AgentError.InvalidArgument, "extraction point is not a directory");
        new Descriptor(folder >= 0 ? folder : throw FileFailure.Of("open", _destination, folder)).Dispose();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_file is not null)
        {
            _file.Dispose();
            FileCalls.UnlinkAt(_parent!.Number, _fileName, 0);
        }

        _parent?.Dispose();
        _root.Dispose();
    }

    /// <summary>Makes an entry; a file's content follows. False when its content is to be skipped.</summary>
    /// <exception cref="AgentFailure">It could not be made; the message names it.</exception>
    public bool Begin(TarEntry entry)
    {
        if (UnixPath.LeadsAbove(entry.Name))
            throw new AgentFailure(AgentError.InvalidArgument, $"\"{entry.Text}\" is outside of \"{FileFailure.Text(_destination)}\"");
        var relative = UnixPath.Clean(entry.Name);
        if (relative.Length == 1)
            return false; // the folder itself
        var path = UnixPath.Join(_destination, relative.AsSpan(1));
        var name = UnixPath.Terminated(UnixPath.Name(path));
        var parent = Parent(UnixPath.Parent(path));
        var exists = MakeRoom(entry, parent, name, path);
        switch (entry.Type)
        {
            case TarHeader.Folder:
                MakeFolder(entry, parent, name, path, exists);
                return false;
            case TarHeader.File or TarHeader.Contiguous:
                var number = FileCalls.OpenAt(parent, name, FileCalls.O_CREAT | FileCalls.O_EXCL | FileCalls.O_WRONLY | FileCalls.O_NOFOLLOW, PrivateFileMode);
                _file = new Descriptor(Check(number, "open", path));
                _fileEntry = entry;
                _fileName = name;
                return true;
            case TarHeader.HardLink:
                MakeLink(entry, parent, name, path);
                return false;
            case TarHeader.Symlink:
                Check(FileCalls.SymlinkAt(UnixPath.Terminated(entry.Link), parent, name), "symlink", path);
                break;
            case TarHeader.CharacterDevice or TarHeader.BlockDevice or TarHeader.Fifo:
                MakeNode(entry, parent, name, path);
                break;
            default:
                throw new AgentFailure(AgentError.InvalidArgument, $"{entry.Text}: unhandled tar header type {entry.Type}");
        }

        Check(FileCalls.ChangeOwnerAt(parent, name, entry.UserId, entry.GroupId), "lchown", path);
        Check(FileCalls.SetTimesAt(parent, name, entry.Modified, entry.Modified), "utimes", path);
        return false;
    }

    /// <summary>Adds to the file that was begun.</summary>
    /// <exception cref="AgentFailure">It failed; NoSpace when the disk is full.</exception>
    public void Write(ReadOnlySpan<byte> content) => Check(FileCalls.WriteAll(_file!.Number, content), "write", _fileEntry!.Name);

    /// <summary>Ends the file that was begun: owner, attributes, permissions, times.</summary>
    /// <exception cref="AgentFailure">It failed.</exception>
    public void End()
    {
        var (file, entry) = (_file!.Number, _fileEntry!);
        ApplyOwnerAndMode(file, entry, entry.Name);
        Check(FileCalls.SetTimes(file, entry.Modified, entry.Modified), "utimes", entry.Name);
        _file.Dispose();
        _file = null;
    }

    /// <summary>Sets the times of the folders, which their content has changed.</summary>
    public void Finish()
    {
        for (var i = _folderTimes.Count - 1; i >= 0; i--)
        {
            var (path, modified) = _folderTimes[i];
            var number = _root.TryOpen(path, FileCalls.O_RDONLY | FileCalls.O_DIRECTORY | FileCalls.O_NOFOLLOW);
            if (number < 0)
                continue; // removed or replaced by a later entry or by the container
            using var folder = new Descriptor(number);
            Check(FileCalls.SetTimes(number, new FileCalls.TimeSpec { Nanoseconds = UTIME_NOW }, modified), "utimes", path);
        }
    }

    /// <summary>Removes what is in the way; true when a folder is there already and the entry is one too.</summary>
    private bool MakeRoom(TarEntry entry, int parent, byte[] name, byte[] path)
    {
        var error = FileCalls.Status(parent, name, out var status);
        if (error == -FileCalls.ENOENT)
            return false;
        Check(error, "lstat", path);
        var isFolder = status.Type == FileStatus.S_IFDIR;
        var becomesFolder = entry.Type == TarHeader.Folder;
        if (isFolder && becomesFolder)
            return true;
        if (_keepsKinds && isFolder)
            throw new AgentFailure(AgentError.InvalidArgument, $"cannot overwrite directory \"{FileFailure.Text(path)}\" with non-directory \"{FileFailure.Text(_destination)}\"");
        if (_keepsKinds && becomesFolder)
            throw new AgentFailure(AgentError.InvalidArgument, $"cannot overwrite non-directory \"{FileFailure.Text(path)}\" with directory \"{FileFailure.Text(_destination)}\"");
        FolderRemoval.Remove(parent, name, path);
        return false;
    }

    private void MakeFolder(TarEntry entry, int parent, byte[] name, byte[] path, bool exists)
    {
        if (!exists)
            Check(FileCalls.MakeFolderAt(parent, name, PrivateFolderMode), "mkdir", path);
        using var folder = new Descriptor(Check(FileCalls.OpenAt(parent, name, FileCalls.O_RDONLY | FileCalls.O_DIRECTORY | FileCalls.O_NOFOLLOW), "open", path));
        ApplyOwnerAndMode(folder.Number, entry, path);
        if (_folderTimes.Count < MaximumFolderTimes)
            _folderTimes.Add((path, entry.Modified));
    }

    private void MakeLink(TarEntry entry, int parent, byte[] name, byte[] path)
    {
        if (entry.Link.Length == 0 || UnixPath.LeadsAbove(entry.Link))
            throw new AgentFailure(AgentError.InvalidArgument, $"invalid hardlink \"{FileFailure.Text(path)}\" -> \"{FileFailure.Text(entry.Link)}\"");
        var target = UnixPath.Join(_destination, UnixPath.Clean(entry.Link).AsSpan(1));
        using var file = new Descriptor(Check(_root.TryOpen(target, FileCalls.O_PATH | FileCalls.O_NOFOLLOW), "link", target));
        Check(FileCalls.LinkAt(file.Number, parent, name), "link", path);
    }

    private static void MakeNode(TarEntry entry, int parent, byte[] name, byte[] path)
    {
        var (type, device) = entry.Type switch
        {
            TarHeader.CharacterDevice => (FileStatus.S_IFCHR, entry.Device),
            TarHeader.BlockDevice => (FileStatus.S_IFBLK, entry.Device),
            _ => (FileStatus.S_IFIFO, 0UL),
        };
        // chmod(2) by name could follow a link that the container puts there: the mode comes with the making.
        var mask = FileCalls.SetUmask(0);
        var error = FileCalls.MakeNodeAt(parent, name, type | entry.Mode, device);
        FileCalls.SetUmask(mask);
        Check(error, "mknod", path);
    }

    /// <summary>Owner first: chown(2) takes setuid bits and capabilities away.</summary>
    private static void ApplyOwnerAndMode(int file, TarEntry entry, byte[] path)
    {
        Check(FileCalls.ChangeOwner(file, entry.UserId, entry.GroupId), "chown", path);
        foreach (var (attribute, value) in entry.Attributes)
        {
            if (attribute.AsSpan().StartsWith("trusted.overlay."u8))
                continue; // would change how the overlay shows the file
            var error = FileCalls.SetAttribute(file, attribute, value);
            // A file system without them is no failure, as in Docker.
            if (error is not -FileCalls.ENOTSUP and not -FileCalls.EPERM)
                Check(error, "setxattr", path);
        }

        Check(FileCalls.ChangeMode(file, entry.Mode), "chmod", path);
    }

    /// <summary>The open folder of a path; missing ones are made.</summary>
    private int Parent(ReadOnlySpan<byte> path)
    {
        if (_parent is not null && _parentPath.AsSpan().SequenceEqual(path) && IsLinked(_parent))
            return _parent.Number;
        _parent?.Dispose();
        _parent = null;
        _parentPath = path.ToArray();
        _parent = OpenFolder(_parentPath);
        return _parent.Number;
    }

    /// <summary>Whether the folder is still somewhere, that is, not removed by an earlier entry.</summary>
    private static bool IsLinked(Descriptor folder) => FileCalls.Status(folder.Number, "\0"u8, out var status) == 0 && status.LinkCount > 0;

    private Descriptor OpenFolder(byte[] path)
    {
        var number = _root.TryOpen(path, FileCalls.O_PATH | FileCalls.O_DIRECTORY);
        if (number != -FileCalls.ENOENT || path.Length == 1)
            return new Descriptor(Check(number, "open", path));
        using var parent = OpenFolder(UnixPath.Parent(path).ToArray());
        var error = FileCalls.MakeFolderAt(parent.Number, UnixPath.Terminated(UnixPath.Name(path)), FolderMode);
        if (error != -FileCalls.EEXIST)
            Check(error, "mkdir", path);
        return new Descriptor(Check(_root.TryOpen(path, FileCalls.O_PATH | FileCalls.O_DIRECTORY), "open", path));
    }

    private static int Check(int result, string action, ReadOnlySpan<byte> path) => result >= 0 ? result : throw FileFailure.OfEntry(action, path, result);
}

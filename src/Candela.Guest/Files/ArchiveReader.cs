using Candela.Guest.Protocol;
using Candela.Guest.Protocol.Host;

namespace Candela.Guest.Files;

/// <summary>
/// A file or tree of the container as a tar stream, made piece by piece while it is read. A folder's entries are named below the
/// path's last step, as <c>docker cp</c> expects it; sockets are left out, as Docker does.
/// </summary>
internal sealed class ArchiveReader : IArchiveSource
{
    /// <summary>Deepest nesting of folders that is read; each level holds a descriptor open.</summary>
    public const int MaximumDepth = 256;

    /// <summary>Hard links remembered; further ones become files of their own.</summary>
    private const int MaximumHardLinks = 65_536;

    private const int MaximumAttributeBytes = 64 * 1024;

    private readonly ConfinedRoot _root;
    private readonly ArchiveSubject _subject;
    private readonly bool _isWhole;
    private readonly WritableLayer? _layer;
    private readonly List<FolderReader> _open = [];
    private readonly Dictionary<(uint Major, uint Minor, ulong Inode), byte[]> _hardLinks = [];
    private readonly TarHeader _header = new();
    private readonly byte[] _attributeNames = new byte[MaximumAttributeBytes];
    private readonly byte[] _attributeValue = new byte[MaximumAttributeBytes];
    private byte[] _pending = [];
    private int _pendingAt;
    private Descriptor? _file;
    private byte[] _fileName = [];
    private long _fileRest;
    private int _padding;
    private bool _started;
    private bool _ended;

    private ArchiveReader(ConfinedRoot root, ArchiveSubject subject, bool isWhole, WritableLayer? layer)
    {
        _root = root;
        _subject = subject;
        _isWhole = isWhole;
        _layer = layer;
    }

    /// <summary>Stat of the path.</summary>
    public ArchiveStat Stat => _subject.Stat;

    /// <summary>Owner and mode of what is at the path.</summary>
    public FileStatus Owner => _subject.Status;

    /// <summary>Starts to read a path of a root. Rules for links as in <see cref="PathStatReader"/>.</summary>
    /// <exception cref="AgentFailure">NoSuchPath, or a failed call.</exception>
    public static ArchiveReader Open(string root, string path)
    {
        return Open(new ConfinedRoot(root), path, isWhole: false, layer: null);
    }

    /// <summary>Starts to read a whole root without what is mounted in it; its entries have no slash at their beginning.</summary>
    /// <exception cref="AgentFailure">A failed call.</exception>
    public static ArchiveReader OpenWhole(ConfinedRoot root) => Open(root, "/", isWhole: true, layer: null);

    /// <summary>Starts to read a writable layer as a layer of an image (OCI image-spec, layer.md: whiteouts).</summary>
    /// <exception cref="AgentFailure">A failed call.</exception>
    public static ArchiveReader OpenLayer(WritableLayer layer) => Open(new ConfinedRoot(layer.Folder), "/", isWhole: true, layer);

    private static ArchiveReader Open(ConfinedRoot confined, string path, bool isWhole, WritableLayer? layer)
    {
        try
        {
            return new ArchiveReader(confined, ArchiveSubject.Open(confined, path), isWhole, layer);
        }
        catch
        {
            confined.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _file?.Dispose();
        foreach (var folder in _open)
            folder.Dispose();
        _open.Clear();
        _subject.Dispose();
        _root.Dispose();
    }

    /// <summary>Fills the buffer with the next bytes of the archive; 0 only after the last one.</summary>
    /// <exception cref="AgentFailure">A file or folder cannot be read, or a limit is exceeded: the archive is incomplete.</exception>
    public int Read(Span<byte> buffer)
    {
        var length = 0;
        while (length < buffer.Length)
        {
            if (_pendingAt < _pending.Length)
            {
                var count = int.Min(_pending.Length - _pendingAt, buffer.Length - length);
                _pending.AsSpan(_pendingAt, count).CopyTo(buffer[length..]);
                _pendingAt += count;
                length += count;
            }
            else if (_fileRest > 0)
            {
                length += ReadFile(buffer[length..]);
            }
            else if (_file is not null)
            {
                _file.Dispose();
                _file = null;
                SetPending(new byte[_padding]);
            }
            else if (!Advance())
            {
                break;
            }
        }

        return length;
    }

    private int ReadFile(Span<byte> buffer)
    {
        var part = buffer[..(int)long.Min(_fileRest, buffer.Length)];
        var count = FileCalls.Read(_file!.Number, part);
        if (count < 0)
            throw FileFailure.Of("read", _fileName, count);
        if (count == 0)
        {
            // The file became shorter after its header was made: zeros, as GNU tar does.
            part.Clear();
            count = part.Length;
        }

        _fileRest -= count;
        return count;
    }

    /// <summary>Makes the next entry; false after the end of the archive.</summary>
    private bool Advance()
    {
        if (_ended)
            return false;
        if (!_started)
        {
            _started = true;
            AddSubject();
            return true;
        }

        while (_open.Count > 0)
        {
            var folder = _open[^1];
            var name = folder.Next();
            if (name.IsEmpty)
            {
                folder.Dispose();
                _open.RemoveAt(_open.Count - 1);
                continue;
            }

            AddChild(folder, name);
            return true;
        }

        _ended = true;
        SetPending(new byte[2 * TarHeader.BlockBytes]);
        return true;
    }

    private void AddSubject()
    {
        var status = _subject.Status;
        if (status.Type == FileStatus.S_IFDIR)
        {
            var folder = FileCalls.OpenAt(_subject.Number, ".\0"u8, FileCalls.O_RDONLY | FileCalls.O_DIRECTORY);
            if (folder < 0)
                throw FileFailure.Of("open", _subject.CleanPath, folder);
            AddFolder(new Descriptor(folder), _subject.Name is [(byte)'/'] ? [] : _subject.Name, status);
            return;
        }

        using var parent = _root.Open(UnixPath.Parent(_subject.CleanPath), FileCalls.O_PATH | FileCalls.O_DIRECTORY);
        AddEntry(parent.Number, UnixPath.Terminated(_subject.Name), _subject.Name, status);
    }

    private void AddChild(FolderReader folder, ReadOnlySpan<byte> name)
    {
        var path = folder.ArchivePath.Length > 0 ? UnixPath.Join(folder.ArchivePath, name[..^1]) : _isWhole ? name[..^1].ToArray() : [(byte)'/', .. name[..^1]];
        var error = FileCalls.Status(folder.Number, name, out var status);
        if (error == -FileCalls.ENOENT)
            return; // deleted meanwhile
        if (error < 0)
            throw FileFailure.Of("lstat", path, error);
        if (_layer is not null && _layer.IsAgents(folder.Number, name, path, status))
            return;
        if (_layer is not null && WritableLayer.IsWhiteout(status))
        {
            AddMarker(folder.ArchivePath, [.. WritableLayer.WhiteoutPrefix, .. name[..^1]], status);
            return;
        }

        if (status.Type != FileStatus.S_IFDIR)
        {
            AddEntry(folder.Number, name, path, status);
            return;
        }

        var opened = FileCalls.OpenAt(folder.Number, name, FileCalls.O_RDONLY | FileCalls.O_DIRECTORY | FileCalls.O_NOFOLLOW);
        if (opened is -FileCalls.ENOENT or -FileCalls.ENOTDIR or -FileCalls.ELOOP)
            return; // replaced meanwhile
        if (opened < 0)
            throw FileFailure.Of("open", path, opened);
        AddFolder(new Descriptor(opened), path, status, isEntered: !IsKernelFolder(folder, path, status));
    }

    /// <summary>
    /// Whether it is one of the root's /dev, /proc and /sys with something mounted on it: their content is the kernel's and not the
    /// container's, and Docker's archives have empty folders there.
    /// </summary>
    private bool IsKernelFolder(FolderReader parent, ReadOnlySpan<byte> path, in FileStatus status) =>
        parent.ArchivePath.Length == 0 && (path.SequenceEqual("/dev"u8) || path.SequenceEqual("/proc"u8) || path.SequenceEqual("/sys"u8))
        && (status.FileSystemMajor, status.FileSystemMinor) != (_subject.Status.FileSystemMajor, _subject.Status.FileSystemMinor);

    private void AddFolder(Descriptor folder, byte[] path, in FileStatus status, bool isEntered = true)
    {
        if (_open.Count == MaximumDepth)
        {
            folder.Dispose();
            throw new AgentFailure(AgentError.LimitExceeded, $"{FileFailure.Text(path)}: folders are nested deeper than {MaximumDepth}");
        }

        var isOpaque = _layer is not null && WritableLayer.IsOpaque(folder.Number);
        AddAttributes(folder.Number);
        if (isEntered)
            _open.Add(new FolderReader(folder, path));
        else
            folder.Dispose();
        if (_isWhole && path.Length == 0)
        {
            _header.DropRecords();
            return; // the root itself
        }

        var header = _header.Make(TarHeader.Folder, [.. path, (byte)'/'], default, 0, status);
        SetPending(isOpaque ? [.. header, .. _header.Make(TarHeader.File, UnixPath.Join(path, WritableLayer.OpaqueMarker), default, 0, MarkerStatus(status))] : header);
    }

    private void AddMarker(byte[] folder, byte[] name, in FileStatus status) =>
        SetPending(_header.Make(TarHeader.File, UnixPath.Join(folder, name), default, 0, MarkerStatus(status)));

    private static FileStatus MarkerStatus(in FileStatus status) => new() { ModifiedSeconds = status.ModifiedSeconds };

    private void AddEntry(int folder, ReadOnlySpan<byte> name, byte[] path, in FileStatus status)
    {
        if (status.LinkCount > 1 && _hardLinks.TryGetValue(LinkKey(status), out var first))
        {
            SetPending(_header.Make(TarHeader.HardLink, path, first, 0, status));
            return;
        }

        switch (status.Type)
        {
            case FileStatus.S_IFREG:
                AddFile(folder, name, path, status);
                break;
            case FileStatus.S_IFLNK:
                var target = new byte[UnixPath.MaximumBytes];
                var length = FileCalls.ReadLinkAt(folder, name, target);
                if (length == -FileCalls.ENOENT || length == -FileCalls.EINVAL)
                    return; // replaced meanwhile
                if (length < 0)
                    throw FileFailure.Of("readlink", path, length);
                AddHeader(TarHeader.Symlink, path, target.AsSpan(0, length), 0, status);
                break;
            case FileStatus.S_IFCHR:
                AddHeader(TarHeader.CharacterDevice, path, default, 0, status);
                break;
            case FileStatus.S_IFBLK:
                AddHeader(TarHeader.BlockDevice, path, default, 0, status);
                break;
            case FileStatus.S_IFIFO:
                AddHeader(TarHeader.Fifo, path, default, 0, status);
                break;
        }
    }

    private void AddFile(int folder, ReadOnlySpan<byte> name, byte[] path, in FileStatus status)
    {
        var number = FileCalls.OpenAt(folder, name, FileCalls.O_RDONLY | FileCalls.O_NOFOLLOW | FileCalls.O_NONBLOCK | FileCalls.O_NOCTTY);
        if (number is -FileCalls.ENOENT or -FileCalls.ELOOP)
            return; // replaced meanwhile
        if (number < 0)
            throw FileFailure.Of("open", path, number);
        _file = new Descriptor(number);
        _fileName = path;
        var error = FileCalls.Status(number, "\0"u8, out var opened);
        if (error < 0)
            throw FileFailure.Of("stat", path, error);
        if (opened.Type != FileStatus.S_IFREG || !opened.IsSameFile(status))
        {
            _file.Dispose();
            _file = null;
            return;
        }

        AddAttributes(number);
        AddHeader(TarHeader.File, path, default, opened.Size, opened);
        _fileRest = opened.Size;
        _padding = (int)(-opened.Size & (TarHeader.BlockBytes - 1));
    }

    /// <summary>Makes the header of what is no folder, and remembers where it is for further names of the same file.</summary>
    private void AddHeader(byte type, byte[] path, ReadOnlySpan<byte> link, long size, in FileStatus status)
    {
        SetPending(_header.Make(type, path, link, size, status));
        if (status.LinkCount > 1 && _hardLinks.Count < MaximumHardLinks)
            _hardLinks.TryAdd(LinkKey(status), path);
    }

    private static (uint Major, uint Minor, ulong Inode) LinkKey(in FileStatus status) => (status.FileSystemMajor, status.FileSystemMinor, status.Inode);

    private void AddAttributes(int file)
    {
        var length = FileCalls.ListAttributes(file, _attributeNames);
        if (length <= 0)
            return; // none, or the file system has none
        var rest = _attributeNames.AsSpan(0, length);
        while (!rest.IsEmpty)
        {
            var end = rest.IndexOf((byte)0);
            var name = rest[..(end + 1)];
            rest = rest[(end + 1)..];
            if (!IsKept(name))
                continue;
            var size = FileCalls.GetAttribute(file, name, _attributeValue);
            if (size >= 0)
                _header.AddRecord([.. TarHeader.AttributePrefix, .. name[..^1]], _attributeValue.AsSpan(0, size));
        }
    }

    /// <summary>What belongs to the file and not to this host or its overlay.</summary>
    private static bool IsKept(ReadOnlySpan<byte> name) =>
        name.SequenceEqual("security.capability\0"u8) || name.StartsWith("user."u8)
        || (name.StartsWith("trusted."u8) && !name.StartsWith("trusted.overlay."u8));

    private void SetPending(byte[] bytes)
    {
        _pending = bytes;
        _pendingAt = 0;
    }
}

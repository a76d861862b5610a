using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Candela.Images.Layers;
using Candela.Images.Storage;
using Candela.Model;

namespace Candela.Images.Files;

/// <summary>User and group of a file, by number.</summary>
/// <param name="UserId">User.</param>
/// <param name="GroupId">Group.</param>
public readonly record struct FileOwner(uint UserId, uint GroupId);

/// <summary>How files are copied into a layer.</summary>
public sealed record CopyStyle
{
    /// <summary>Whose they become; null: they keep theirs.</summary>
    public FileOwner? Owner { get; init; }

    /// <summary>Their permission bits, folders' too; null: they keep theirs.</summary>
    public int? Mode { get; init; }
}

/// <summary>
/// A layer in the making: files of other trees, laid over a tree. Folders on the way to a file are in it as the tree below has them, because
/// real Docker would make them anew otherwise.
/// </summary>
public sealed class LayerBuilder : IDisposable
{
    private const int FolderMode = 493; // 0755

    private readonly FileTree _below;
    private readonly string _path;
    private readonly long _now;
    private readonly FileStream _file;
    private readonly BufferedStream _output;
    private readonly TarWriter _writer;
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly HashSet<string> _folders = new(StringComparer.Ordinal) { "" };
    private readonly byte[] _buffer = new byte[128 << 10];

    /// <summary>Begins one.</summary>
    /// <param name="below">What it goes over.</param>
    /// <param name="path">File to write; must not exist.</param>
    /// <param name="now">Time of folders that are made.</param>
    public LayerBuilder(FileTree below, string path, DateTimeOffset now)
    {
        _below = below;
        _path = path;
        _now = now.ToUnixTimeSeconds();
        _file = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.Read);
        _output = new BufferedStream(_file, 256 << 10);
        _writer = new TarWriter(_output);
    }

    /// <summary>The layer's file.</summary>
    public string Path => _path;

    /// <summary>Makes a folder with all above it; one that exists stays as it is.</summary>
    /// <param name="path">Path whose links have been followed (<see cref="FileTree.Resolve"/>).</param>
    /// <param name="owner">Whose those that are made become.</param>
    public void AddFolder(string path, FileOwner owner) => AddFolders(FileTree.ToBytes(path), owner);

    /// <summary>Writes a file.</summary>
    /// <param name="path">Path whose links have been followed.</param>
    /// <param name="content">Its content.</param>
    /// <param name="mode">Permission bits.</param>
    /// <param name="owner">Owner.</param>
    /// <param name="modified">Its time; null: now.</param>
    public void AddFile(string path, ReadOnlySpan<byte> content, int mode, FileOwner owner, DateTimeOffset? modified)
    {
        string name = FileTree.ToBytes(path);
        AddFolders(Parent(name), owner);
        TarEntry entry = new()
        {
            Kind = TarKind.Regular, Name = name, Mode = mode, UserId = owner.UserId, GroupId = owner.GroupId, Size = content.Length,
            ModifiedSeconds = modified?.ToUnixTimeSeconds() ?? _now,
        };
        Note(entry);
        _hash.AppendData(content);
        _writer.Add(entry);
        _writer.Write(content);
        _writer.EndContent();
    }

    /// <summary>Copies a file, or what is in a folder.</summary>
    /// <param name="source">Tree that it is from.</param>
    /// <param name="node">What to copy.</param>
    /// <param name="target">Where to: of a file its new path, of a folder the one that gets its contents. Links have been followed.</param>
    /// <param name="style">How.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="CandelaException">InvalidArgument: a folder and something else meet at one path.</exception>
    public void Copy(FileTree source, FileNode node, string target, CopyStyle style, CancellationToken cancellationToken)
    {
        string name = FileTree.ToBytes(target);
        FileOwner made = style.Owner ?? default;
        Dictionary<Inode, List<string>> files = [];
        if (node.IsFolder)
        {
            AddFolders(Parent(name), default); // Docker gives the owner to the folder itself only
            AddFolders(name, made);
            CopyFolder(node.Node, name, style, files, cancellationToken);
        }
        else
        {
            AddFolders(Parent(name), made);
            RequireNoFolder(name);
            files.Add(node.Node.Inode, [name]);
        }

        source.ReadContents(files.Keys, (inode, reader) => WriteFile(inode, files[inode], reader, style, cancellationToken), cancellationToken);
    }

    /// <summary>Ends the layer.</summary>
    /// <returns>Digest of what was copied, times left out.</returns>
    public string Finish()
    {
        _writer.End();
        _output.Flush();
        return Digests.Format(_hash.GetCurrentHash());
    }

    /// <summary>Closes and deletes the file.</summary>
    public void Dispose()
    {
        _output.Dispose();
        _file.Dispose();
        _hash.Dispose();
        File.Delete(_path);
    }

    private void CopyFolder(TreeNode folder, string target, CopyStyle style, Dictionary<Inode, List<string>> files, CancellationToken cancellationToken)
    {
        Stack<(TreeNode Folder, string Target)> waiting = new([(folder, target)]);
        while (waiting.TryPop(out (TreeNode Folder, string Target) next))
        {
            cancellationToken.ThrowIfCancellationRequested();
            foreach (TreeNode child in next.Folder.Children!.Values)
            {
                string name = next.Target.Length == 0 ? child.Name : $"{next.Target}/{child.Name}";
                if (child.IsFolder)
                {
                    // A link of the tree below in a folder's place is followed, as when files are copied on a running system.
                    name = Below(name) is { Inode.Entry.Kind: TarKind.SymbolicLink } ? FileTree.ToBytes(_below.Resolve(FileTree.FromBytes(name))) : name;
                    WriteFolder(child.Inode.Entry, name, style);
                    waiting.Push((child, name));
                    continue;
                }

                RequireNoFolder(name);
                if (!files.TryGetValue(child.Inode, out List<string>? names))
                    files.Add(child.Inode, names = []);
                names.Add(name);
            }
        }
    }

    private void WriteFolder(TarEntry entry, string name, CopyStyle style)
    {
        if (Below(name) is { IsFolder: false })
            throw new CandelaException(ErrorCode.InvalidArgument, $"cannot copy a directory over {FileTree.FromBytes(name)}, which is a file");
        TarEntry written = Styled(entry, style) with { Name = name };
        _folders.Add(name);
        Note(written);
        _writer.Add(written);
    }

    private void WriteFile(Inode inode, List<string> names, TarReader reader, CopyStyle style, CancellationToken cancellationToken)
    {
        TarEntry entry = Styled(inode.Entry, style) with { Name = names[0] };
        Note(entry);
        _writer.Add(entry);
        for (int read; (read = reader.Read(_buffer)) > 0;)
        {
            cancellationToken.ThrowIfCancellationRequested();
            _hash.AppendData(_buffer, 0, read);
            _writer.Write(_buffer.AsSpan(0, read));
        }

        _writer.EndContent();
        foreach (string name in names.Skip(1))
        {
            TarEntry link = new() { Kind = TarKind.HardLink, Name = name, LinkName = names[0] };
            Note(link);
            _writer.Add(link);
        }
    }

    private void AddFolders(string path, FileOwner owner)
    {
        string name = "";
        foreach (string component in path.Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            name = name.Length == 0 ? component : $"{name}/{component}";
            if (!_folders.Add(name))
                continue;
            TreeNode? there = Below(name);
            if (there is { IsFolder: false })
                throw new CandelaException(ErrorCode.InvalidArgument, $"cannot copy into {FileTree.FromBytes(name)}, which is not a directory");
            TarEntry entry = there?.Inode.Entry ?? new TarEntry { Kind = TarKind.Folder, Name = name, Mode = FolderMode, UserId = owner.UserId, GroupId = owner.GroupId, ModifiedSeconds = _now };
            if (there is null)
                Note(entry);
            _writer.Add(entry with { Name = name });
        }
    }

    private TreeNode? Below(string name) => _below.FindLink(FileTree.FromBytes(name))?.Node;

    private void RequireNoFolder(string name)
    {
        if (Below(name) is { IsFolder: true })
            throw new CandelaException(ErrorCode.InvalidArgument, $"cannot copy a file over {FileTree.FromBytes(name)}, which is a directory");
    }

    private static TarEntry Styled(TarEntry entry, CopyStyle style) => entry with
    {
        UserId = style.Owner?.UserId ?? entry.UserId,
        GroupId = style.Owner?.GroupId ?? entry.GroupId,
        Mode = style.Mode is { } mode && entry.Kind != TarKind.SymbolicLink ? mode : entry.Mode,
    };

    /// <summary>Adds what an entry is to the digest.</summary>
    private void Note(TarEntry entry)
    {
        StringBuilder text = new();
        text.Append(CultureInfo.InvariantCulture, $"{(char)entry.Kind} {entry.Name.Length}:{entry.Name} {entry.LinkName.Length}:{entry.LinkName} {entry.Mode} {entry.UserId} {entry.GroupId} {entry.Size} {entry.DeviceMajor} {entry.DeviceMinor}\n");
        foreach (ExtendedAttribute attribute in entry.Attributes)
            text.Append(CultureInfo.InvariantCulture, $"{attribute.Name}={Convert.ToHexString(attribute.Value)}\n");
        _hash.AppendData(Encoding.Latin1.GetBytes(text.ToString()));
    }

    private static string Parent(string name) => name.LastIndexOf('/') is > 0 and var slash ? name[..slash] : "";
}

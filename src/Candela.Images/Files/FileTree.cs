using System.Text;
using System.Text.RegularExpressions;
using Candela.Images.Compression;
using Candela.Images.Layers;
using Candela.Model;

namespace Candela.Images.Files;

/// <summary>
/// A file system to read on the host without mounting it: an image's, or that of one tar. Links are followed inside it only. Not safe for
/// use from several threads.
/// </summary>
public sealed class FileTree : IDisposable
{
    private const int LinkHopsMaximum = 40; // MAXSYMLINKS

    private readonly LayerTree _tree;
    private readonly List<string> _layers;
    private readonly ImageLimits _limits;
    private readonly IDisposable? _hold;

    private FileTree(LayerTree tree, List<string> layers, ImageLimits limits, IDisposable? hold)
    {
        _tree = tree;
        _layers = layers;
        _limits = limits;
        _hold = hold;
    }

    /// <summary>The root folder.</summary>
    public FileNode Root => new(_tree.Root);

    /// <summary>Whether nothing is in it.</summary>
    public bool IsEmpty => _tree.Root.Children!.Count == 0;

    /// <summary>Reads the tree of layers, lowest first; none: an empty one.</summary>
    internal static FileTree Read(IReadOnlyList<string> layers, ImageLimits limits, IDisposable? hold, CancellationToken cancellationToken)
    {
        LayerTree tree = new(limits);
        long budget = limits.UncompressedBytes;
        foreach (string layer in layers)
        {
            using MeasuredStream content = new(Decompression.OpenFile(layer), budget, cancellationToken);
            budget -= ReadLayer(tree, content, limits, static _ => false);
        }

        return new FileTree(tree, [.. layers], limits, hold);
    }

    /// <summary>Reads the tree of one tar (plain, gzip or zstd), which must stay as long as the tree is used.</summary>
    /// <param name="path">The tar.</param>
    /// <param name="limits">Limits.</param>
    /// <param name="excludes">Told a path; what it is true of is left out.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="CandelaException">ImageInvalid.</exception>
    public static FileTree ReadTar(string path, ImageLimits limits, Func<string, bool> excludes, CancellationToken cancellationToken)
    {
        LayerTree tree = new(limits) { KeepsWhiteouts = true };
        using MeasuredStream content = new(Decompression.OpenFile(path), limits.UncompressedBytes, cancellationToken);
        ReadLayer(tree, content, limits, name => excludes(FromBytes(WithoutDot(name).Trim('/'))));
        return new FileTree(tree, [path], limits, null);

        // Only a leading ./ goes: a name may begin with a dot.
        static string WithoutDot(string name) => name.StartsWith("./", StringComparison.Ordinal) ? WithoutDot(name[2..]) : name;
    }

    /// <summary>Lays another tar, on top, over the tree.</summary>
    /// <param name="path">The layer, which must stay as long as the tree is used.</param>
    /// <param name="cancellationToken">Gives up; the tree is of no use then.</param>
    public void AddLayer(string path, CancellationToken cancellationToken)
    {
        using MeasuredStream content = new(Decompression.OpenFile(path), _limits.UncompressedBytes, cancellationToken);
        ReadLayer(_tree, content, _limits, static _ => false);
        _layers.Add(path);
        _tree.ForgetFiles();
    }

    /// <summary>What is at a path, links followed; null: nothing.</summary>
    public FileNode? Find(string path) => Walk(path, followsLast: true) is { Left.Count: 0 } found ? new FileNode(found.Node) : null;

    /// <summary>What is at a path, a link at its end not followed; null: nothing.</summary>
    public FileNode? FindLink(string path) => Walk(path, followsLast: false) is { Left.Count: 0 } found ? new FileNode(found.Node) : null;

    /// <summary>The path, from the root and without a slash before it, that a path leads to: links of what exists are followed.</summary>
    /// <exception cref="CandelaException">InvalidArgument: it leads through what is no folder, or round in circles.</exception>
    public string Resolve(string path)
    {
        (TreeNode node, List<string> left) = Walk(path, followsLast: true) ?? throw new CandelaException(ErrorCode.InvalidArgument, $"{path}: too many levels of symbolic links");
        if (left.Count > 0 && !node.IsFolder)
            throw new CandelaException(ErrorCode.InvalidArgument, $"{path}: {FromBytes(node.Path)} is not a directory");
        return FromBytes(string.Join('/', [.. node.Path.Split('/', StringSplitOptions.RemoveEmptyEntries), .. left]));
    }

    /// <summary>Paths that a pattern matches, sorted: <c>* ? [a-z]</c> within a component (Go's filepath.Match).</summary>
    public IReadOnlyList<string> Match(string pattern)
    {
        List<TreeNode> nodes = [_tree.Root];
        foreach (string component in pattern.Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            if (component == ".")
                continue;
            Regex regex = ToRegex(component);
            nodes = [.. nodes
                .Select(node => node.IsFolder ? node : Walk(FromBytes(node.Path), followsLast: true) is { Left.Count: 0 } found && found.Node.IsFolder ? found.Node : null)
                .OfType<TreeNode>()
                .SelectMany(folder => folder.Children!.Values.Where(child => regex.IsMatch(FromBytes(child.Name))))];
        }

        return [.. nodes.Select(static node => FromBytes(node.Path)).Distinct().Order(StringComparer.Ordinal)];
    }

    /// <summary>Content of a file; null when it is none, or longer.</summary>
    public byte[]? ReadFile(string path, int bytesMaximum, CancellationToken cancellationToken)
    {
        if (Find(path) is not { IsRegular: true } file || file.Size > bytesMaximum)
            return null;
        byte[]? content = null;
        ReadContents([file.Node.Inode], (_, reader) =>
        {
            content = new byte[file.Size];
            for (int done = 0; done < content.Length;)
                done += reader.Read(content.AsSpan(done));
        }, cancellationToken);
        return content;
    }

    /// <summary>Writes a regular file's content to a file of the host.</summary>
    public void ExtractFile(FileNode file, string path, CancellationToken cancellationToken) =>
        ReadContents([file.Node.Inode], (_, reader) =>
        {
            using FileStream output = new(path, FileMode.CreateNew, FileAccess.Write);
            byte[] buffer = new byte[128 << 10];
            for (int read; (read = reader.Read(buffer)) > 0;)
            {
                cancellationToken.ThrowIfCancellationRequested();
                output.Write(buffer, 0, read);
            }
        }, cancellationToken);

    /// <summary>Lets the layers go.</summary>
    public void Dispose() => _hold?.Dispose();

    /// <summary>Reads contents in the order in which the layers have them, each layer that is needed once.</summary>
    internal void ReadContents(IEnumerable<Inode> inodes, Action<Inode, TarReader> read, CancellationToken cancellationToken)
    {
        foreach (IGrouping<int, Inode> ofLayer in inodes.Distinct().Where(static inode => inode.Layer >= 0).GroupBy(static inode => inode.Layer).OrderBy(static group => group.Key))
        {
            Dictionary<int, Inode> wanted = ofLayer.ToDictionary(static inode => inode.Ordinal);
            using Stream layer = Decompression.OpenFile(_layers[ofLayer.Key]);
            TarReader reader = new(layer, _limits);
            for (int ordinal = 0, done = 0; done < wanted.Count && reader.Next() is { } entry; ordinal++)
            {
                cancellationToken.ThrowIfCancellationRequested();
                if (!wanted.TryGetValue(ordinal, out Inode? inode))
                    continue;
                if (inode.Entry.Size != entry.Size || inode.Entry.Kind != entry.Kind)
                    throw LayerException.Invalid("a layer changed while it was read");
                read(inode, reader);
                done++;
            }
        }
    }

    /// <summary>Text as tars carry it: one character a byte.</summary>
    internal static string ToBytes(string text) => Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(text));

    internal static string FromBytes(string bytes) => Encoding.UTF8.GetString(Encoding.Latin1.GetBytes(bytes));

    private static long ReadLayer(LayerTree tree, MeasuredStream content, ImageLimits limits, Func<string, bool> excludes)
    {
        TarReader reader = new(content, limits);
        tree.BeginLayer();
        while (reader.Next() is { } entry)
        {
            if (excludes(entry.Name))
                tree.Skip();
            else
                tree.Add(entry);
        }

        return content.Count;
    }

    /// <summary>The node that as much of the path as exists leads to, and the rest; null: links lead round in circles.</summary>
    private (TreeNode Node, List<string> Left)? Walk(string path, bool followsLast)
    {
        List<string> components = [.. ToBytes(path).Split('/', StringSplitOptions.RemoveEmptyEntries).Where(static c => c != ".")];
        TreeNode node = _tree.Root;
        int hops = 0;
        for (int i = 0; i < components.Count; i++)
        {
            if (components[i] == "..")
            {
                node = node.Parent ?? node;
                continue;
            }

            if (node.Children is null || !node.Children.TryGetValue(components[i], out TreeNode? next))
                return (node, components[i..]);
            if (next.Inode.Entry is { Kind: TarKind.SymbolicLink } link && (followsLast || i < components.Count - 1))
            {
                if (++hops > LinkHopsMaximum)
                    return null;
                if (link.LinkName.StartsWith('/'))
                    node = _tree.Root;
                components.RemoveAt(i);
                components.InsertRange(i, link.LinkName.Split('/', StringSplitOptions.RemoveEmptyEntries).Where(static c => c != "."));
                i--;
                continue;
            }

            node = next;
        }

        return (node, []);
    }

    private static Regex ToRegex(string component)
    {
        StringBuilder regex = new("^");
        for (int i = 0; i < component.Length; i++)
        {
            char c = component[i];
            if (c == '*')
                regex.Append(".*");
            else if (c == '?')
                regex.Append('.');
            else if (c == '[' && component.IndexOf(']', i + 1) is > 1 and var close && close > i + 1)
            {
                string set = component[(i + 1)..close];
                regex.Append('[').Append(set[0] == '^' ? "^" : "").Append(Regex.Escape(set.TrimStart('^'))).Append(']');
                i = close;
            }
            else
            {
                regex.Append(Regex.Escape((c == '\\' && i + 1 < component.Length ? component[++i] : c).ToString()));
            }
        }

        try
        {
            return new Regex(regex.Append("\\z").ToString(), RegexOptions.CultureInvariant | RegexOptions.NonBacktracking | RegexOptions.Singleline);
        }
        catch (ArgumentException e)
        {
            throw new CandelaException(ErrorCode.InvalidArgument, $"syntax error in pattern {component}", e);
        }
    }
}

/// <summary>A file of a tree.</summary>
public sealed class FileNode
{
    internal FileNode(TreeNode node) => Node = node;

    /// <summary>Its name.</summary>
    public string Name => FileTree.FromBytes(Node.Name);

    /// <summary>Its path from the root, without a slash before it.</summary>
    public string Path => FileTree.FromBytes(Node.Path);

    /// <summary>A folder.</summary>
    public bool IsFolder => Node.IsFolder;

    /// <summary>A regular file.</summary>
    public bool IsRegular => Node.Inode.Entry.Kind == TarKind.Regular;

    /// <summary>Whose it is.</summary>
    public FileOwner Owner => new(Node.Inode.Entry.UserId, Node.Inode.Entry.GroupId);

    /// <summary>Its permission bits, 07777.</summary>
    public int Mode => Node.Inode.Entry.Mode;

    /// <summary>Its length, bytes.</summary>
    public long Size => Node.Inode.Entry.Size;

    internal TreeNode Node { get; }
}

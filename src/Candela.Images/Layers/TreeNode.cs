namespace Candela.Images.Layers;

/// <summary>A name in the merged file system.</summary>
internal sealed class TreeNode
{
    private Inode _inode = null!;

    /// <summary>Folder that it is in; null for the root.</summary>
    public required TreeNode? Parent { get; init; }

    public required string Name { get; init; }

    /// <summary>What it names.</summary>
    public required Inode Inode
    {
        get => _inode;
        set
        {
            _inode = value;
            if (value.IsFolder)
                Children ??= new SortedDictionary<string, TreeNode>(StringComparer.Ordinal);
        }
    }

    /// <summary>The highest layer that has an entry for it.</summary>
    public required int Layer { get; set; }

    /// <summary>The highest layer in which it lost what lower layers have in it, or which made it.</summary>
    public required int ClearedInLayer { get; set; }

    /// <summary>Whether a higher layer hides it.</summary>
    public bool IsRemoved { get; set; }

    /// <summary>Length of its path.</summary>
    public required int PathBytes { get; init; }

    /// <summary>What a folder holds; null when it is none.</summary>
    public SortedDictionary<string, TreeNode>? Children { get; private set; }

    public bool IsFolder => Children is not null;

    /// <summary>The path from the root, no slash before it.</summary>
    public string Path
    {
        get
        {
            List<string> names = [];
            for (TreeNode node = this; node.Parent is not null; node = node.Parent)
                names.Add(node.Name);
            names.Reverse();
            return string.Join('/', names);
        }
    }
}

/// <summary>A file: metadata, and where its content is. Several names may share it.</summary>
internal sealed class Inode
{
    private static readonly TarEntry _implicitFolder = new() { Kind = TarKind.Folder, Name = "", Mode = 0b111_101_101 };

    /// <summary>Metadata; its name is of no account.</summary>
    public required TarEntry Entry { get; init; }

    /// <summary>Layer that has its entry.</summary>
    public required int Layer { get; init; }

    /// <summary>Number of its entry within the layer.</summary>
    public required int Ordinal { get; init; }

    /// <summary>Every name that it has had, in the order in which they came; some may be removed.</summary>
    public List<TreeNode> Links { get; } = new(1);

    public bool IsFolder => Entry.Kind == TarKind.Folder;

    /// <summary>A folder that no layer has an entry for.</summary>
    public static Inode ImplicitFolder() => new() { Entry = _implicitFolder, Layer = -1, Ordinal = -1 };
}

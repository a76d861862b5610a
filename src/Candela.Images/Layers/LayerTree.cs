using Candela.Model;

namespace Candela.Images.Layers;

/// <summary>
/// The file system that layers make when laid over each other, lowest first. Only metadata: each file remembers which entry of which
/// layer has its content. Layers are merged by the rules of the OCI image-spec (layer.md): a whiteout hides what lower layers have
/// and never what its own layer has.
/// </summary>
internal sealed class LayerTree(ImageLimits limits)
{
    private const string WhiteoutPrefix = ".wh.";
    private const string WhiteoutMetaPrefix = ".wh..wh.";
    private const string OpaqueWhiteout = ".wh..wh..opq";
    private const int LinkHopsMaximum = 40; // MAXSYMLINKS

    private readonly List<string> _components = [];
    private int _layer = -1;
    private int _ordinal;
    private int _entries;
    private long _metadataBytes;
    private Dictionary<int, Dictionary<int, Inode>>? _files;

    /// <summary>The root folder.</summary>
    public TreeNode Root { get; } = new() { Parent = null, Name = "", Inode = Inode.ImplicitFolder(), Layer = -1, ClearedInLayer = -1, PathBytes = 0 };

    /// <summary>Whiteouts mean nothing: the tar is no layer.</summary>
    public bool KeepsWhiteouts { get; init; }

    /// <summary>Leaves the layer's next entry out.</summary>
    public void Skip() => _ordinal++;

    /// <summary>Makes <see cref="FilesOfLayer"/> look anew, after a further layer.</summary>
    public void ForgetFiles() => _files = null;

    /// <summary>Starts the next layer.</summary>
    public void BeginLayer()
    {
        _layer++;
        _ordinal = -1;
    }

    /// <summary>Lays the layer's next entry over what is there.</summary>
    /// <exception cref="CandelaException">ImageInvalid.</exception>
    public void Add(TarEntry entry)
    {
        _ordinal++;
        if (++_entries > limits.Entries)
            throw LayerException.Invalid($"more than {limits.Entries} entries");
        Split(entry.Name);
        if (_components.Count == 0)
        {
            if (entry.Kind == TarKind.Folder)
                Root.Inode = NewInode(entry);
            return;
        }

        string name = _components[^1];
        if (!KeepsWhiteouts && name.StartsWith(WhiteoutPrefix, StringComparison.Ordinal))
        {
            ApplyWhiteout(name);
            return;
        }

        Inode inode = entry.Kind == TarKind.HardLink ? FindLinked(entry) : NewInode(entry);
        if (entry.Kind == TarKind.HardLink)
            Split(entry.Name);
        Put(ParentForWriting(entry.Name), name, inode);
    }

    /// <summary>What is left of a layer's files, folders aside, by the number of their entry.</summary>
    public Dictionary<int, Inode> FilesOfLayer(int layer)
    {
        _files ??= CollectFiles();
        return _files.GetValueOrDefault(layer) ?? [];
    }

    /// <summary>Whether any file belongs to this user or group.</summary>
    public bool HasOwner(uint id) => Nodes().Any(node => node.Inode.Entry.UserId == id || node.Inode.Entry.GroupId == id);

    private Dictionary<int, Dictionary<int, Inode>> CollectFiles()
    {
        Dictionary<int, Dictionary<int, Inode>> files = [];
        foreach (TreeNode node in Nodes())
        {
            if (node.IsFolder)
                continue;
            if (!files.TryGetValue(node.Inode.Layer, out Dictionary<int, Inode>? ofLayer))
                files.Add(node.Inode.Layer, ofLayer = []);
            ofLayer[node.Inode.Ordinal] = node.Inode;
        }

        return files;
    }

    private IEnumerable<TreeNode> Nodes()
    {
        Stack<TreeNode> waiting = new([Root]);
        while (waiting.TryPop(out TreeNode? node))
        {
            yield return node;
            if (node.Children is null)
                continue;
            foreach (TreeNode child in node.Children.Values)
                waiting.Push(child);
        }
    }

    private void Put(TreeNode parent, string name, Inode inode)
    {
        if (parent.Children!.TryGetValue(name, out TreeNode? there))
        {
            if (ReferenceEquals(there.Inode, inode))
                return;
            if (there.IsFolder && inode.IsFolder)
            {
                there.Inode = inode;
                there.Layer = _layer;
                return;
            }

            Remove(there);
        }

        Attach(parent, name, inode);
    }

    private TreeNode Attach(TreeNode parent, string name, Inode inode)
    {
        int pathBytes = parent.PathBytes + 1 + name.Length;
        if (pathBytes > limits.PathBytes)
            throw LayerException.Invalid($"a path of more than {limits.PathBytes} bytes");
        Charge(name.Length);
        TreeNode node = new() { Parent = parent, Name = name, Inode = inode, Layer = _layer, ClearedInLayer = _layer, PathBytes = pathBytes };
        parent.Children!.Add(name, node);
        inode.Links.Add(node);
        return node;
    }

    private static void Remove(TreeNode node)
    {
        node.Parent!.Children!.Remove(node.Name);
        Stack<TreeNode> doomed = new([node]);
        while (doomed.TryPop(out TreeNode? next))
        {
            next.IsRemoved = true;
            if (next.Children is null)
                continue;
            foreach (TreeNode child in next.Children.Values)
                doomed.Push(child);
        }
    }

    private void ApplyWhiteout(string name)
    {
        TreeNode? parent = FindFolder(_components.Count - 1);
        if (name == OpaqueWhiteout)
        {
            if (parent is not null && parent.ClearedInLayer != _layer)
            {
                parent.ClearedInLayer = _layer;
                foreach (TreeNode child in parent.Children!.Values.ToArray())
                    RemoveLower(child);
            }

            return;
        }

        if (name.StartsWith(WhiteoutMetaPrefix, StringComparison.Ordinal))
            return; // aufs's own, means nothing elsewhere
        string hidden = name[WhiteoutPrefix.Length..];
        if (hidden is "" or "." or "..")
            throw LayerException.Invalid($"whiteout {TarReader.Display(name)} names nothing");
        if (parent?.Children is { } children && children.TryGetValue(hidden, out TreeNode? there))
            RemoveLower(there);
    }

    /// <summary>Removes what lower layers have of a subtree; folders that lead to this layer's own stay.</summary>
    private void RemoveLower(TreeNode top)
    {
        List<TreeNode> order = [top];
        for (int i = 0; i < order.Count; i++)
        {
            if (order[i].ClearedInLayer == _layer)
                continue; // without this a layer that repeats a whiteout would cost the square of its size
            order[i].ClearedInLayer = _layer;
            if (order[i].Children is { } children)
                order.AddRange(children.Values);
        }

        for (int i = order.Count - 1; i >= 0; i--)
        {
            TreeNode node = order[i];
            if (node.Layer == _layer)
                continue;
            if (node.Children is { Count: > 0 })
            {
                node.Inode = Inode.ImplicitFolder();
                node.Layer = _layer;
            }
            else
            {
                Remove(node);
            }
        }
    }

    private Inode FindLinked(TarEntry entry)
    {
        Split(entry.LinkName);
        TreeNode? target = null;
        if (_components is [.., var name] && FindFolder(_components.Count - 1)?.Children is { } children)
            children.TryGetValue(name, out target);
        if (target is null)
            throw LayerException.Invalid($"hard link {TarReader.Display(entry.Name)} to {TarReader.Display(entry.LinkName)}, which is not there");
        return target.IsFolder ? throw LayerException.Invalid($"hard link {TarReader.Display(entry.Name)} to a folder") : target.Inode;
    }

    /// <summary>
    /// The folder that an entry goes into, made where absent. A link of this very layer is followed, as when the tar is unpacked; what
    /// a lower layer has there in a folder's place is hidden by one, as in overlayfs.
    /// </summary>
    private TreeNode ParentForWriting(string entryName)
    {
        TreeNode folder = Root;
        int hops = 0;
        for (int i = 0; i < _components.Count - 1; i++)
        {
            string name = _components[i];
            if (name == "..")
            {
                folder = folder.Parent ?? folder;
                continue;
            }

            if (!folder.Children!.TryGetValue(name, out TreeNode? next))
            {
                folder = Attach(folder, name, Inode.ImplicitFolder());
            }
            else if (next.IsFolder)
            {
                folder = next;
            }
            else if (next.Layer != _layer)
            {
                Remove(next);
                folder = Attach(folder, name, Inode.ImplicitFolder());
            }
            else if (next.Inode.Entry is { Kind: TarKind.SymbolicLink } link && ++hops <= LinkHopsMaximum)
            {
                i = Follow(link.LinkName, i, ref folder);
            }
            else
            {
                throw LayerException.Invalid($"{TarReader.Display(entryName)} leads through something that is not a folder");
            }
        }

        return folder;
    }

    /// <summary>The folder at the first components, or null: links are followed as a process inside would.</summary>
    private TreeNode? FindFolder(int count)
    {
        _components.RemoveRange(count, _components.Count - count);
        TreeNode folder = Root;
        int hops = 0;
        for (int i = 0; i < _components.Count; i++)
        {
            if (_components[i] == "..")
            {
                folder = folder.Parent ?? folder;
                continue;
            }

            if (!folder.Children!.TryGetValue(_components[i], out TreeNode? next))
                return null;
            if (next.IsFolder)
                folder = next;
            else if (next.Inode.Entry is { Kind: TarKind.SymbolicLink } link && ++hops <= LinkHopsMaximum)
                i = Follow(link.LinkName, i, ref folder);
            else
                return null;
        }

        return folder;
    }

    /// <summary>Puts a link's target in place of the component that named it. The root bounds <c>..</c>, as in a chroot.</summary>
    private int Follow(string target, int index, ref TreeNode folder)
    {
        if (target.StartsWith('/'))
            folder = Root;
        _components.RemoveAt(index);
        _components.InsertRange(index, target.Split('/', StringSplitOptions.RemoveEmptyEntries).Where(static c => c != "."));
        return index - 1;
    }

    /// <summary>Cuts a tar name into components; <c>..</c> may not lead out of the root.</summary>
    private void Split(string path)
    {
        if (path.Length > limits.PathBytes)
            throw LayerException.Invalid($"a path of {path.Length} bytes; at most {limits.PathBytes} are accepted");
        _components.Clear();
        foreach (Range range in path.AsSpan().Split('/'))
        {
            ReadOnlySpan<char> component = path.AsSpan(range);
            if (component.Length == 0 || component is ".")
                continue;
            if (component is "..")
            {
                if (_components.Count == 0)
                    throw LayerException.Invalid($"path {TarReader.Display(path)} leads out of the image");
                _components.RemoveAt(_components.Count - 1);
                continue;
            }

            if (component.Length > limits.NameBytes)
                throw LayerException.Invalid($"a file name of {component.Length} bytes; at most {limits.NameBytes} are accepted");
            _components.Add(component.ToString());
        }
    }

    private Inode NewInode(TarEntry entry)
    {
        if (entry.LinkName.Length > limits.PathBytes)
            throw LayerException.Invalid($"a link target of {entry.LinkName.Length} bytes; at most {limits.PathBytes} are accepted");
        if (entry.Kind == TarKind.SymbolicLink && entry.LinkName.Length == 0)
            throw LayerException.Invalid($"symbolic link {TarReader.Display(entry.Name)} has no target");
        Charge(entry.LinkName.Length + entry.Attributes.Sum(static a => a.Name.Length + a.Value.Length));
        return new Inode { Entry = entry with { Name = "" }, Layer = _layer, Ordinal = _ordinal };
    }

    private void Charge(int bytes)
    {
        _metadataBytes += bytes;
        if (_metadataBytes > limits.MetadataBytes)
            throw LayerException.Invalid($"more than {limits.MetadataBytes} bytes of names and attributes");
    }
}

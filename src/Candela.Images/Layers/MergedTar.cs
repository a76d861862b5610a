namespace Candela.Images.Layers;

/// <summary>
/// Writes a merged file system as one tar: folders first, then everything else in the layers' order, so that each layer is read
/// once, front to back. Further names of a file come right after it as hard links.
/// </summary>
internal sealed class MergedTar(LayerTree tree, TarWriter writer, ImageLimits limits)
{
    private readonly byte[] _buffer = new byte[128 << 10];
    private int _layer = -1;

    /// <summary>Writes the folders. The root is not among them: a tar reader may ignore it.</summary>
    public void WriteFolders()
    {
        Stack<TreeNode> waiting = new([tree.Root]);
        while (waiting.TryPop(out TreeNode? folder))
        {
            if (folder.Parent is not null)
                writer.Add(folder.Inode.Entry with { Name = folder.Path });
            foreach (TreeNode child in folder.Children!.Values.Reverse())
            {
                if (child.IsFolder)
                    waiting.Push(child);
            }
        }
    }

    /// <summary>Writes what the next layer has of the merged file system.</summary>
    /// <param name="layer">The layer's tar, exactly as it was indexed.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public void WriteLayer(Stream layer, CancellationToken cancellationToken)
    {
        _layer++;
        Dictionary<int, Inode> wanted = tree.FilesOfLayer(_layer);
        TarReader reader = new(layer, limits);
        for (int ordinal = 0, written = 0; written < wanted.Count && reader.Next() is { } entry; ordinal++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (!wanted.TryGetValue(ordinal, out Inode? inode))
                continue;
            if (inode.Entry.Size != entry.Size || inode.Entry.Kind != entry.Kind)
                throw LayerException.Invalid("a layer changed while it was read");
            WriteFile(inode, reader, cancellationToken);
            written++;
        }
    }

    private void WriteFile(Inode inode, TarReader reader, CancellationToken cancellationToken)
    {
        string? first = null;
        foreach (TreeNode link in inode.Links)
        {
            if (link.IsRemoved)
                continue;
            if (first is not null)
            {
                writer.Add(new TarEntry { Kind = TarKind.HardLink, Name = link.Path, LinkName = first });
                continue;
            }

            first = link.Path;
            writer.Add(inode.Entry with { Name = first });
            for (int read; (read = reader.Read(_buffer)) > 0;)
            {
                cancellationToken.ThrowIfCancellationRequested();
                writer.Write(_buffer.AsSpan(0, read));
            }

            writer.EndContent();
        }
    }
}

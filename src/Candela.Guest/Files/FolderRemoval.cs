using Candela.Guest.Protocol;

namespace Candela.Guest.Files;

/// <summary>Removes files and trees without following any link.</summary>
internal static class FolderRemoval
{
    /// <summary>A folder that others fill meanwhile is tried again so often.</summary>
    private const int Attempts = 8;

    /// <summary>Removes a name of a folder with all below it; a name that is not there is fine.</summary>
    /// <param name="folder">The open folder.</param>
    /// <param name="name">Name in it, with its zero byte.</param>
    /// <param name="path">For messages.</param>
    /// <param name="depth">Levels above; 0 for the caller.</param>
    /// <exception cref="AgentFailure">It failed, or folders are nested too deep.</exception>
    public static void Remove(int folder, ReadOnlySpan<byte> name, byte[] path, int depth = 0)
    {
        if (depth > ArchiveReader.MaximumDepth)
            throw new AgentFailure(AgentError.LimitExceeded, $"cannot remove {FileFailure.Text(path)}: folders are nested deeper than {ArchiveReader.MaximumDepth}");
        var error = FileCalls.UnlinkAt(folder, name, 0);
        for (var attempt = 0; error is -FileCalls.EISDIR or -FileCalls.EPERM or -FileCalls.ENOTEMPTY && attempt < Attempts; attempt++)
        {
            var opened = FileCalls.OpenAt(folder, name, FileCalls.O_RDONLY | FileCalls.O_DIRECTORY | FileCalls.O_NOFOLLOW);
            if (opened == -FileCalls.ENOENT)
                return;
            if (opened < 0)
                throw FileFailure.OfEntry("remove", path, opened == -FileCalls.ENOTDIR ? error : opened);
            using var reader = new FolderReader(new Descriptor(opened), path);
            for (var child = reader.Next(); !child.IsEmpty; child = reader.Next())
                Remove(reader.Number, child, UnixPath.Join(path, child[..^1]), depth + 1);
            error = FileCalls.UnlinkAt(folder, name, FileCalls.AT_REMOVEDIR);
        }

        if (error is not (0 or -FileCalls.ENOENT))
            throw FileFailure.OfEntry("remove", path, error);
    }
}

namespace Candela.Guest.Files;

/// <summary>Paths as byte strings. None of these looks at the file system.</summary>
internal static class UnixPath
{
    /// <summary>Longest path, bytes (PATH_MAX of include/uapi/linux/limits.h, with the zero at its end).</summary>
    public const int MaximumBytes = 4096;

    /// <summary>The path with one zero byte at its end, as system calls want it.</summary>
    public static byte[] Terminated(ReadOnlySpan<byte> path)
    {
        var result = new byte[path.Length + 1];
        path.CopyTo(result);
        return result;
    }

    /// <summary>
    /// The absolute path without empty, "." and ".." steps; ".." above the root stays at the root.
    /// As Go's filepath.Clean("/" + path), which Docker uses.
    /// </summary>
    public static byte[] Clean(ReadOnlySpan<byte> path)
    {
        var result = new byte[path.Length + 1];
        var length = 0;
        while (!path.IsEmpty)
        {
            var end = path.IndexOf((byte)'/');
            var step = end < 0 ? path : path[..end];
            path = end < 0 ? default : path[(end + 1)..];
            if (step.IsEmpty || step.SequenceEqual("."u8))
                continue;
            if (step.SequenceEqual(".."u8))
            {
                length = int.Max(result.AsSpan(0, length).LastIndexOf((byte)'/'), 0);
                continue;
            }

            result[length++] = (byte)'/';
            step.CopyTo(result.AsSpan(length));
            length += step.Length;
        }

        if (length == 0)
            result[length++] = (byte)'/';
        return result.AsSpan(0, length).ToArray();
    }

    /// <summary>Whether ".." steps lead above where the path starts.</summary>
    public static bool LeadsAbove(ReadOnlySpan<byte> path)
    {
        var depth = 0;
        foreach (var range in path.Split((byte)'/'))
        {
            var step = path[range];
            if (step.SequenceEqual(".."u8))
                depth--;
            else if (!step.IsEmpty && !step.SequenceEqual("."u8))
                depth++;
            if (depth < 0)
                return true;
        }

        return false;
    }

    /// <summary>Last step of a clean path; "/" of the root.</summary>
    public static ReadOnlySpan<byte> Name(ReadOnlySpan<byte> cleanPath) =>
        cleanPath.Length == 1 ? cleanPath : cleanPath[(cleanPath.LastIndexOf((byte)'/') + 1)..];

    /// <summary>All but the last step of a clean path; "/" of the root and what is in it.</summary>
    public static ReadOnlySpan<byte> Parent(ReadOnlySpan<byte> cleanPath) =>
        cleanPath[..int.Max(cleanPath.LastIndexOf((byte)'/'), 1)];

    /// <summary>Folder and name with one slash between; an empty folder is the name alone.</summary>
    public static byte[] Join(ReadOnlySpan<byte> folder, ReadOnlySpan<byte> name)
    {
        if (folder.IsEmpty)
            return name.ToArray();
        var slash = folder[^1] == '/' ? 0 : 1;
        var result = new byte[folder.Length + slash + name.Length];
        folder.CopyTo(result);
        if (slash == 1)
            result[folder.Length] = (byte)'/';
        name.CopyTo(result.AsSpan(folder.Length + slash));
        return result;
    }
}

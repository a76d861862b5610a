using System.Text;

namespace Candela.Guest.Files;

/// <summary>
/// The overlay's writable layer (Documentation/filesystems/overlayfs.rst): what is deleted is a character device 0/0 in it, and a
/// folder that hides the image's has an attribute.
/// </summary>
/// <param name="folder">The layer's folder.</param>
/// <param name="image">The folder below it: the image.</param>
internal sealed class WritableLayer(string folder, string image)
{
    private static readonly byte[][] AgentsPaths =
        [.. ((string[])["dev", "proc", "sys", "etc/hosts", "etc/hostname", "etc/resolv.conf"]).Select(Encoding.ASCII.GetBytes)];

    /// <summary>Begins the name of what is deleted, in a layer's archive.</summary>
    public static ReadOnlySpan<byte> WhiteoutPrefix => ".wh."u8;

    /// <summary>Says in a layer's archive that a folder hides the one below.</summary>
    public static ReadOnlySpan<byte> OpaqueMarker => ".wh..wh..opq"u8;

    /// <summary>The layer's folder.</summary>
    public string Folder => folder;

    /// <summary>The image's folder.</summary>
    public string Image => image;

    /// <summary>It is a deletion.</summary>
    public static bool IsWhiteout(in FileStatus status) => status is { Type: FileStatus.S_IFCHR, DeviceMajor: 0, DeviceMinor: 0 };

    /// <summary>The open folder hides the image's.</summary>
    public static bool IsOpaque(int folder)
    {
        Span<byte> value = stackalloc byte[1];
        return FileCalls.GetAttribute(folder, "trusted.overlay.opaque\0"u8, value) == 1 && value[0] == 'y';
    }

    /// <summary>
    /// It is an empty file or folder that the agent made to mount something on, because the image has none: no work of the
    /// container's.
    /// </summary>
    /// <param name="parent">The folder that it is in.</param>
    /// <param name="name">Its name, with a zero byte.</param>
    /// <param name="path">Its path in the layer, without a slash at the beginning.</param>
    /// <param name="status">What it is.</param>
    public bool IsAgents(int parent, ReadOnlySpan<byte> name, ReadOnlySpan<byte> path, in FileStatus status)
    {
        foreach (var known in AgentsPaths)
        {
            if (path.SequenceEqual(known))
                return IsEmpty(parent, name, status) && FileCalls.Status(FileCalls.AT_FDCWD, [.. Encoding.UTF8.GetBytes(image), (byte)'/', .. path, 0], out _) < 0;
        }

        return false;
    }

    private static bool IsEmpty(int parent, ReadOnlySpan<byte> name, in FileStatus status)
    {
        if (status.Type != FileStatus.S_IFDIR)
            return status is { Type: FileStatus.S_IFREG, Size: 0 };
        var number = FileCalls.OpenAt(parent, name, FileCalls.O_RDONLY | FileCalls.O_DIRECTORY | FileCalls.O_NOFOLLOW);
        if (number < 0)
            return false;
        using var reader = new FolderReader(new Descriptor(number), []);
        return reader.Next().IsEmpty;
    }
}

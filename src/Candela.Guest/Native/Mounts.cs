namespace Candela.Guest.Native;

/// <summary>mount(2) with errors that name the target.</summary>
internal static class Mounts
{
    /// <exception cref="AgentFailure">It failed.</exception>
    public static void Mount(string source, string target, string fileSystem, ulong flags, string? options) =>
        Errno.Check(Libc.mount(source, target, fileSystem, flags, options), $"mount {fileSystem} on {target}");

    /// <summary>Shows what is at <paramref name="source"/> at <paramref name="target"/> too.</summary>
    /// <exception cref="AgentFailure">It failed.</exception>
    public static void Bind(string source, string target) =>
        Errno.Check(Libc.mount(source, target, null, Linux.MS_BIND, null), $"bind {source} on {target}");

    /// <summary>Makes a folder; one that is there already is fine.</summary>
    /// <exception cref="AgentFailure">It could not be made.</exception>
    public static void MakeFolder(string path, uint mode = 0b111_101_101)
    {
        if (Libc.mkdir(path, mode) < 0 && Errno.Last != Linux.EEXIST)
            throw Errno.Failure($"mkdir {path}", Errno.Last);
    }
}

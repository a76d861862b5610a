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

    /// <summary>Takes the mount at <paramref name="source"/>, with those in it, to <paramref name="target"/>.</summary>
    /// <exception cref="AgentFailure">It failed.</exception>
    public static void Move(string source, string target) =>
        Errno.Check(Libc.mount(source, target, null, Linux.MS_MOVE, null), $"move {source} to {target}");

    /// <summary>Changes the flags of the mount at <paramref name="target"/>.</summary>
    /// <exception cref="AgentFailure">It failed.</exception>
    public static void SetFlags(string target, ulong flags) =>
        Errno.Check(Libc.mount(null, target, null, Linux.MS_REMOUNT | Linux.MS_BIND | flags, null), $"change the mount at {target}");

    /// <summary>Makes a folder; one that is there already is fine.</summary>
    /// <exception cref="AgentFailure">It could not be made.</exception>
    public static void MakeFolder(string path, uint mode = 0b111_101_101)
    {
        if (Libc.mkdir(path, mode) < 0 && Errno.Last != Linux.EEXIST)
            throw Errno.Failure($"mkdir {path}", Errno.Last);
    }
}

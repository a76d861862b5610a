using System.Text;
using Candela.Guest.Native;
using Candela.Guest.Protocol;

namespace Candela.Guest.Container;

/// <summary>
/// Paths of the container as the agent opens them: links are followed within the container's root and never lead out of it.
/// </summary>
internal static unsafe class RootedPath
{
    private const int LinkDepth = 40;
    private const int ResolveTries = 64;
    private const int PathMaxBytes = 4096;

    /// <summary>Opens what is at <paramref name="path"/> below <paramref name="root"/>; negative: the error number.</summary>
    public static int Open(int root, string path, int flags, ulong resolve = Linux.RESOLVE_IN_ROOT)
    {
        var name = Encoding.UTF8.GetBytes(path.TrimStart('/') is { Length: > 0 } relative ? relative + '\0' : ".\0");
        var how = new OpenHow { Flags = (ulong)(uint)(flags | Linux.O_CLOEXEC), Resolve = resolve };
        fixed (byte* text = name)
        {
            // A rename somewhere makes the kernel give up for the moment.
            int result, tries = ResolveTries;
            do
                result = (int)Raw.Call(Linux.SYS_openat2, root, (nint)text, (nint)(&how), sizeof(OpenHow));
            while (result == -Linux.EAGAIN && --tries > 0);
            return result;
        }
    }

    /// <summary>Opens (O_PATH) a folder or a regular file, making it and the folders above it when absent.</summary>
    /// <exception cref="AgentFailure">It cannot be made, or is of the other kind.</exception>
    public static int OpenOrMake(int root, string path, bool isFolder)
    {
        var result = OpenOrMake(root, path, isFolder, 0);
        return result >= 0 ? result : throw Errno.Failure($"make {path}", -result);
    }

    /// <summary>Where an O_PATH descriptor can be mounted on.</summary>
    public static string OfDescriptor(int fd) => $"/proc/self/fd/{fd}";

    private static int OpenOrMake(int root, string path, bool isFolder, int depth)
    {
        if (depth > LinkDepth)
            return -Linux.ELOOP;
        var kind = isFolder ? Linux.O_DIRECTORY : 0;
        var fd = Open(root, path, Linux.O_PATH | kind);
        if (fd != -Linux.ENOENT)
            return fd;
        var trimmed = path.TrimEnd('/');
        var cut = trimmed.LastIndexOf('/');
        var (above, name) = cut < 0 ? ("/", trimmed) : (trimmed[..cut], trimmed[(cut + 1)..]);
        if (name.Length == 0 || name is "." or "..")
            return -Linux.EINVAL;
        var parent = OpenOrMake(root, above, true, depth + 1);
        if (parent < 0)
            return parent;
        try
        {
            if (isFolder ? Libc.mkdirat(parent, name, 0b111_101_101) >= 0 : TryMakeFile(parent, name))
                return Open(root, path, Linux.O_PATH | kind);
            var error = Errno.Last;
            // A link whose target is absent: make the target.
            return error == Linux.EEXIST && ReadLink(parent, name) is { } target
                ? OpenOrMake(root, target.StartsWith('/') ? target : $"{above}/{target}", isFolder, depth + 1)
                : -error;
        }
        finally
        {
            _ = Libc.close(parent);
        }
    }

    private static bool TryMakeFile(int parent, string name)
    {
        var fd = Libc.openat(parent, name, Linux.O_WRONLY | Linux.O_CREAT | Linux.O_EXCL | Linux.O_CLOEXEC, 0b110_100_100);
        if (fd >= 0)
            _ = Libc.close(fd);
        return fd >= 0;
    }

    private static string? ReadLink(int parent, string name)
    {
        var buffer = stackalloc byte[PathMaxBytes];
        var length = Libc.readlinkat(parent, name, buffer, PathMaxBytes);
        return length > 0 ? Encoding.UTF8.GetString(buffer, (int)length) : null;
    }

    /// <summary>Refuses texts that no path or argument can be.</summary>
    /// <exception cref="AgentFailure">There is a zero character in it.</exception>
    public static string Checked(string text, string what) =>
        text.Contains('\0') ? throw new AgentFailure(AgentError.InvalidArgument, $"{what} contains a zero character") : text;
}

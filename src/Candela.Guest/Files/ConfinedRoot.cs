using System.Text;
using Candela.Guest.Protocol;

namespace Candela.Guest.Files;

/// <summary>
/// The container's root for file calls of the agent. Symbolic links resolve as they do in the container, whoever changes them
/// meanwhile: no path leads to the agent's own files.
/// </summary>
internal sealed class ConfinedRoot : IDisposable
{
    private readonly Descriptor _root;

    /// <exception cref="AgentFailure">There is no such folder.</exception>
    public ConfinedRoot(string path)
    {
        var name = Encoding.UTF8.GetBytes(path + '\0');
        var number = FileCalls.OpenAt(FileCalls.AT_FDCWD, name, FileCalls.O_PATH | FileCalls.O_DIRECTORY);
        _root = number >= 0 ? new Descriptor(number) : throw FileFailure.Of("open", name, number);
    }

    private ConfinedRoot(Descriptor root) => _root = root;

    /// <summary>The root without what is mounted in it: the image and the writable layer alone.</summary>
    /// <exception cref="AgentFailure">There is no mount there.</exception>
    public static ConfinedRoot WithoutMounts(string path)
    {
        var name = Encoding.UTF8.GetBytes(path + '\0');
        var number = FileCalls.CloneMount(name);
        return number >= 0 ? new ConfinedRoot(new Descriptor(number)) : throw FileFailure.Of("open_tree", name, number);
    }

    /// <inheritdoc/>
    public void Dispose() => _root.Dispose();

    /// <summary>Opens a path: the descriptor, or the negative error number.</summary>
    public int TryOpen(ReadOnlySpan<byte> path, int flags) =>
        path.Length >= UnixPath.MaximumBytes || path.Contains((byte)0) ? -FileCalls.EINVAL : FileCalls.OpenInRoot(_root.Number, UnixPath.Terminated(path), flags);

    /// <summary>Opens a path.</summary>
    /// <exception cref="AgentFailure">It failed; NoSuchPath when there is nothing.</exception>
    public Descriptor Open(ReadOnlySpan<byte> path, int flags)
    {
        var number = TryOpen(path, flags);
        return number >= 0 ? new Descriptor(number) : throw FileFailure.Of("open", path, number);
    }

    /// <summary>Where an open file is, seen from this root; null when that cannot be told (deleted, outside, or no /proc here).</summary>
    public byte[]? PathOf(Descriptor file)
    {
        var own = ProcPath(_root);
        var path = ProcPath(file);
        if (own is null || path is null)
            return null;
        if (own.Length == 1)
            return path;
        if (!path.AsSpan().StartsWith(own))
            return null;
        return path.Length == own.Length ? "/"u8.ToArray() : path[own.Length] == '/' ? path[own.Length..] : null;
    }

    /// <summary>Reads a regular file; null when there is none.</summary>
    /// <exception cref="AgentFailure">It failed, it is no regular file, or it is larger than the limit.</exception>
    public byte[]? ReadSmallFile(ReadOnlySpan<byte> path, int maximumBytes)
    {
        var number = TryOpen(path, FileCalls.O_RDONLY | FileCalls.O_NONBLOCK | FileCalls.O_NOCTTY);
        if (number is -FileCalls.ENOENT or -FileCalls.ENOTDIR)
            return null;
        if (number < 0)
            throw FileFailure.Of("open", path, number);
        using var file = new Descriptor(number);
        var error = FileCalls.Status(number, "\0"u8, out var status);
        if (error < 0)
            throw FileFailure.Of("stat", path, error);
        if (status.Type != FileStatus.S_IFREG)
            throw new AgentFailure(AgentError.Failed, $"{FileFailure.Text(path)} is not a regular file");
        if (status.Size > maximumBytes)
            throw new AgentFailure(AgentError.LimitExceeded, $"{FileFailure.Text(path)} is larger than {maximumBytes} bytes");

        var content = new byte[status.Size];
        var length = 0;
        while (length < content.Length)
        {
            var count = FileCalls.Read(number, content.AsSpan(length));
            if (count < 0)
                throw FileFailure.Of("read", path, count);
            if (count == 0)
                break;
            length += count;
        }

        return length == content.Length ? content : content.AsSpan(0, length).ToArray();
    }

    private static byte[]? ProcPath(Descriptor file)
    {
        var buffer = new byte[UnixPath.MaximumBytes];
        var length = FileCalls.ReadLinkAt(FileCalls.AT_FDCWD, Encoding.UTF8.GetBytes($"/proc/self/fd/{file.Number}\0"), buffer);
        return length > 0 && buffer[0] == '/' ? buffer.AsSpan(0, length).ToArray() : null;
    }
}

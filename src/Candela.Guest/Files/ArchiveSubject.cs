using System.Text;
using Candela.Guest.Protocol;
using Candela.Guest.Protocol.Host;

namespace Candela.Guest.Files;

/// <summary>What a path of the container names: the open file (O_PATH), its name and its stat.</summary>
internal sealed class ArchiveSubject : IDisposable
{
    private readonly Descriptor _file;

    private ArchiveSubject(Descriptor file, FileStatus status, byte[] cleanPath, byte[] name, string linkTarget)
    {
        _file = file;
        Status = status;
        CleanPath = cleanPath;
        Name = name;
        Stat = new ArchiveStat(FileFailure.Text(name), status.Size, status.Mode, status.ModifiedSeconds, linkTarget);
    }

    /// <summary>Type, size and so on.</summary>
    public FileStatus Status { get; }

    /// <summary>The path without its end "/" or "/.".</summary>
    public byte[] CleanPath { get; }

    /// <summary>Last step of the path as Go's filepath.Base has it: "." after "/.", "/" of the root.</summary>
    public byte[] Name { get; }

    /// <summary>For the host.</summary>
    public ArchiveStat Stat { get; }

    /// <summary>The descriptor (O_PATH).</summary>
    public int Number => _file.Number;

    /// <summary>Opens what is at a path; a symbolic link at its end only when "/" or "/." comes after it.</summary>
    /// <exception cref="AgentFailure">NoSuchPath, InvalidArgument, or a failed call.</exception>
    public static ArchiveSubject Open(ConfinedRoot root, string path)
    {
        var bytes = Encoding.UTF8.GetBytes(path);
        if (bytes.Length >= UnixPath.MaximumBytes || bytes.AsSpan().Contains((byte)0))
            throw new AgentFailure(AgentError.InvalidArgument, $"a path must be shorter than {UnixPath.MaximumBytes} bytes and hold no zero byte");
        var clean = UnixPath.Clean(bytes);
        var endsInDot = bytes is [.., (byte)'/', (byte)'.'] or [(byte)'.'];
        var follows = endsInDot || bytes is [] or [.., (byte)'/'];
        var file = root.Open(follows ? UnixPath.Join(clean, "."u8) : clean, FileCalls.O_PATH | FileCalls.O_NOFOLLOW);
        try
        {
            var error = FileCalls.Status(file.Number, "\0"u8, out var status);
            if (error < 0)
                throw FileFailure.Of("stat", bytes, error);
            var name = endsInDot && clean.Length > 1 ? "."u8 : UnixPath.Name(clean);
            var target = status.Type == FileStatus.S_IFLNK ? LinkTarget(root, file, clean) : "";
            return new ArchiveSubject(file, status, clean, name.ToArray(), target);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    /// <summary>
    /// Where the link leads in the container after all links on the way, as Docker tells it; when that is nothing or cannot be told,
    /// where its own text leads.
    /// </summary>
    private static string LinkTarget(ConfinedRoot root, Descriptor link, byte[] cleanPath)
    {
        var number = root.TryOpen(cleanPath, FileCalls.O_PATH);
        if (number >= 0)
        {
            using var target = new Descriptor(number);
            if (root.PathOf(target) is { } path)
                return FileFailure.Text(path);
        }

        var buffer = new byte[UnixPath.MaximumBytes];
        var length = FileCalls.ReadLinkAt(link.Number, "\0"u8, buffer);
        if (length < 0)
            throw FileFailure.Of("readlink", cleanPath, length);
        var text = buffer.AsSpan(0, length);
        return FileFailure.Text(text is [(byte)'/', ..] ? UnixPath.Clean(text) : UnixPath.Clean(UnixPath.Join(UnixPath.Parent(cleanPath), text)));
    }
}

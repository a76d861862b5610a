using System.Text;

namespace Candela.Guest.Native;

/// <summary>Whole small files: kernel interfaces and files of /etc.</summary>
internal static unsafe class SmallFile
{
    private const int MaxBytes = 64 * 1024;

    /// <summary>Writes <paramref name="text"/> in one call to a file that exists, or is made with that mode.</summary>
    /// <exception cref="AgentFailure">It could not be written.</exception>
    public static void Write(string path, string text, uint mode = 0b110_100_100)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        var fd = Errno.Check(Libc.open(path, Linux.O_WRONLY | Linux.O_CREAT | Linux.O_TRUNC | Linux.O_CLOEXEC, mode), $"open {path}");
        try
        {
            fixed (byte* data = bytes)
            {
                if (Libc.write(fd, data, (nuint)bytes.Length) != bytes.Length)
                    throw Errno.Failure($"write {path}", Errno.Last);
            }
        }
        finally
        {
            _ = Libc.close(fd);
        }
    }

    /// <summary>Its text, at most 64 KiB; null: it cannot be read.</summary>
    public static string? TryRead(string path)
    {
        var fd = Libc.open(path, Linux.O_RDONLY | Linux.O_CLOEXEC, 0);
        if (fd < 0)
            return null;
        var buffer = new byte[MaxBytes];
        var length = 0;
        fixed (byte* data = buffer)
        {
            nint read;
            while (length < MaxBytes && (read = Libc.read(fd, data + length, (nuint)(MaxBytes - length))) > 0)
                length += (int)read;
        }
        _ = Libc.close(fd);
        return Encoding.UTF8.GetString(buffer, 0, length);
    }
}

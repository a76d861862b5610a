using System.ComponentModel;
using System.Net.Sockets;

namespace Candela.Controller.Transport;

/// <summary>
/// A listening Unix socket and its file. The socket is bound to a name of its own with mode 0600, listens, gets its owner and
/// mode and only then is renamed to the final path: nobody sees a file that refuses connections or is open too wide.
/// </summary>
internal sealed class UnixSocketFile : IDisposable
{
    private const int PathBytesMaximum = 107; // sun_path of unix(7) less its final NUL

    private readonly string _path;
    private readonly (ulong Device, ulong Inode) _identity;
    private int _disposed;

    private UnixSocketFile(Socket socket, string path, (ulong, ulong) identity) => (Socket, _path, _identity) = (socket, path, identity);

    public Socket Socket { get; }

    /// <summary>Makes the file. A stale socket is replaced; a live one, or a file of another kind, is refused.</summary>
    /// <exception cref="IOException">The path is in use, too long or cannot be made.</exception>
    public static UnixSocketFile Bind(string path, UnixSocketOptions options)
    {
        path = Path.GetFullPath(path);
        var folder = Path.GetDirectoryName(path) ?? throw new IOException($"{path} is not a path for a socket.");
        var temporary = Path.Combine(folder, $".{Random.Shared.Next(0x1000000):x6}");
        foreach (var candidate in (string[])[path, temporary])
        {
            if (System.Text.Encoding.UTF8.GetByteCount(candidate) > PathBytesMaximum)
                throw new IOException($"The socket path {path} is too long: at most {PathBytesMaximum} bytes. Choose a shorter run folder.");
        }

        ThrowIfInUse(path);
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            // unix_bind() takes the file's mode from the socket's inode: no moment with a wider mode, and no process-wide umask.
            if (NativeSocketFile.FChMod((int)socket.Handle, 0x180 /* 0600 */) != 0)
                throw new Win32Exception();
            socket.Bind(new UnixDomainSocketEndPoint(temporary));
            try
            {
                if (UnixGroups.Find(options.Group) is { } group && NativeSocketFile.LChOwn(temporary, uint.MaxValue, group) != 0)
                    throw new Win32Exception();
                File.SetUnixFileMode(temporary, options.Mode);
                socket.Listen(options.Backlog);
                var identity = NativeSocketFile.Identify(temporary);
                File.Move(temporary, path, overwrite: true);
                return new UnixSocketFile(socket, path, identity);
            }
            catch
            {
                File.Delete(temporary);
                throw;
            }
        }
        catch (Exception e) when (e is SocketException or Win32Exception or UnauthorizedAccessException)
        {
            socket.Dispose();
            throw new IOException($"The socket {path} could not be made: {e.Message}", e);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Stops listening and removes the file if it still is this one.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
            return;
        Socket.Dispose();
        if (File.Exists(_path) && NativeSocketFile.TryIdentify(_path, out var identity) && identity == _identity)
            File.Delete(_path);
    }

    private static void ThrowIfInUse(string path)
    {
        var present = new FileInfo(path);
        if (!present.Exists && present.LinkTarget is null)
        {
            if (Directory.Exists(path))
                throw new IOException($"{path} is a folder: it cannot become a socket.");
            return;
        }

        if (!NativeSocketFile.IsSocket(path))
            throw new IOException($"{path} exists and is not a socket: move it away, or choose another path.");
        using var probe = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            probe.Connect(new UnixDomainSocketEndPoint(path));
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionRefused)
        {
            return; // nobody listens: left behind by a process that was killed
        }
        catch (SocketException)
        {
            // Full backlog and the like: somebody is there.
        }

        throw new IOException($"Another process listens on {path}: stop it, or choose another path.");
    }
}

using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;
using static Candela.Microvisor.Native.Libc;

namespace Candela.Microvisor.Native;

/// <summary>Listening Unix sockets that are handed to a VMM. (.NET's Socket unlinks the path when it is disposed.)</summary>
internal static unsafe class ListeningSocket
{
    /// <summary>Longest path, bytes (sockaddr_un.sun_path less the final zero).</summary>
    public const int PathBytes = 107;

    /// <summary>Makes the socket file and listens; the file stays when the handle is closed.</summary>
    public static SafeFileHandle Create(string path)
    {
        byte[] name = Encoding.UTF8.GetBytes(path);
        if (name.Length > PathBytes)
            throw new IOException($"socket path longer than {PathBytes} bytes: {path}");
        SafeFileHandle socket = Own(Libc.socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");
        byte* address = stackalloc byte[2 + PathBytes + 1];
        *(ushort*)address = AF_UNIX;
        name.CopyTo(new Span<byte>(address + 2, PathBytes));
        address[2 + name.Length] = 0;
        if (bind(socket.Number(), address, (uint)(2 + name.Length + 1)) < 0 || listen(socket.Number(), 1) < 0)
        {
            IOException failure = Failure($"listening on {path}");
            socket.Dispose();
            throw failure;
        }

        return socket;
    }

    /// <summary>Sends bytes with a descriptor attached (unix(7), SCM_RIGHTS).</summary>
    public static void Send(SafeHandle socket, ReadOnlySpan<byte> data, SafeFileHandle descriptor)
    {
        const int headerBytes = 16, controlBytes = 24; // CMSG_LEN(0), CMSG_SPACE(sizeof(int))
        byte* control = stackalloc byte[controlBytes];
        new Span<byte>(control, controlBytes).Clear();
        *(ulong*)control = headerBytes + sizeof(int);
        *(int*)(control + 8) = SOL_SOCKET;
        *(int*)(control + 12) = SCM_RIGHTS;
        *(int*)(control + headerBytes) = descriptor.Number();
        fixed (byte* bytes = data)
        {
            var vector = new Iovec { Base = bytes, Length = (nuint)data.Length };
            var message = new Msghdr { Vectors = &vector, VectorCount = 1, Control = control, ControlLength = controlBytes };
            if (Check(sendmsg((int)socket.DangerousGetHandle(), &message, MSG_NOSIGNAL), "sending a descriptor") != data.Length)
                throw new IOException("sending a descriptor: the receiver does not read");
        }
    }
}

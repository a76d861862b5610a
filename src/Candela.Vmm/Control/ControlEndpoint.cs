using System.Text;
using Candela.Vmm.Loop;
using Candela.Vmm.Native;

namespace Candela.Vmm.Control;

/// <summary>
/// Takes commands, a line each, from a listening socket or one open stream; one connection at a time. A command may come with a descriptor
/// (SCM_RIGHTS, unix(7)). Every command is answered by a line that starts with "ok" or "error".
/// </summary>
internal sealed unsafe class ControlEndpoint : IEventSource
{
    private const int LineBytesMaximum = 256;
    private const int DescriptorsMaximum = 4;
    private const int ControlBytes = 64;

    private readonly EventLoop _loop;
    private readonly ICommandHandler _handler;
    private readonly int _listener = -1;
    private readonly byte[] _line = new byte[LineBytesMaximum];
    private readonly Queue<int> _descriptors = new();
    private int _lineBytes;
    private int _connection = -1;

    /// <summary>Serves a descriptor, and finds out what it is.</summary>
    public ControlEndpoint(EventLoop loop, ICommandHandler handler, int descriptor)
    {
        _loop = loop;
        _handler = handler;
        int isListening = 0, length = sizeof(int);
        if (Libc.getsockopt(descriptor, Linux.SOL_SOCKET, Linux.SO_ACCEPTCONN, &isListening, &length) == 0 && isListening != 0)
        {
            _listener = descriptor;
            loop.Add(descriptor, Linux.EPOLLIN, this);
        }
        else
        {
            Connect(descriptor);
        }
    }

    /// <inheritdoc/>
    public void OnReady(uint events)
    {
        int connection = Libc.accept4(_listener, null, null, Linux.SOCK_CLOEXEC);
        if (connection >= 0)
            Connect(connection);
    }

    private void Connect(int descriptor)
    {
        HangUp();
        _connection = descriptor;
        _loop.Add(descriptor, Linux.EPOLLIN, new Connection(this));
    }

    private void HangUp()
    {
        if (_connection < 0)
            return;
        _loop.Remove(_connection);
        _ = Libc.close(_connection);
        _connection = -1;
        _lineBytes = 0;
        while (_descriptors.TryDequeue(out int descriptor))
            _ = Libc.close(descriptor);
    }

    private void Receive()
    {
        byte* bytes = stackalloc byte[LineBytesMaximum];
        nint count = Read(bytes);
        if (count < 0 && Errno.Last is Linux.EAGAIN or Linux.EINTR)
            return;
        if (count <= 0)
        {
            HangUp();
            return;
        }

        for (int i = 0; i < count && _connection >= 0; i++)
        {
            if (bytes[i] == '\n')
            {
                string command = Encoding.ASCII.GetString(_line, 0, _lineBytes);
                _lineBytes = 0;
                Reply(_handler.Handle(command, _descriptors));
            }
            else if (_lineBytes == LineBytesMaximum)
            {
                Reply($"error: a command has at most {LineBytesMaximum} characters");
                HangUp();
            }
            else
            {
                _line[_lineBytes++] = bytes[i];
            }
        }
    }

    private nint Read(byte* bytes)
    {
        byte* control = stackalloc byte[ControlBytes];
        IoVector vector = new() { Start = bytes, Length = LineBytesMaximum };
        MessageHeader message = new() { Vectors = &vector, VectorCount = 1, Control = control, ControlLength = ControlBytes };
        nint count = Libc.recvmsg(_connection, &message, Linux.MSG_CMSG_CLOEXEC);
        if (count < 0 && Errno.Last == Linux.ENOTSOCK)
            return Libc.read(_connection, bytes, LineBytesMaximum);
        // struct cmsghdr: length, level, type, then the descriptors (cmsg(3)).
        if (count >= 0 && message.ControlLength >= 20 && *(int*)(control + 8) == Linux.SOL_SOCKET && *(int*)(control + 12) == Linux.SCM_RIGHTS)
        {
            int descriptors = (int)((Math.Min(*(nuint*)control, message.ControlLength) - 16) / sizeof(int));
            for (int i = 0; i < descriptors; i++)
            {
                int descriptor = *(int*)(control + 16 + 4 * i);
                if (_descriptors.Count < DescriptorsMaximum)
                    _descriptors.Enqueue(descriptor);
                else
                    _ = Libc.close(descriptor);
            }
        }

        return count;
    }

    private void Reply(string reply)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(reply + "\n");
        fixed (byte* start = bytes)
        {
            for (int done = 0; done < bytes.Length;)
            {
                nint count = Libc.write(_connection, start + done, (nuint)(bytes.Length - done));
                if (count < 0 && Errno.Last == Linux.EINTR)
                    continue;
                if (count <= 0)
                    return; // gone; reading will tell
                done += (int)count;
            }
        }
    }

    private sealed class Connection(ControlEndpoint endpoint) : IEventSource
    {
        public void OnReady(uint events) => endpoint.Receive();
    }
}

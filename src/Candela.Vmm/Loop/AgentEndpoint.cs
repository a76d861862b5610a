using Candela.Vmm.Native;
using Candela.Vmm.Virtio.Console;

namespace Candela.Vmm.Loop;

/// <summary>The host's side of the agent channel: a listening socket, whose newest connection replaces the former, or one open stream.</summary>
internal sealed unsafe class AgentEndpoint : IEventSource
{
    private readonly EventLoop _loop;
    private readonly ConsoleDevice _device;
    private readonly int _listener = -1;
    private DescriptorStream? _stream;

    /// <summary>Serves a descriptor, and finds out what it is.</summary>
    public AgentEndpoint(EventLoop loop, ConsoleDevice device, int descriptor)
    {
        _loop = loop;
        _device = device;
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
        int connection = Libc.accept4(_listener, null, null, Linux.SOCK_NONBLOCK | Linux.SOCK_CLOEXEC);
        if (connection >= 0)
            Connect(connection);
    }

    private void Connect(int descriptor)
    {
        HangUp();
        _stream = new DescriptorStream(descriptor);
        _loop.Add(descriptor, Linux.EPOLLIN | Linux.EPOLLOUT | Linux.EPOLLET, new Connection(this));
        lock (_device)
            _device.Connect(_stream);
    }

    private void Pump(uint events)
    {
        bool isAlive;
        lock (_device)
            isAlive = _device.Pump();
        if (!isAlive || (events & Linux.EPOLLHUP) != 0)
            HangUp();
    }

    private void HangUp()
    {
        if (_stream is null)
            return;
        lock (_device)
            _device.Disconnect();
        _loop.Remove(_stream.Descriptor);
        _ = Libc.close(_stream.Descriptor);
        _stream = null;
    }

    private sealed class Connection(AgentEndpoint endpoint) : IEventSource
    {
        public void OnReady(uint events) => endpoint.Pump(events);
    }
}

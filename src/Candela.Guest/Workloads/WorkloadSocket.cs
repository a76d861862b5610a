using System.Text;
using Candela.Guest.Channel;
using Candela.Guest.Loop;
using Candela.Guest.Native;
using Candela.Guest.Protocol;

namespace Candela.Guest.Workloads;

/// <summary>
/// The socket at which processes of the container reach the host's Workload API. The agent only passes bytes on: who calls is known to the
/// host from its channel. Made before the micro-VM is cloned, so that a start costs nothing; who connects while there is no host waits.
/// </summary>
internal sealed unsafe class WorkloadSocket(EventLoop loop, FrameSender sender, string folder) : IEventSource, IDisposable
{
    private const string Name = "workload.sock";
    private const int Backlog = 64;
    private const int AddressBytes = 110; // struct sockaddr_un

    private readonly Dictionary<uint, WorkloadConnection> _connections = [];
    private int _fd = -1;
    private int _watch = -1;
    private uint _last;
    private bool _hasHost;

    /// <summary>Makes it at <see cref="GuestPaths.Workload"/>.</summary>
    /// <exception cref="AgentFailure">It could not be made.</exception>
    public static WorkloadSocket Open(EventLoop loop, FrameSender sender)
    {
        var socket = new WorkloadSocket(loop, sender, GuestPaths.Workload);
        socket.Listen();
        return socket;
    }

    /// <summary>Makes the socket, in place of the former one.</summary>
    /// <exception cref="AgentFailure">It could not be made.</exception>
    public void Listen()
    {
        CloseAll();
        Unwatch();
        if (_fd >= 0)
            _ = Libc.close(_fd);
        Mounts.MakeFolder(folder);
        var path = $"{folder}/{Name}";
        _ = Libc.unlink(path);
        _fd = Errno.Check(Libc.socket(Linux.AF_UNIX, Linux.SOCK_STREAM | Linux.SOCK_CLOEXEC | Linux.SOCK_NONBLOCK, 0), "socket");
        var address = stackalloc byte[AddressBytes];
        new Span<byte>(address, AddressBytes).Clear();
        *(ushort*)address = Linux.AF_UNIX;
        Encoding.UTF8.GetBytes(path, new Span<byte>(address + 2, AddressBytes - 3));
        Errno.Check(Libc.bind(_fd, address, AddressBytes), $"bind {path}");
        Errno.Check(Libc.chmod(path, 0b110_110_110), $"chmod {path}");
        Errno.Check(Libc.listen(_fd, Backlog), $"listen at {path}");
        Watch();
    }

    /// <summary>There is a host.</summary>
    public void Resume()
    {
        _hasHost = true;
        Watch();
    }

    /// <summary>The host is gone, or this is a fork and its host is another: connections end.</summary>
    public void Halt()
    {
        _hasHost = false;
        CloseAll();
        Unwatch();
    }

    /// <summary>The connection of that number; null: it is closed.</summary>
    public WorkloadConnection? Find(uint number) => _connections.GetValueOrDefault(number);

    /// <inheritdoc/>
    public void OnReady(uint events)
    {
        var fd = Libc.accept4(_fd, null, null, Linux.SOCK_CLOEXEC | Linux.SOCK_NONBLOCK);
        if (fd < 0)
            return;
        var number = ++_last;
        sender.Send(new FrameHeader(FrameType.ConnectionOpened, 0, 0, number, 0, 0), []);
        _connections.Add(number, new WorkloadConnection(loop, sender, number, fd, Forget));
        if (_connections.Count >= ProtocolLimits.ConnectionCount)
            Unwatch();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Halt();
        if (_fd >= 0)
            _ = Libc.close(_fd);
        _fd = -1;
    }

    private void Forget(uint number)
    {
        _connections.Remove(number);
        Watch();
    }

    private void CloseAll()
    {
        foreach (var connection in (WorkloadConnection[])[.. _connections.Values])
            connection.Dispose();
        _connections.Clear();
    }

    private void Watch()
    {
        if (_hasHost && _watch < 0 && _fd >= 0 && _connections.Count < ProtocolLimits.ConnectionCount)
            _watch = loop.Add(_fd, Linux.EPOLLIN, this);
    }

    private void Unwatch()
    {
        if (_watch >= 0)
            loop.Remove(_fd, _watch);
        _watch = -1;
    }
}

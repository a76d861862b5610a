using System.Net;
using System.Net.Sockets;
using Candela.Model;
using Candela.Network.Namespaces;
using Candela.Network.Plan;

namespace Candela.Network.Host;

/// <summary>
/// Holds the host's published ports: a bound socket each, so that no other program takes the port, and a port that is taken is noticed.
/// Packets never reach the sockets.
/// </summary>
internal sealed class PortReservations(NetworkNamespace host) : IDisposable
{
    private readonly record struct Key(Protocol Protocol, IPAddress Address, ushort Port);

    private readonly Dictionary<Key, Socket> _sockets = [];

    /// <summary>Holds just these ports.</summary>
    /// <exception cref="CandelaException">One is taken; those held before are still held, others are not.</exception>
    public void Apply(IEnumerable<PublishedPort> published)
    {
        HashSet<Key> wanted = [];
        foreach (PublishedPort port in published)
        {
            foreach (IPAddress address in port.HostAddress is { } one ? [one] : new[] { IPAddress.Any, IPAddress.IPv6Any })
            {
                if (!wanted.Add(new Key(port.Protocol, address, port.HostPort)))
                    throw Taken(new Key(port.Protocol, address, port.HostPort), "by another container");
            }
        }

        List<Key> added = [];
        try
        {
            foreach (Key key in wanted.Where(k => !_sockets.ContainsKey(k) && k.Protocol != Protocol.Sctp))
            {
                _sockets.Add(key, host.Run(() => Bind(key)));
                added.Add(key);
            }
        }
        catch
        {
            foreach (Key key in added)
                Release(key);
            throw;
        }

        foreach (Key key in _sockets.Keys.Where(k => !wanted.Contains(k)).ToArray())
            Release(key);
    }

    public void Dispose()
    {
        foreach (Socket socket in _sockets.Values)
            socket.Dispose();
        _sockets.Clear();
    }

    private static Socket Bind(Key key)
    {
        var socket = key.Protocol == Protocol.Tcp
            ? new Socket(key.Address.AddressFamily, SocketType.Stream, ProtocolType.Tcp)
            : new Socket(key.Address.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        try
        {
            if (key.Address.AddressFamily == AddressFamily.InterNetworkV6)
                socket.DualMode = false;
            socket.Bind(new IPEndPoint(key.Address, key.Port));
            // .NET binds TCP sockets with SO_REUSEADDR, which only a listening socket keeps others from sharing.
            if (key.Protocol == Protocol.Tcp)
                socket.Listen(1);
            return socket;
        }
        catch (SocketException exception)
        {
            socket.Dispose();
            throw exception.SocketErrorCode switch
            {
                SocketError.AddressAlreadyInUse => Taken(key, "by a program of the host"),
                SocketError.AddressNotAvailable => new CandelaException(ErrorCode.InvalidArgument, $"the host has no address {key.Address} to publish on"),
                _ => new CandelaException(ErrorCode.Unavailable, $"cannot publish {key.Address} port {key.Port}: {exception.Message}", exception),
            };
        }
    }

    private static PortTakenException Taken(Key key, string by) => new(key.Protocol, key.Address, key.Port, by);

    private void Release(Key key)
    {
        _sockets.Remove(key, out Socket? socket);
        socket?.Dispose();
    }
}

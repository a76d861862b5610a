using System.Net;
using System.Net.Sockets;
using Candela.Network.Namespaces;

namespace Candela.Network.Tests.Lab;

/// <summary>Sockets of namespaces.</summary>
internal static class Sockets
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(10);

    public static Socket Listen(NetworkNamespace space, IPAddress address, int port)
    {
        Socket socket = space.Run(() => new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp));
        socket.Bind(new IPEndPoint(address, port));
        socket.Listen();
        return socket;
    }

    /// <summary>Connects over TCP; null when that is refused or takes too long.</summary>
    public static Socket? Connect(NetworkNamespace space, IPAddress address, int port, TimeSpan? patience = null)
    {
        Socket socket = space.Run(() => new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp));
        try
        {
            if (socket.ConnectAsync(address, port).Wait(patience ?? s_patience))
                return socket;
        }
        catch (AggregateException)
        {
            // refused or unreachable
        }

        socket.Dispose();
        return null;
    }

    /// <summary>Connects to a listener behind some address and returns the address that the listener sees; null when it is not reached.</summary>
    public static IPAddress? SourceSeen(NetworkNamespace from, IPAddress address, int port, Socket listener)
    {
        using Socket? client = Connect(from, address, port);
        if (client is null)
            return null;
        using Socket server = listener.Accept();
        server.Send("hello"u8);
        byte[] buffer = new byte[16];
        client.ReceiveTimeout = 5000;
        Assert.Equal(5, client.Receive(buffer));
        IPAddress source = ((IPEndPoint)server.RemoteEndPoint!).Address;
        return source.IsIPv4MappedToIPv6 ? source.MapToIPv4() : source;
    }

    /// <summary>Whether a connection does not come about within a second.</summary>
    public static bool IsUnreachable(NetworkNamespace from, IPAddress address, int port)
    {
        using Socket? client = Connect(from, address, port, TimeSpan.FromSeconds(1));
        return client is null;
    }
}

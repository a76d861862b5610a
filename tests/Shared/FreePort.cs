using System.Net;
using System.Net.Sockets;

namespace Candela.Tests.Shared;

/// <summary>Ports of the loopback that nobody listens on.</summary>
public static class FreePort
{
    /// <summary>One that was free a moment ago, for TCP and UDP.</summary>
    public static int Next()
    {
        while (true)
        {
            using var tcp = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            using var udp = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
            tcp.Bind(new IPEndPoint(IPAddress.Loopback, 0));
            try
            {
                udp.Bind(tcp.LocalEndPoint!);
                return ((IPEndPoint)tcp.LocalEndPoint!).Port;
            }
            catch (SocketException)
            {
                // Taken for UDP: another one.
            }
        }
    }
}

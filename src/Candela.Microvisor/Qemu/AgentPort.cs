using System.Net.Sockets;

namespace Candela.Microvisor.Qemu;

/// <summary>Connections to the agent's virtio-serial port.</summary>
internal static class AgentPort
{
    /// <summary>Connects; waits while QEMU has not yet let go of the connection before.</summary>
    public static async Task<NetworkStream> ConnectAsync(string path, CancellationToken cancellationToken)
    {
        while (true)
        {
            var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            try
            {
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellationToken);
                return new NetworkStream(socket, ownsSocket: true);
            }
            catch (SocketException e) when (e.SocketErrorCode is SocketError.TryAgain or SocketError.WouldBlock)
            {
                socket.Dispose(); // its queue of one is full
                await Task.Delay(1, cancellationToken);
            }
            catch
            {
                socket.Dispose();
                throw;
            }
        }
    }
}

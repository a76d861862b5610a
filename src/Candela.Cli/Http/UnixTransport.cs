using System.Net.Sockets;

namespace Candela.Cli.Http;

/// <summary>A Unix socket.</summary>
internal sealed class UnixTransport : Transport
{
    private readonly Socket socket;

    private UnixTransport(Socket socket) => this.socket = socket;

    /// <exception cref="SocketException">Nobody listens there.</exception>
    public static UnixTransport Connect(string path)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            socket.Connect(new UnixDomainSocketEndPoint(path));
            return new UnixTransport(socket);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    public override int Receive(Span<byte> destination) => socket.Receive(destination);

    public override void SendAll(ReadOnlySpan<byte> data)
    {
        while (data.Length > 0)
            data = data[socket.Send(data)..];
    }

    public override void Shutdown() => Shutdown(socket);

    public override void Dispose() => socket.Dispose();
}

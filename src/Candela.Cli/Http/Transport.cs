using System.Net.Sockets;

namespace Candela.Cli.Http;

/// <summary>Bytes both ways, blocking. One thread receives while another one sends.</summary>
internal abstract class Transport : IDisposable
{
    /// <summary>Receives what is there, at least one byte; 0 at the end.</summary>
    /// <exception cref="SocketException">The connection broke.</exception>
    /// <exception cref="EndOfStreamException">It ended in the middle of something.</exception>
    public abstract int Receive(Span<byte> destination);

    /// <exception cref="SocketException">The connection broke.</exception>
    public abstract void SendAll(ReadOnlySpan<byte> data);

    /// <summary>Wakes a thread that waits in <see cref="Receive"/>.</summary>
    public abstract void Shutdown();

    public abstract void Dispose();

    protected static void Shutdown(Socket socket)
    {
        try
        {
            socket.Shutdown(SocketShutdown.Both);
        }
        catch (SocketException)
        {
            // Closed by the other side already.
        }
    }
}

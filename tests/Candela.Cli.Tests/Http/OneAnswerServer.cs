using System.Net.Sockets;
using System.Text;

namespace Candela.Cli.Tests.Http;

/// <summary>Listens on a Unix socket, reads one request, and answers with the given bytes, in pieces as given.</summary>
internal sealed class OneAnswerServer : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("candela-cli-").FullName;
    private readonly Socket listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    private readonly Thread thread;
    private readonly StringBuilder received = new();

    public OneAnswerServer(params string[] pieces)
        : this(until: "\r\n\r\n", pieces)
    {
    }

    public OneAnswerServer(string until, string[] pieces)
    {
        SocketPath = Path.Combine(folder, "s");
        listener.Bind(new UnixDomainSocketEndPoint(SocketPath));
        listener.Listen();
        thread = new Thread(() => Serve(until, pieces)) { IsBackground = true };
        thread.Start();
    }

    public string SocketPath { get; }

    /// <summary>All that the client sent; complete when the client has closed the connection.</summary>
    public string Received
    {
        get
        {
            Assert.True(thread.Join(TimeSpan.FromSeconds(10)));
            return received.ToString();
        }
    }

    public void Dispose()
    {
        listener.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    private void Serve(string until, string[] pieces)
    {
        using var socket = listener.Accept();
        byte[] buffer = new byte[4096];
        int count;
        while (!received.ToString().Contains(until, StringComparison.Ordinal) && (count = socket.Receive(buffer)) > 0)
            received.Append(Encoding.Latin1.GetString(buffer, 0, count));
        foreach (string piece in pieces)
            socket.Send(Encoding.Latin1.GetBytes(piece));
        socket.Shutdown(SocketShutdown.Send);
        while ((count = socket.Receive(buffer)) > 0)
            received.Append(Encoding.Latin1.GetString(buffer, 0, count));
    }
}

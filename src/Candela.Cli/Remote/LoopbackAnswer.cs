using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Candela.Cli.Remote;

/// <summary>Waits on a free port of the loopback until a browser is led back to <c>/callback</c> (RFC 8252, section 7.3).</summary>
internal sealed class LoopbackAnswer : IDisposable
{
    private const string Path = "/callback";
    private const int RequestBytes = 16 * 1024;
    private const int RequestSeconds = 10;

    private const string Page =
        "<!doctype html><html lang=\"en\"><title>Candela</title><h1>That was it</h1><p>The command line goes on. You can close this page.</p></html>";

    private readonly TcpListener listener;

    private LoopbackAnswer(TcpListener listener) => this.listener = listener;

    public string Address => string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}{Path}");

    public static LoopbackAnswer Listen()
    {
        var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return new LoopbackAnswer(listener);
    }

    /// <summary>Fields of the answer.</summary>
    /// <exception cref="TimeoutException">None came.</exception>
    public IReadOnlyDictionary<string, string> Wait(TimeSpan time)
    {
        using var limit = new CancellationTokenSource(time);
        while (true)
        {
            try
            {
                using var connection = listener.AcceptTcpClientAsync(limit.Token).AsTask().GetAwaiter().GetResult();
                if (Serve(connection) is { } fields)
                    return fields;
            }
            catch (OperationCanceledException)
            {
                throw new TimeoutException("no browser came back in time: begin again, or try --device");
            }
            catch (Exception exception) when (exception is SocketException or IOException)
            {
                // Somebody else knocked, and left.
            }
        }
    }

    public void Dispose() => listener.Dispose();

    /// <summary>Fields of a query; a name that is there twice makes the whole worthless.</summary>
    internal static IReadOnlyDictionary<string, string>? Fields(string query)
    {
        var fields = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (string pair in query.Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            int equals = pair.IndexOf('=', StringComparison.Ordinal);
            if (equals < 0 || !fields.TryAdd(Uri.UnescapeDataString(pair[..equals]), Uri.UnescapeDataString(pair[(equals + 1)..].Replace('+', ' '))))
                return null;
        }
        return fields;
    }

    /// <summary>One request; null: it was none that leads back here.</summary>
    private static IReadOnlyDictionary<string, string>? Serve(TcpClient connection)
    {
        connection.ReceiveTimeout = connection.SendTimeout = RequestSeconds * 1000;
        using var stream = connection.GetStream();
        byte[] buffer = new byte[RequestBytes];
        int count = 0;
        while (count < buffer.Length && !buffer.AsSpan(0, count).EndsWith("\r\n\r\n"u8))
        {
            int read = stream.Read(buffer, count, buffer.Length - count);
            if (read == 0)
                return null;
            count += read;
        }
        string line = Encoding.Latin1.GetString(buffer, 0, count).Split("\r\n", 2)[0];
        var fields = line.Split(' ') is ["GET", var target, _] && target.StartsWith(Path + "?", StringComparison.Ordinal) ? Fields(target[(Path.Length + 1)..]) : null;
        string answer = fields is null
            ? "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            : $"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {Page.Length}\r\nCache-Control: no-store\r\nReferrer-Policy: no-referrer\r\nConnection: close\r\n\r\n{Page}";
        stream.Write(Encoding.ASCII.GetBytes(answer));
        return fields;
    }
}

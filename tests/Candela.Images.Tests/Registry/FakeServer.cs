using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Candela.Images.Tests.Registry;

/// <summary>A small HTTP/1.1 server whose answers may be wrong in any way; one request per connection.</summary>
internal sealed class FakeServer : IAsyncDisposable
{
    private readonly Func<FakeRequest, FakeAnswer> _answer;
    private readonly X509Certificate2? _certificate;
    private readonly TcpListener _listener;
    private readonly CancellationTokenSource _end = new();
    private readonly ConcurrentBag<Task> _connections = [];
    private readonly Task _accepting;

    /// <param name="answer">Answers; may be called from several threads.</param>
    /// <param name="certificate">With it, the server speaks TLS only; without, plain HTTP only.</param>
    /// <param name="address">Where to listen; null: 127.0.0.1.</param>
    public FakeServer(Func<FakeRequest, FakeAnswer> answer, X509Certificate2? certificate = null, IPAddress? address = null)
    {
        _answer = answer;
        _certificate = certificate;
        _listener = new TcpListener(address ?? IPAddress.Loopback, 0);
        _listener.Start();
        _accepting = AcceptAsync();
    }

    /// <summary><c>ADDRESS:PORT</c>.</summary>
    public string Authority => _listener.LocalEndpoint.ToString()!;

    /// <summary>All requests so far, in order of arrival.</summary>
    public ConcurrentQueue<FakeRequest> Requests { get; } = new();

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        _listener.Stop();
        await _accepting;
        await Task.WhenAll(_connections);
        _listener.Dispose();
        _end.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var client = await _listener.AcceptTcpClientAsync(_end.Token);
                _connections.Add(Task.Run(() => ServeAsync(client)));
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException)
        {
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        try
        {
            using (client)
            {
                await using var stream = await OpenAsync(client);
                if (await ReadAsync(stream) is not { } request)
                    return;
                Requests.Enqueue(request);
                var answer = _answer(request);
                await WriteAsync(stream, answer);
                if (answer.Reset)
                    client.LingerState = new LingerOption(enable: true, seconds: 0);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or SocketException or System.Security.Authentication.AuthenticationException)
        {
        }
    }

    private async Task<Stream> OpenAsync(TcpClient client)
    {
        if (_certificate is null)
            return client.GetStream();
        var secured = new SslStream(client.GetStream());
        await secured.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificate = _certificate }, _end.Token);
        return secured;
    }

    /// <returns>Null when the client speaks something else, such as TLS.</returns>
    private async Task<FakeRequest?> ReadAsync(Stream stream)
    {
        var head = new List<byte>();
        var one = new byte[1];
        while (head.Count < 4 || !head[^4..].SequenceEqual("\r\n\r\n"u8.ToArray()))
        {
            if (await stream.ReadAsync(one, _end.Token) == 0 || (head.Count == 0 && !char.IsAsciiLetterUpper((char)one[0])))
                return null;
            head.Add(one[0]);
        }

        var lines = Encoding.ASCII.GetString([.. head]).Split("\r\n", StringSplitOptions.RemoveEmptyEntries);
        var words = lines[0].Split(' ');
        var headers = lines[1..].Select(static line => line.Split(": ", 2)).ToDictionary(static pair => pair[0], static pair => pair[1], StringComparer.OrdinalIgnoreCase);
        var body = new byte[headers.TryGetValue("Content-Length", out var length) ? int.Parse(length, CultureInfo.InvariantCulture) : 0];
        await stream.ReadExactlyAsync(body, _end.Token);
        return new FakeRequest(words[0], words[1], headers, Encoding.UTF8.GetString(body));
    }

    private async Task WriteAsync(Stream stream, FakeAnswer answer)
    {
        var head = new StringBuilder().Append(CultureInfo.InvariantCulture, $"HTTP/1.1 {answer.Status} Status\r\nConnection: close\r\n");
        foreach (var (name, value) in answer.Headers)
            head.Append(CultureInfo.InvariantCulture, $"{name}: {value}\r\n");
        if (answer.ContentLength != -1 && !answer.Endless)
            head.Append(CultureInfo.InvariantCulture, $"Content-Length: {answer.ContentLength ?? answer.Body.Length}\r\n");
        head.Append("\r\n");
        await stream.WriteAsync(Encoding.ASCII.GetBytes(head.ToString()), _end.Token);
        await stream.WriteAsync(answer.Body, _end.Token);
        await stream.FlushAsync(_end.Token);
        while (answer.Endless)
            await stream.WriteAsync(new byte[64 * 1024], _end.Token);
        if (answer.Silent)
            await stream.ReadAtLeastAsync(new byte[1], 1, throwOnEndOfStream: false, _end.Token);
    }
}

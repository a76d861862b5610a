using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Candela.Identity.Acme.Challenges;

/// <summary>http-01 (RFC 8555, section 8.3): the host of the name gives out the key authorization. Redirects are not followed: they would lead out of the domains that the account may ask for.</summary>
internal sealed class HttpChallenge(IAcmeResolver resolver, AcmeOptions options, TimeProvider time) : IChallenge
{
    public const string Type = "http-01";

    private const int AnswerBytes = 4096;
    private const int AttemptCount = 3;
    private static readonly TimeSpan AttemptDeadline = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan AttemptInterval = TimeSpan.FromSeconds(1);

    public async Task<AcmeError?> TryAsync(string name, string keyAuthorization, string token, JsonElement payload, CancellationToken cancellationToken)
    {
        using var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            UseProxy = false,
            ConnectCallback = (connection, ending) => ConnectAsync(connection.DnsEndPoint.Host, ending),
        };
        using var client = new HttpClient(handler) { Timeout = AttemptDeadline, MaxResponseContentBufferSize = AnswerBytes };
        var url = new Uri($"http://{name}:{options.HttpPort}/.well-known/acme-challenge/{token}");
        AcmeError? error = null;
        for (var attempt = 0; attempt < AttemptCount; attempt++)
        {
            if (attempt > 0)
                await Task.Delay(AttemptInterval, time, cancellationToken);
            error = await TryOnceAsync(client, url, keyAuthorization, cancellationToken);
            if (error is null)
                return null;
        }

        return error;
    }

    private static async Task<AcmeError?> TryOnceAsync(HttpClient client, Uri url, string keyAuthorization, CancellationToken cancellationToken)
    {
        try
        {
            using var response = await client.GetAsync(url, cancellationToken);
            if (response.StatusCode != HttpStatusCode.OK)
                return new AcmeError("unauthorized", $"{url} answered with status {(int)response.StatusCode}");
            var answer = await response.Content.ReadAsByteArrayAsync(cancellationToken);
            return CryptographicOperations.FixedTimeEquals(answer.AsSpan().TrimEnd(" \t\r\n"u8), Encoding.ASCII.GetBytes(keyAuthorization))
                ? null
                : new AcmeError("unauthorized", $"{url} does not give out the key authorization");
        }
        catch (Exception e) when (e is HttpRequestException or SocketException or IOException || e is TaskCanceledException && !cancellationToken.IsCancellationRequested)
        {
            // What the connection said may tell of the inside of the network: it goes no further.
            return new AcmeError("connection", $"{url.Host} could not be asked: it has no address that may be connected to, does not answer in time, or too much");
        }
    }

    private async ValueTask<Stream> ConnectAsync(string host, CancellationToken cancellationToken)
    {
        var addresses = await resolver.ResolveAsync(host, cancellationToken);
        if (addresses.Count == 0)
            throw new SocketException((int)SocketError.HostNotFound);
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync([.. addresses], options.HttpPort, cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}

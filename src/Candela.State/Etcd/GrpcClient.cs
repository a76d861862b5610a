using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Runtime.CompilerServices;
using System.Security.Cryptography.X509Certificates;
using Google.Protobuf;

namespace Candela.State.Etcd;

/// <summary>
/// Calls of gRPC over HTTP/2 (https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md), without compression, to one of several servers
/// at a time. No gRPC client package is to be had (docs/dependencies.md).
/// </summary>
internal sealed class GrpcClient : IDisposable
{
    /// <summary>Largest response message, bytes: a page of the largest documents.</summary>
    private const int ResponseBytes = 1100 * 1024 * 1024;

    private const int PrefixBytes = 5;

    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(2);

    private readonly HttpMessageInvoker _http;

    public GrpcClient(EtcdAddress address)
    {
        var handler = new SocketsHttpHandler
        {
            AutomaticDecompression = DecompressionMethods.None,
            ConnectTimeout = ConnectTimeout,
            EnableMultipleHttp2Connections = true,
            // etcd ends connections that ask more often than every five seconds.
            KeepAlivePingDelay = TimeSpan.FromSeconds(10),
            KeepAlivePingTimeout = TimeSpan.FromSeconds(5),
            KeepAlivePingPolicy = HttpKeepAlivePingPolicy.WithActiveRequests,
            UseCookies = false,
            UseProxy = false,
        };
        if (address.CaFile is not null)
            handler.SslOptions = Tls(address);
        _http = new HttpMessageInvoker(handler);
    }

    /// <summary>A call with one request and one response message.</summary>
    /// <exception cref="GrpcFailure">It failed.</exception>
    public async Task<T> CallAsync<T>(Uri server, string method, IMessage request, MessageParser<T> parser, CancellationToken cancellationToken)
        where T : IMessage<T>
    {
        var answer = default(T);
        await foreach (var response in RunAsync(server, method, new OneMessage(request, isAll: true), parser, cancellationToken))
            answer = response;
        return answer ?? throw new GrpcFailure(GrpcFailure.Unavailable, "no answer came", wasSent: true);
    }

    /// <summary>A call with one request message and any number of responses. The request's side stays open: a server may take its end for the call's.</summary>
    /// <exception cref="GrpcFailure">It failed.</exception>
    public IAsyncEnumerable<T> StreamAsync<T>(Uri server, string method, IMessage request, MessageParser<T> parser, CancellationToken cancellationToken)
        where T : IMessage<T> => RunAsync(server, method, new OneMessage(request, isAll: false), parser, cancellationToken);

    public void Dispose() => _http.Dispose();

    private async IAsyncEnumerable<T> RunAsync<T>(
        Uri server, string method, OneMessage content, MessageParser<T> parser, [EnumeratorCancellation] CancellationToken cancellationToken)
        where T : IMessage<T>
    {
        using var message = new HttpRequestMessage(HttpMethod.Post, new Uri(server, method))
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = content,
        };
        message.Headers.TryAddWithoutValidation("te", "trailers");
        // A member that has lost its cluster says so instead of waiting for it.
        message.Headers.TryAddWithoutValidation("hasleader", "true");
        using var response = await SendAsync(message, cancellationToken);
        using var body = await response.Content.ReadAsStreamAsync(cancellationToken);
        while (await ReadAsync(body, parser, cancellationToken) is { } answer)
            yield return answer;
        Check(response.TrailingHeaders, response.Headers);
    }

    private static SslClientAuthenticationOptions Tls(EtcdAddress address)
    {
        var roots = new X509Certificate2Collection();
        roots.ImportFromPemFile(address.CaFile!);
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.AddRange(roots);
        var options = new SslClientAuthenticationOptions { CertificateChainPolicy = policy };
        if (address.CertificateFile is not null)
            options.ClientCertificates = [X509Certificate2.CreateFromPemFile(address.CertificateFile, address.KeyFile)];
        return options;
    }

    private static async Task<T?> ReadAsync<T>(Stream body, MessageParser<T> parser, CancellationToken cancellationToken)
        where T : IMessage<T>
    {
        try
        {
            var prefix = new byte[PrefixBytes];
            var read = await body.ReadAtLeastAsync(prefix, PrefixBytes, throwOnEndOfStream: false, cancellationToken);
            if (read == 0)
                return default;
            var length = BinaryPrimitives.ReadUInt32BigEndian(prefix.AsSpan(1));
            if (read < PrefixBytes || prefix[0] != 0 || length > ResponseBytes)
                throw new GrpcFailure(GrpcFailure.Unavailable, "the answer is no message of gRPC", wasSent: true);
            var message = new byte[length];
            await body.ReadExactlyAsync(message, cancellationToken);
            return parser.ParseFrom(message);
        }
        catch (Exception e) when (e is IOException or HttpRequestException or InvalidProtocolBufferException)
        {
            throw new GrpcFailure(GrpcFailure.Unavailable, e.Message, wasSent: true, e);
        }
    }

    private static void Check(HttpResponseHeaders trailers, HttpResponseHeaders headers)
    {
        // A call that fails at once has its status in the headers.
        var status = First(trailers, "grpc-status") ?? First(headers, "grpc-status");
        if (status == "0")
            return;
        if (!int.TryParse(status, NumberStyles.None, CultureInfo.InvariantCulture, out var code))
            throw new GrpcFailure(GrpcFailure.Unavailable, "the answer has no end", wasSent: true);
        var words = First(trailers, "grpc-message") ?? First(headers, "grpc-message") ?? $"status {code}";
        throw new GrpcFailure(code, Uri.UnescapeDataString(words), wasSent: true);
    }

    private static string? First(HttpResponseHeaders headers, string name) => headers.TryGetValues(name, out var values) ? values.FirstOrDefault() : null;

    private async Task<HttpResponseMessage> SendAsync(HttpRequestMessage message, CancellationToken cancellationToken)
    {
        HttpResponseMessage response;
        try
        {
            response = await _http.SendAsync(message, cancellationToken);
        }
        catch (HttpRequestException e)
        {
            var neverConnected = e.HttpRequestError is HttpRequestError.NameResolutionError or HttpRequestError.ConnectionError or HttpRequestError.SecureConnectionError
                or HttpRequestError.VersionNegotiationError or HttpRequestError.ProxyTunnelError;
            throw new GrpcFailure(GrpcFailure.Unavailable, e.InnerException?.Message ?? e.Message, wasSent: !neverConnected, e);
        }

        if (response.StatusCode == HttpStatusCode.OK)
            return response;
        using (response)
            throw new GrpcFailure(GrpcFailure.Unavailable, $"the server answers {(int)response.StatusCode}: it does not speak gRPC", wasSent: true);
    }
}

using System.Net;
using Candela.Model;

namespace Candela.Images.Registry;

/// <summary>
/// HTTP to registries and the hosts they redirect to. Redirects are followed by hand: credentials stay with the origin they are for,
/// and no redirect leads from https to http. Safe for use from many threads.
/// </summary>
internal sealed class RegistryTransport(RegistryOptions options) : IDisposable
{
    private const int MaximumRedirects = 10;
    private readonly HttpClient _verifying = CreateClient(options, verify: true);
    private readonly HttpClient _trusting = CreateClient(options, verify: false);

    /// <summary>Sends, follows redirects and returns the head of the answer, whatever its status; the body is still to be read.</summary>
    /// <exception cref="HttpRequestException">The connection failed.</exception>
    /// <exception cref="TimeoutException">No answer in time.</exception>
    /// <exception cref="CandelaException">PermissionDenied: a redirect that may not be followed. Unavailable: too many redirects.</exception>
    public async Task<HttpResponseMessage> SendAsync(RegistryRequest request, CancellationToken cancellationToken)
    {
        var target = request.Uri;
        var authorized = true;
        for (var redirects = 0; ; redirects++)
        {
            var response = await SendOnceAsync(request.ToMessage(target, authorized), cancellationToken).ConfigureAwait(false);
            if (!IsRedirect(response.StatusCode) || response.Headers.Location is not { } location)
                return response;
            if (request.Method == HttpMethod.Post && response.StatusCode is not (HttpStatusCode.TemporaryRedirect or HttpStatusCode.PermanentRedirect))
                return response; // it would have to become another request
            response.Dispose();
            if (redirects == MaximumRedirects)
                throw new CandelaException(ErrorCode.Unavailable, $"{request.Uri.Authority} redirects more than {MaximumRedirects} times");
            var next = Follow(target, location);
            if (!RegistryRequest.SameOrigin(next, request.Uri))
            {
                if (request.Form is not null || request.Body is not null)
                    throw new CandelaException(ErrorCode.PermissionDenied, $"{request.Uri.Authority} redirects {(request.Form is null ? "an upload" : "a token request")} to {next.Authority}: refused");
                authorized = false;
            }

            target = next;
        }
    }

    /// <summary>Reads a body that may not be longer than <paramref name="limit"/> bytes.</summary>
    /// <returns>Null when it is longer.</returns>
    /// <exception cref="HttpRequestException">The connection broke.</exception>
    /// <exception cref="TimeoutException">The body is not there in time.</exception>
    public async Task<byte[]?> ReadAsync(HttpResponseMessage response, int limit, CancellationToken cancellationToken)
    {
        if (response.Content.Headers.ContentLength > limit)
            return null;
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(options.DocumentTimeout);
        using var buffer = new MemoryStream();
        try
        {
            await using var body = await response.Content.ReadAsStreamAsync(deadline.Token).ConfigureAwait(false);
            var chunk = new byte[16 * 1024];
            while (await body.ReadAsync(chunk, deadline.Token).ConfigureAwait(false) is > 0 and var count)
            {
                if (buffer.Length + count > limit)
                    return null;
                buffer.Write(chunk, 0, count);
            }
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new TimeoutException($"the answer was not complete after {options.DocumentTimeout.TotalSeconds:0.#} s", e);
        }
        catch (IOException e)
        {
            throw new HttpRequestException(HttpRequestError.ResponseEnded, e.Message, e);
        }

        return buffer.ToArray();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _verifying.Dispose();
        _trusting.Dispose();
    }

    private async Task<HttpResponseMessage> SendOnceAsync(HttpRequestMessage message, CancellationToken cancellationToken)
    {
        using var sent = message;
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(options.ConnectTimeout + options.IdleTimeout);
        if (message.Content is FileRangeContent upload)
            upload.Sent += () => deadline.CancelAfter(options.ConnectTimeout + options.IdleTimeout);
        var client = options.IsInsecure(message.RequestUri!.Authority) ? _trusting : _verifying;
        try
        {
            return await client.SendAsync(message, HttpCompletionOption.ResponseHeadersRead, deadline.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new TimeoutException($"{message.RequestUri.Authority} does not answer", e);
        }
    }

    private static Uri Follow(Uri from, Uri location)
    {
        if (!Uri.TryCreate(from, location, out var to) || to.Scheme is not ("http" or "https"))
            throw new CandelaException(ErrorCode.PermissionDenied, $"{from.Authority} redirects to what is no web address: refused");
        if (from.Scheme == Uri.UriSchemeHttps && to.Scheme != Uri.UriSchemeHttps)
            throw new CandelaException(ErrorCode.PermissionDenied, $"{from.Authority} redirects from https to plain http ({to.Authority}): refused");
        return to;
    }

    private static bool IsRedirect(HttpStatusCode status)
        => status is HttpStatusCode.MovedPermanently or HttpStatusCode.Found or HttpStatusCode.SeeOther
            or HttpStatusCode.TemporaryRedirect or HttpStatusCode.PermanentRedirect;

    private static HttpClient CreateClient(RegistryOptions options, bool verify)
    {
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            AutomaticDecompression = DecompressionMethods.None,
            ConnectTimeout = options.ConnectTimeout,
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
            PooledConnectionIdleTimeout = TimeSpan.FromSeconds(30),
            MaxResponseHeadersLength = 64,
            ResponseDrainTimeout = TimeSpan.FromSeconds(1),
            Proxy = new LoopbackBypassingProxy(HttpClient.DefaultProxy),
        };
        if (!verify)
        {
#pragma warning disable CA5359 // Loopback, and what the administrator lists as insecure: plain HTTP is allowed there too.
            handler.SslOptions.RemoteCertificateValidationCallback = static (_, _, _, _) => true;
#pragma warning restore CA5359
        }

        return new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan };
    }
}

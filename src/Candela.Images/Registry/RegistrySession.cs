using System.Net;
using System.Net.Http.Headers;
using Candela.Images.Naming;
using Candela.Model;

namespace Candela.Images.Registry;

/// <summary>One repository of one registry, spoken to with one user's credentials. Safe for use from many threads.</summary>
internal sealed class RegistrySession : IDisposable
{
    private const string DockerHubHost = "registry-1.docker.io";
    private readonly RegistryTransport _transport;
    private readonly TokenClient _tokens;
    private readonly RegistryAuthenticator _authenticator;
    private readonly TimeProvider _time;
    private readonly bool _hasCredential;
    private readonly bool _mayBePlain;
    private readonly string _repository;
    private Uri? _base;

    /// <summary>To pull. Makes no connection yet.</summary>
    public RegistrySession(RegistryTransport transport, RegistryOptions options, TimeProvider time, ImageReference reference, RegistryCredential? credential)
        : this(transport, options, time, reference, credential, $"repository:{reference.Path}:pull", isScopeFixed: false)
    {
    }

    /// <summary>To do what the scope says. Makes no connection yet.</summary>
    public RegistrySession(
        RegistryTransport transport, RegistryOptions options, TimeProvider time, ImageReference reference, RegistryCredential? credential, string scope, bool isScopeFixed)
    {
        _transport = transport;
        _time = time;
        _hasCredential = credential is not null;
        Reference = reference;
        Host = reference.Domain == ImageReference.DefaultDomain ? DockerHubHost : reference.Domain;
        _repository = reference.Path;
        _mayBePlain = options.IsInsecure(Host);
        _tokens = new TokenClient(transport, options, time, credential);
        _authenticator = new RegistryAuthenticator(_tokens, scope, isScopeFixed, credential);
    }

    /// <summary>What is pulled or pushed.</summary>
    public ImageReference Reference { get; }

    /// <summary>The registry, <c>host[:port]</c>.</summary>
    public string Host { get; }

    /// <summary>Gets something of the repository; the body of the answer is still to be read.</summary>
    /// <param name="path">Below the repository, for example <c>blobs/sha256:…</c>.</param>
    /// <param name="accept">Media types; empty: any.</param>
    /// <param name="rangeStart">First byte wanted; 0: the whole.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>An answer of status 200, 206 or 416.</returns>
    /// <exception cref="CandelaException">The registry refuses; see <see cref="RegistryRefusal"/>.</exception>
    /// <exception cref="PassingFailureException">The registry is overloaded or failed; HttpRequestException and TimeoutException are as passing.</exception>
    public async Task<HttpResponseMessage> GetAsync(string path, IReadOnlyList<string> accept, long rangeStart, CancellationToken cancellationToken)
    {
        var response = await SendAsync(registry => new RegistryRequest { Uri = At(registry, path), Accept = accept, RangeStart = rangeStart }, cancellationToken).ConfigureAwait(false);
        if (response.StatusCode is HttpStatusCode.OK or HttpStatusCode.PartialContent or HttpStatusCode.RequestedRangeNotSatisfiable)
            return response;
        using (response)
        {
            var error = await RegistryError.ReadAsync(_transport, response, cancellationToken).ConfigureAwait(false);
            var storage = response.RequestMessage!.RequestUri!;
            if (!RegistryRequest.SameOrigin(storage, Volatile.Read(ref _base)!))
                throw new PassingFailureException($"its storage {storage.Authority} answers {error.Text}", null); // its signed addresses run out
            throw error.IsPassing ? PassingFailureException.From(response, error, _time) : RegistryRefusal.From(error, this, _hasCredential, response.RequestMessage?.Headers.Authorization?.Scheme == "Basic");
        }
    }

    /// <summary>Sends a request that changes the repository.</summary>
    /// <param name="method">Method.</param>
    /// <param name="path">Below the repository, or the absolute address that the registry gave.</param>
    /// <param name="body">Makes the body anew for each sending; null: none.</param>
    /// <param name="expected">Statuses that are answers.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="CandelaException">The registry refuses; see <see cref="RegistryRefusal.OfPush"/>.</exception>
    /// <exception cref="PassingFailureException">The registry is overloaded or failed; HttpRequestException and TimeoutException are as passing.</exception>
    public async Task<HttpResponseMessage> ChangeAsync(
        HttpMethod method, string path, Func<HttpContent>? body, IReadOnlyList<HttpStatusCode> expected, CancellationToken cancellationToken)
    {
        var response = await SendAsync(registry => new RegistryRequest { Uri = At(registry, path), Method = method, Body = body }, cancellationToken).ConfigureAwait(false);
        if (expected.Contains(response.StatusCode))
            return response;
        using (response)
        {
            var error = await RegistryError.ReadAsync(_transport, response, cancellationToken).ConfigureAwait(false);
            throw error.IsPassing ? PassingFailureException.From(response, error, _time) : RegistryRefusal.OfPush(error, this);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _tokens.Dispose();

    private Uri At(Uri registry, string path) =>
        path.Contains("://", StringComparison.Ordinal) ? new Uri(path) : new Uri(registry, path.StartsWith('/') ? path : $"v2/{_repository}/{path}");

    private async Task<HttpResponseMessage> SendAsync(Func<Uri, RegistryRequest> make, CancellationToken cancellationToken)
    {
        var known = Volatile.Read(ref _base);
        var secure = known ?? new Uri($"https://{Host}/");
        try
        {
            var response = await SendAsync(secure, make(secure), cancellationToken).ConfigureAwait(false);
            Volatile.Write(ref _base, secure);
            return response;
        }
        catch (Exception e) when (known is null && _mayBePlain && (RetryPolicy.IsUnreachable(e) || e is TimeoutException))
        {
            var plain = new Uri($"http://{Host}/");
            var response = await SendAsync(plain, make(plain), cancellationToken).ConfigureAwait(false);
            Volatile.Write(ref _base, plain);
            return response;
        }
    }

    private async Task<HttpResponseMessage> SendAsync(Uri registry, RegistryRequest request, CancellationToken cancellationToken)
    {
        // What a registry has elsewhere is given out by signed addresses, not to its own users.
        if (!RegistryRequest.SameOrigin(request.Uri, registry))
            return await _transport.SendAsync(request, cancellationToken).ConfigureAwait(false);
        request = request with { Authorization = await _authenticator.GetAsync(registry, cancellationToken).ConfigureAwait(false) };
        var response = await _transport.SendAsync(request, cancellationToken).ConfigureAwait(false);
        if (response.StatusCode != HttpStatusCode.Unauthorized || !RegistryRequest.SameOrigin(response.RequestMessage!.RequestUri!, registry))
            return response;
        AuthenticationHeaderValue? authorization;
        try
        {
            var challenges = AuthenticationChallenge.Of(response);
            authorization = await _authenticator.AnswerAsync(challenges, registry, request.Authorization, cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            response.Dispose();
            throw;
        }

        if (authorization is null)
            return response;
        response.Dispose();
        return await _transport.SendAsync(request with { Authorization = authorization }, cancellationToken).ConfigureAwait(false);
    }
}

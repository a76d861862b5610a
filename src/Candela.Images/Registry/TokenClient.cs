using System.Net;
using Candela.Model;

namespace Candela.Images.Registry;

/// <summary>
/// Gets bearer tokens from the server that a registry's challenge names, and keeps them per realm, service and scope until they expire.
/// One asks while the others wait. Safe for use from many threads.
/// </summary>
internal sealed class TokenClient(RegistryTransport transport, RegistryOptions options, TimeProvider time, RegistryCredential? credential) : IDisposable
{
    private const int MaximumBytes = 256 * 1024;
    private const string ClientId = "candela";
    private readonly SemaphoreSlim _gate = new(1);
    private readonly Dictionary<(Uri Realm, string Service, string Scope), AccessToken> _tokens = [];

    /// <summary>A token for the challenge, from the cache if one is still good.</summary>
    /// <param name="challenge">The registry's Bearer challenge.</param>
    /// <param name="defaultScope">Scope if the challenge names none.</param>
    /// <param name="registry">Address of the registry that sent the challenge.</param>
    /// <param name="refused">A token that the registry did not take; not given again.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="CandelaException">Unauthenticated: wrong credentials. PermissionDenied: an unsafe realm. Unavailable: no token.</exception>
    public async Task<string> GetAsync(AuthenticationChallenge challenge, string defaultScope, Uri registry, string? refused, CancellationToken cancellationToken)
    {
        var key = (Realm: Realm(challenge, registry), Service: challenge["service"] ?? "", Scope: challenge["scope"] ?? defaultScope);
        await _gate.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (_tokens.TryGetValue(key, out var token) && token.Value != refused && token.ExpiresAt > time.GetUtcNow())
                return token.Value;
            token = await RequestAsync(key.Realm, key.Service, key.Scope, cancellationToken).ConfigureAwait(false);
            _tokens[key] = token;
            return token.Value;
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _gate.Dispose();

    private Uri Realm(AuthenticationChallenge challenge, Uri registry)
    {
        if (challenge["realm"] is not { } text || !Uri.TryCreate(text, UriKind.Absolute, out var realm) || realm.Scheme is not ("http" or "https"))
            throw new CandelaException(ErrorCode.Unavailable, $"the registry {registry.Authority} asks for a token but does not say where it is to be had");
        if (realm.Scheme == Uri.UriSchemeHttp && registry.Scheme == Uri.UriSchemeHttps && !options.IsInsecure(realm.Authority))
            throw new CandelaException(ErrorCode.PermissionDenied, $"the registry {registry.Authority} wants credentials sent over plain http to {realm.Authority}: refused");
        return realm;
    }

    private async Task<AccessToken> RequestAsync(Uri realm, string service, string scope, CancellationToken cancellationToken)
    {
        var retry = new RetryPolicy(options, time);
        return await retry.RunAsync(realm.Authority, AttemptAsync, cancellationToken).ConfigureAwait(false);

        async Task<AccessToken> AttemptAsync(CancellationToken attempt)
        {
            var askedAt = time.GetUtcNow();
            var request = credential?.IdentityToken is { Length: > 0 } identity ? Exchange(realm, service, scope, identity) : Get(realm, service, scope);
            using var response = await transport.SendAsync(request, attempt).ConfigureAwait(false);
            if (!response.IsSuccessStatusCode)
                throw Refusal(response, await RegistryError.ReadAsync(transport, response, attempt).ConfigureAwait(false), realm);
            var body = await transport.ReadAsync(response, MaximumBytes, attempt).ConfigureAwait(false)
                ?? throw new CandelaException(ErrorCode.Unavailable, $"the token server {realm.Authority} sent more than {MaximumBytes} bytes");
            return AccessToken.Parse(body, askedAt, realm.Authority);
        }
    }

    private RegistryRequest Get(Uri realm, string service, string scope)
    {
        var query = new List<string>();
        if (realm.Query.Length > 1)
            query.Add(realm.Query[1..]);
        if (service.Length > 0)
            query.Add("service=" + Uri.EscapeDataString(service));

        // A challenge's scopes are separated by spaces, a query's are parameters of their own.
        query.AddRange(scope.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(static one => "scope=" + Uri.EscapeDataString(one)));
        if (credential is { Username.Length: > 0 })
            query.Add("account=" + Uri.EscapeDataString(credential.Username));
        return new RegistryRequest
        {
            Uri = new UriBuilder(realm) { Query = string.Join('&', query), Fragment = "" }.Uri,
            Authorization = credential is null ? null : RegistryAuthenticator.Basic(credential),
        };
    }

    private static RegistryRequest Exchange(Uri realm, string service, string scope, string identityToken)
        => new()
        {
            Uri = realm,
            Form = new Dictionary<string, string>
            {
                ["grant_type"] = "refresh_token",
                ["refresh_token"] = identityToken,
                ["service"] = service,
                ["scope"] = scope,
                ["client_id"] = ClientId,
            },
        };

    private Exception Refusal(HttpResponseMessage response, RegistryError error, Uri realm)
    {
        if (error.IsPassing)
            return PassingFailureException.From(response, error, time);
        if (error.Status is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden or HttpStatusCode.BadRequest && credential is not null)
            return new CandelaException(ErrorCode.Unauthenticated, $"{realm.Authority} does not take the credentials: {error.Text}; log in again with 'docker login'");
        return error.Status is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden
            ? new CandelaException(ErrorCode.Unauthenticated, $"{realm.Authority} gives no token without credentials: {error.Text}; log in with 'docker login'")
            : new CandelaException(ErrorCode.Unavailable, $"the token server {realm.Authority} refuses: {error.Text}");
    }
}

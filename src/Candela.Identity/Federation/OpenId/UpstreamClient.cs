using System.Buffers;
using System.Collections.Concurrent;
using System.Net.Http.Headers;
using System.Security.Authentication;
using System.Text;
using System.Text.Json;
using Candela.Identity.Jose;
using Microsoft.Extensions.Logging;

namespace Candela.Identity.Federation.OpenId;

/// <summary>Asks OpenID providers: for what they say of themselves and their keys, which are kept for a while, and for tokens.</summary>
internal sealed partial class UpstreamClient(IdentityProviders providers, UpstreamConnections connections, TimeProvider time, ILogger<UpstreamClient> logger)
{
    private const int AnswerBytes = 256 * 1024;

    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan KeptTime = TimeSpan.FromMinutes(10);

    /// <summary>How often a token with an unknown key may make the keys be fetched anew.</summary>
    private static readonly TimeSpan KeyInterval = TimeSpan.FromSeconds(30);

    private readonly ConcurrentDictionary<string, Known> _known = new();

    /// <summary>What it says of itself.</summary>
    /// <exception cref="FederationException">It cannot be had.</exception>
    public async Task<UpstreamMetadata> GetMetadataAsync(IdentityProvider provider, CancellationToken cancellationToken) => (await KnowAsync(provider, cancellationToken)).Metadata;

    /// <summary>Redeems a code.</summary>
    /// <param name="provider">Provider.</param>
    /// <param name="code">Code.</param>
    /// <param name="redirectUri">Where it came to.</param>
    /// <param name="verifier">PKCE code verifier.</param>
    /// <param name="nonce">Of the request.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>Claims of the ID token, with what else there is of the profile.</returns>
    /// <exception cref="FederationException">The code, or what came for it, is not good.</exception>
    public async Task<JsonElement> RedeemAsync(IdentityProvider provider, string code, string redirectUri, string verifier, string nonce, CancellationToken cancellationToken)
    {
        var upstream = provider.OpenId!;
        var known = await KnowAsync(provider, cancellationToken);
        var form = new Dictionary<string, string> { ["grant_type"] = "authorization_code", ["code"] = code, ["redirect_uri"] = redirectUri, ["code_verifier"] = verifier };
        using var request = new HttpRequestMessage(HttpMethod.Post, known.Metadata.TokenEndpoint);
        if (upstream.Authentication == UpstreamClientAuthentication.SecretBasic)
        {
            // RFC 6749, section 2.3.1: form-encoded first.
            var pair = $"{Uri.EscapeDataString(upstream.ClientId)}:{Uri.EscapeDataString(providers.OpenSecret(provider))}";
            request.Headers.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes(pair)));
        }
        else
        {
            form["client_id"] = upstream.ClientId;
            if (upstream.Authentication == UpstreamClientAuthentication.SecretPost)
                form["client_secret"] = providers.OpenSecret(provider);
        }

        request.Content = new FormUrlEncodedContent(form);
        try
        {
            var answer = StrictJson.ReadObject(await SendAsync(provider, request, cancellationToken), "the answer of the token endpoint");
            var accessToken = answer.Text("access_token");
            var token = CompactJws.Read(answer.Text("id_token") ?? throw new JoseException("the answer has no ID token"));
            if (!IdTokenCheck.HasKeyOf(token, known.Keys))
                known = await KnowAsync(provider, cancellationToken, mustHaveNewKeys: true);
            var claims = IdTokenCheck.Verify(token, upstream, known.Keys, nonce, accessToken, time.GetUtcNow());
            return claims.TryGetProperty(provider.SourceOf(ProfileAttributes.Name), out _) || known.Metadata.UserInfoEndpoint is not { } address || accessToken is null
                ? claims
                : await CompleteAsync(provider, claims, address, accessToken, cancellationToken);
        }
        catch (JoseException e)
        {
            throw new FederationException($"the token is refused: {e.Message}", inner: e);
        }
    }

    /// <summary>Adds what the user-info endpoint says, of the very same subject (OpenID Connect Core, section 5.3.2).</summary>
    private async Task<JsonElement> CompleteAsync(IdentityProvider provider, JsonElement claims, Uri address, string accessToken, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, address);
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", accessToken);
        var more = StrictJson.ReadObject(await SendAsync(provider, request, cancellationToken), "the answer of the user-info endpoint");
        if (more.Text("sub") != claims.Text("sub"))
            throw new JoseException("what the user-info endpoint says is of somebody else");
        var both = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(both))
        {
            writer.WriteStartObject();
            foreach (var member in claims.EnumerateObject().Concat(more.EnumerateObject().Where(member => !claims.TryGetProperty(member.Name, out _))))
                member.WriteTo(writer);
            writer.WriteEndObject();
        }

        return StrictJson.ReadObject(both.WrittenMemory, "the profile");
    }

    private async Task<Known> KnowAsync(IdentityProvider provider, CancellationToken cancellationToken, bool mustHaveNewKeys = false)
    {
        var now = time.GetUtcNow();
        if (_known.TryGetValue(provider.Name, out var known) && known.Revision == provider.Revision && now - known.ReadAt < (mustHaveNewKeys ? KeyInterval : KeptTime))
            return known;
        var issuer = provider.OpenId!.Issuer;
        try
        {
            using var first = new HttpRequestMessage(HttpMethod.Get, UpstreamMetadata.AddressOf(issuer));
            var metadata = UpstreamMetadata.Read(await SendAsync(provider, first, cancellationToken), issuer);
            using var second = new HttpRequestMessage(HttpMethod.Get, metadata.KeysAddress);
            return _known[provider.Name] = new Known(provider.Revision, now, metadata, UpstreamMetadata.ReadKeys(await SendAsync(provider, second, cancellationToken)));
        }
        catch (JoseException e)
        {
            throw new FederationException(e.Message, inner: e);
        }
    }

    private async Task<byte[]> SendAsync(IdentityProvider provider, HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var address = request.RequestUri!;
        using var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            UseProxy = false,
            ConnectCallback = async (context, ending) => await connections.ConnectAsync(provider, context.DnsEndPoint.Host, context.DnsEndPoint.Port, ending),
            SslOptions = connections.TlsOf(provider, address.IdnHost),
        };
        using var client = new HttpClient(handler) { Timeout = Deadline, MaxResponseContentBufferSize = AnswerBytes };
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
        try
        {
            using var response = await client.SendAsync(request, cancellationToken);
            var body = await response.Content.ReadAsByteArrayAsync(cancellationToken);
            // What it says besides the status is no text of ours: it goes into no log and no page.
            return response.IsSuccessStatusCode ? body : throw new FederationException($"{address.GetLeftPart(UriPartial.Path)} answered with status {(int)response.StatusCode}");
        }
        catch (Exception e) when (e is HttpRequestException or AuthenticationException || e is TaskCanceledException && !cancellationToken.IsCancellationRequested)
        {
            Log.Unreachable(logger, provider.Name, address.Host, e);
            throw new FederationException($"{address.Host} could not be asked", $"{provider.ShownName} does not answer. Try again later, or tell an administrator.", e);
        }
    }

    private sealed record Known(long Revision, DateTimeOffset ReadAt, UpstreamMetadata Metadata, IReadOnlyList<(string? Id, JsonWebKey Key)> Keys);

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "The identity provider {Provider} could not be asked at {Host}: see that it is reached from here, and that its certificate is of an authority that was given or is trusted")]
        public static partial void Unreachable(ILogger logger, string provider, string host, Exception reason);
    }
}

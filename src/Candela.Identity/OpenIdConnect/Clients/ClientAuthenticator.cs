using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using Candela.Identity.Certificates.Profiles;
using Candela.Identity.Jose;
using Candela.Identity.OpenIdConnect.Grants;
using Candela.Identity.OpenIdConnect.Tokens;
using Candela.Identity.SignIn;
using Candela.Identity.SignIn.Pages;
using Candela.Identity.Storage;
using Candela.Model;
using Candela.State;
using Microsoft.AspNetCore.Http;

namespace Candela.Identity.OpenIdConnect.Clients;

/// <summary>Finds out which client calls, by the one way that is registered for it.</summary>
internal sealed class ClientAuthenticator(ClientStore clients, ProviderTrust trust, IStateStore store, ExpiryLeases leases, SignInOptions signIn, TimeProvider time)
{
    /// <summary>RFC 7523, section 2.2.</summary>
    public const string AssertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

    private static readonly TimeSpan AssertionTime = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan Leeway = TimeSpan.FromSeconds(30);
    private static readonly string[] AssertionHeaders = ["alg", "kid", "typ"];
    private static readonly string[] Profiles = [CertificateProfile.Client, CertificateProfile.Workload, CertificateProfile.Machine];

    /// <summary>The client.</summary>
    /// <exception cref="OAuthException">invalid_client; invalid_request: it proves itself in two ways.</exception>
    public async Task<OAuthClient> AuthenticateAsync(HttpContext context, IFormCollection form, CancellationToken cancellationToken)
    {
        var basic = ReadBasic(context.Request);
        var hasAssertion = form.ContainsKey("client_assertion") || form.ContainsKey("client_assertion_type");
        if ((basic is null ? 0 : 1) + (hasAssertion ? 1 : 0) + (form.ContainsKey("client_secret") ? 1 : 0) > 1)
            throw OAuthException.InvalidRequest("the client proves itself in more than one way");
        var assertion = hasAssertion ? ReadAssertion(form) : null;
        var id = basic?.Id ?? assertion?.Payload.Text("sub") ?? form.Text("client_id");
        if (id.Length == 0)
            throw OAuthException.InvalidClient("the client does not say who it is");
        if (form.ContainsKey("client_id") && form.Text("client_id") != id)
            throw OAuthException.InvalidRequest("client_id and the client's proof do not belong together");
        var client = await clients.FindEnabledAsync(id, cancellationToken);
        var secret = basic?.Secret ?? (form.ContainsKey("client_secret") ? form.Text("client_secret") : null);
        var proven = client?.Authentication switch
        {
            ClientAuthentication.None => secret is null && assertion is null,
            ClientAuthentication.Secret => secret is not null && IsSecret(client, secret),
            ClientAuthentication.PrivateKeyJwt => assertion is not null && await IsAssertionAsync(client, assertion, context, cancellationToken),
            ClientAuthentication.Tls => secret is null && assertion is null && await IsCertificateAsync(client, context.Connection.ClientCertificate, cancellationToken),
            ClientAuthentication.SelfSignedTls => secret is null && assertion is null && IsRegistered(client, context.Connection.ClientCertificate),
            _ => false,
        };
        return proven ? client! : throw OAuthException.InvalidClient("the client is unknown, or has not proven who it is");
    }

    /// <summary>Thumbprint that the client's tokens are bound to; null: they are not.</summary>
    /// <exception cref="OAuthException">invalid_client: it shows no certificate to bind them to.</exception>
    public static string? BindingOf(OAuthClient client, HttpContext context) => !client.BoundTokens ? null
        : context.Connection.ClientCertificate is { } certificate ? AccessTokens.ThumbprintOf(certificate)
        : throw OAuthException.InvalidClient("the client's tokens are bound to a TLS certificate, and it shows none");

    private bool IsSecret(OAuthClient client, string secret)
    {
        var digest = SHA256.HashData(Encoding.UTF8.GetBytes(secret));
        var now = time.GetUtcNow();
        return client.Secrets.Any(one => (one.ExpiresAt is null || one.ExpiresAt > now) && CryptographicOperations.FixedTimeEquals(one.Digest, digest));
    }

    /// <summary>RFC 7523, section 3; audiences as narrow as the issuer, so that no other server's assertion counts here (RFC 9700, section 4.4).</summary>
    private async Task<bool> IsAssertionAsync(OAuthClient client, CompactJws assertion, HttpContext context, CancellationToken cancellationToken)
    {
        if (assertion.Header.EnumerateObject().Any(member => !AssertionHeaders.Contains(member.Name)) || JwsAlgorithm.Find(assertion.Header.Text("alg")) is not { } algorithm)
            return false;
        var keys = ClientCheck.ReadKeys(client.Jwks!);
        var keyId = assertion.Header.Text("kid");
        if (!keys.Any(key => (keyId is null || key.Id is null || key.Id == keyId) && algorithm.Verify(key.Key, assertion.Input, assertion.Signature)))
            return false;
        var (claims, now) = (assertion.Payload, time.GetUtcNow());
        string[] audiences = [signIn.Origin, $"{signIn.Origin}/oauth2/token", signIn.Origin + context.Request.Path];
        if (claims.Text("iss") != client.Id || claims.Text("sub") != client.Id || !AudiencesOf(claims).All(audiences.Contains) ||
            TimeOf(claims, "exp") is not { } end || end + Leeway <= now || end > now + AssertionTime ||
            TimeOf(claims, "nbf") is { } begin && begin - Leeway > now || TimeOf(claims, "iat") is { } issued && issued - Leeway > now ||
            claims.Text("jti") is not { Length: > 0 and <= 256 } id)
            return false;
        // Once only, at whatever controller.
        var key = OpenIdKeys.Assertion(Digest.Of($"{client.Id} {id}"));
        var lease = await leases.GetAsync(AssertionTime + Leeway, cancellationToken);
        return (await store.CommitAsync(new StateTransaction().Expect(key, 0).Put(key, ReadOnlyMemory<byte>.Empty, lease), cancellationToken)).Succeeded;
    }

    /// <summary>RFC 8705, section 2.1: issued here, in force, and of this client's owner or name.</summary>
    private async Task<bool> IsCertificateAsync(OAuthClient client, X509Certificate2? certificate, CancellationToken cancellationToken)
    {
        if (certificate is null || trust.Host is not { Authority: var authority } || await authority.FindAsync(certificate.RawData, cancellationToken) is not { } record || !Profiles.Contains(record.Profile))
            return false;
        try
        {
            var verified = await authority.VerifyAsync(certificate.RawData, record.Profile, cancellationToken);
            return verified.Owner == client.TlsSubject || verified.Names.Contains(client.TlsSubject!, StringComparer.Ordinal);
        }
        catch (CandelaException e) when (e.Code == ErrorCode.Unauthenticated)
        {
            return false;
        }
    }

    /// <summary>RFC 8705, section 2.2.</summary>
    private static bool IsRegistered(OAuthClient client, X509Certificate2? certificate) =>
        certificate is not null && client.TlsThumbprints.Contains(AccessTokens.ThumbprintOf(certificate));

    /// <summary>RFC 6749, section 2.3.1: id and secret are form-encoded first.</summary>
    private static (string Id, string Secret)? ReadBasic(HttpRequest request)
    {
        const string Scheme = "Basic ";
        if (request.Headers.Authorization is not [{ } header] || !header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase))
            return null;
        var bytes = new byte[header.Length];
        if (header.Length > 1024 || !Convert.TryFromBase64String(header[Scheme.Length..].Trim(), bytes, out var length) ||
            Encoding.UTF8.GetString(bytes, 0, length).Split(':', 2) is not [var id, var secret])
            throw OAuthException.InvalidClient("the Authorization header is malformed");
        return (Decode(id), Decode(secret));
    }

    private static string Decode(string text) => Uri.UnescapeDataString(text.Replace('+', ' '));

    private static CompactJws ReadAssertion(IFormCollection form)
    {
        if (form.Text("client_assertion_type") != AssertionType)
            throw OAuthException.InvalidClient($"client_assertion_type is not {AssertionType}");
        try
        {
            return CompactJws.Read(form.Text("client_assertion"));
        }
        catch (JoseException e)
        {
            throw OAuthException.InvalidClient($"the client assertion is refused: {e.Message}");
        }
    }

    private static IReadOnlyList<string> AudiencesOf(JsonElement claims) => !claims.TryGetProperty("aud", out var value) ? [""]
        : value.ValueKind == JsonValueKind.String ? [value.GetString()!]
        : value.ValueKind == JsonValueKind.Array && value.GetArrayLength() > 0 ? [.. value.EnumerateArray().Select(item => item.ValueKind == JsonValueKind.String ? item.GetString()! : "")]
        : [""];

    private static DateTimeOffset? TimeOf(JsonElement claims, string name) =>
        claims.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var seconds) && seconds is >= 0 and < 253_402_300_800
            ? DateTimeOffset.FromUnixTimeMilliseconds((long)(seconds * 1000))
            : null;
}

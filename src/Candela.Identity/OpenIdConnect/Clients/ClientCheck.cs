using System.Buffers;
using System.Text;
using System.Text.Json;
using Candela.Identity.Accounts;
using Candela.Identity.Jose;
using Candela.Identity.OpenIdConnect.Tokens;
using Candela.Model;

namespace Candela.Identity.OpenIdConnect.Clients;

/// <summary>What can be a client.</summary>
internal static class ClientCheck
{
    private const int NameLength = 64;
    private const int CountMaximum = 32;
    private const int TextLength = 1024;
    private const int JwksLength = 32 * 1024;

    private static readonly SearchValues<char> NameCharacters = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789-._");

    /// <summary>It can be the id of a stored client, and part of a key.</summary>
    public static bool IsId(string id) =>
        id.Length <= 2 * NameLength && id.Split('@') is [{ Length: > 0 and <= NameLength } name, { Length: > 0 and <= NameLength } domain] &&
        !name.AsSpan().ContainsAnyExcept(NameCharacters) && !domain.AsSpan().ContainsAnyExcept(NameCharacters);

    /// <exception cref="CandelaException">InvalidArgument: what is wrong, and what to do.</exception>
    public static void Check(OAuthClient client)
    {
        if (!IsId(client.Id))
            throw Invalid($"a client's name has 1 to {NameLength} characters: small letters, digits, '-', '.' and '_'");
        if (client.DisplayName is { } shown && (shown.Length is 0 or > AccountLimits.NameLength || shown.Any(char.IsControl)))
            throw Invalid($"a display name has 1 to {AccountLimits.NameLength} characters");
        CheckGrants(client);
        CheckUris("redirect address", client.RedirectUris);
        CheckUris("address after logout", client.PostLogoutRedirectUris);
        if (client.IdTokenAlgorithm is { } algorithm && !IdTokenAlgorithms.All.Contains(algorithm))
            throw Invalid($"ID tokens are signed by {string.Join(" or ", IdTokenAlgorithms.All)}, not '{algorithm}'");
        if (client.BackChannelLogoutUri is { } logout && (logout.Length > TextLength || !Uri.TryCreate(logout, UriKind.Absolute, out var uri) || (uri.Scheme != Uri.UriSchemeHttps && !(uri.Scheme == Uri.UriSchemeHttp && uri.IsLoopback)) || uri.UserInfo.Length + uri.Fragment.Length > 0))
            throw Invalid("the address for back-channel logout is one of https (http only on localhost), without user and fragment");
        foreach (var scope in Limited("scopes", client.Scopes))
        {
            if (!Scopes.IsValid(scope))
                throw Invalid($"'{scope}' is no scope: it has 1 to {Scopes.Length} printable characters, without space, quote and backslash");
        }

        foreach (var audience in Limited("audiences", client.Audiences))
        {
            if (!IsAudience(audience))
                throw Invalid($"'{audience}' is no audience: it is an absolute address without a fragment, such as https://api.example.org");
        }

        CheckProof(client);
        if (client.AccessTokenSeconds is < 10 or > 3600)
            throw Invalid("access tokens live 10 to 3600 seconds");
    }

    /// <summary>It can name whom a token is for (RFC 8707, section 2).</summary>
    public static bool IsAudience(string text) =>
        text.Length is > 0 and <= TextLength && !text.AsSpan().ContainsAnyExceptInRange('!', '~') && !text.Contains('#', StringComparison.Ordinal) && Uri.TryCreate(text, UriKind.Absolute, out _);

    /// <summary>The keys of a set by their id (or, without one, by their place).</summary>
    /// <exception cref="JoseException">No such set.</exception>
    public static IReadOnlyList<(string? Id, JsonWebKey Key)> ReadKeys(string jwks)
    {
        if (jwks.Length > JwksLength)
            throw new JoseException($"the key set has more than {JwksLength} characters");
        var set = StrictJson.ReadObject(Encoding.UTF8.GetBytes(jwks), "the key set");
        if (!set.TryGetProperty("keys", out var keys) || keys.ValueKind != JsonValueKind.Array || keys.GetArrayLength() is 0 or > CountMaximum)
            throw new JoseException($"the key set has no array 'keys' of 1 to {CountMaximum} keys");
        return [.. keys.EnumerateArray().Select(key => (key.ValueKind == JsonValueKind.Object ? key.Text("kid") : null, JsonWebKey.Read(key)))];
    }

    private static void CheckGrants(OAuthClient client)
    {
        if (client.Grants.Count == 0 || client.Grants.Any(grant => !GrantTypes.All.Contains(grant)))
            throw Invalid($"a client has one or more of the grants {string.Join(", ", GrantTypes.All)}");
        if (client.Grants.Contains(GrantTypes.AuthorizationCode) != client.RedirectUris.Count > 0)
            throw Invalid($"the grant {GrantTypes.AuthorizationCode} and redirect addresses go together");
        if (client.Authentication == ClientAuthentication.None && (client.Grants.Contains(GrantTypes.ClientCredentials) || client.Grants.Contains(GrantTypes.TokenExchange)))
            throw Invalid("a public client proves nothing, and so has neither client_credentials nor token exchange: choose another authentication");
        if (client.ServiceAccountId is not null && !client.Grants.Contains(GrantTypes.ClientCredentials))
            throw Invalid($"a service account is of use with the grant {GrantTypes.ClientCredentials} only");
    }

    private static void CheckProof(OAuthClient client)
    {
        var missing = client.Authentication switch
        {
            ClientAuthentication.PrivateKeyJwt when client.Jwks is null => "private_key_jwt needs the client's public keys (a JSON web key set)",
            ClientAuthentication.Tls when client.TlsSubject is not { Length: > 0 and <= TextLength } => "tls_client_auth needs the name in the client's certificate",
            ClientAuthentication.SelfSignedTls when client.TlsThumbprints.Count == 0 => "self_signed_tls_client_auth needs the client's certificate",
            _ => null,
        };
        if (missing is not null)
            throw Invalid(missing);
        if (Limited("certificates", client.TlsThumbprints).Any(thumbprint => Base64UrlText.TryDecode(thumbprint) is not { Length: 32 }))
            throw Invalid("a thumbprint is a SHA-256 digest in base64url");
        if (client.Jwks is null)
            return;
        try
        {
            ReadKeys(client.Jwks);
        }
        catch (JoseException e)
        {
            throw new CandelaException(ErrorCode.InvalidArgument, $"the client's public keys are refused: {e.Message}", e);
        }
    }

    private static void CheckUris(string what, IReadOnlyList<string> uris)
    {
        if (uris.Count > RedirectUris.Count)
            throw Invalid($"a client has at most {RedirectUris.Count} of each kind of address");
        foreach (var uri in uris)
        {
            if (RedirectUris.Check(uri) is { } wrong)
                throw Invalid($"'{uri}' cannot be a {what}: {wrong}");
        }
    }

    private static IReadOnlyList<string> Limited(string what, IReadOnlyList<string> values) =>
        values.Count <= CountMaximum ? values : throw Invalid($"a client has at most {CountMaximum} {what}");

    private static CandelaException Invalid(string text) => new(ErrorCode.InvalidArgument, text);
}

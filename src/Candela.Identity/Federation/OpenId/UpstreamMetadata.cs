using System.Text.Json;
using Candela.Identity.Jose;

namespace Candela.Identity.Federation.OpenId;

/// <summary>What an OpenID provider says of itself (OpenID Connect Discovery, section 3), as much as is needed.</summary>
/// <param name="AuthorizationEndpoint">Where people sign in.</param>
/// <param name="TokenEndpoint">Where codes are redeemed.</param>
/// <param name="KeysAddress">Where its keys are.</param>
/// <param name="UserInfoEndpoint">Where there is more about somebody; null: nowhere.</param>
/// <param name="NamesItself">Every answer by the browser says whose it is (RFC 9207).</param>
internal sealed record UpstreamMetadata(Uri AuthorizationEndpoint, Uri TokenEndpoint, Uri KeysAddress, Uri? UserInfoEndpoint, bool NamesItself)
{
    private const int KeyCount = 64;

    /// <summary>Where an issuer's metadata are.</summary>
    public static Uri AddressOf(string issuer) => new($"{issuer.TrimEnd('/')}/.well-known/openid-configuration");

    /// <exception cref="JoseException">It is none, or another issuer's (section 4.3).</exception>
    public static UpstreamMetadata Read(ReadOnlyMemory<byte> json, string issuer)
    {
        var document = StrictJson.ReadObject(json, "the provider's metadata");
        if (document.Text("issuer") != issuer)
            throw new JoseException("the provider's metadata are of another issuer");
        return new UpstreamMetadata(
            Address(document, "authorization_endpoint"), Address(document, "token_endpoint"), Address(document, "jwks_uri"),
            document.TryGetProperty("userinfo_endpoint", out _) ? Address(document, "userinfo_endpoint") : null,
            document.TryGetProperty("authorization_response_iss_parameter_supported", out var names) && names.ValueKind == JsonValueKind.True);
    }

    /// <summary>Keys that verify signatures; those of kinds that are not known here are left out.</summary>
    /// <exception cref="JoseException">It is no key set.</exception>
    public static IReadOnlyList<(string? Id, JsonWebKey Key)> ReadKeys(ReadOnlyMemory<byte> json)
    {
        var set = StrictJson.ReadObject(json, "the provider's key set");
        if (!set.TryGetProperty("keys", out var keys) || keys.ValueKind != JsonValueKind.Array || keys.GetArrayLength() > KeyCount)
            throw new JoseException($"the provider's key set has no array 'keys' of at most {KeyCount} keys");
        var found = new List<(string?, JsonWebKey)>();
        foreach (var key in keys.EnumerateArray().Where(key => key.ValueKind == JsonValueKind.Object))
        {
            try
            {
                if (key.Text("use") is null or "sig")
                    found.Add((key.Text("kid"), JsonWebKey.Read(key)));
            }
            catch (JoseException)
            {
                // An Edwards curve, a key of 512 bits: others may do.
            }
        }

        return found;
    }

    private static Uri Address(JsonElement document, string name) =>
        document.Text(name) is { Length: <= 2048 } text && Uri.TryCreate(text, UriKind.Absolute, out var address) && address.Scheme == Uri.UriSchemeHttps && address.UserInfo.Length + address.Fragment.Length == 0
            ? address
            : throw new JoseException($"{name} in the provider's metadata is missing or not an https address");
}

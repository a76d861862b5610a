using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Candela.Identity.Jose;

namespace Candela.Identity.Federation.OpenId;

/// <summary>Verifies ID tokens of an OpenID provider (OpenID Connect Core, section 3.1.3.7).</summary>
internal static class IdTokenCheck
{
    /// <summary>How far clocks may differ.</summary>
    public static readonly TimeSpan Skew = TimeSpan.FromMinutes(1);

    private static readonly string[] HeaderMembers = ["alg", "kid", "typ", "x5t", "x5t#S256"];

    /// <summary>The key that a token says it is signed with may be among these.</summary>
    public static bool HasKeyOf(CompactJws token, IReadOnlyList<(string? Id, JsonWebKey Key)> keys) => KeysOf(token, keys).Any();

    /// <summary>The claims of a good token.</summary>
    /// <param name="token">Token.</param>
    /// <param name="upstream">Whose it must be.</param>
    /// <param name="keys">That one's keys.</param>
    /// <param name="nonce">Of the request that it answers.</param>
    /// <param name="accessToken">What came with it; null: nothing.</param>
    /// <param name="now">Time.</param>
    /// <exception cref="JoseException">It does not count; the message says why.</exception>
    public static JsonElement Verify(CompactJws token, OpenIdUpstream upstream, IReadOnlyList<(string? Id, JsonWebKey Key)> keys, string nonce, string? accessToken, DateTimeOffset now)
    {
        // No header that brings a key along (jwk, jku, x5u, x5c) or changes the meaning of others (crit, b64).
        if (token.Header.EnumerateObject().FirstOrDefault(member => !HeaderMembers.Contains(member.Name)) is { Value.ValueKind: not JsonValueKind.Undefined } other)
            throw new JoseException($"it has the header {(other.Name.Length > 32 ? "…" : other.Name)}");
        if (token.Header.Text("typ") is not (null or "JWT" or "jwt"))
            throw new JoseException("its type (typ) is not that of an ID token");
        // Of public keys only: neither none nor a shared secret that the client's own would be.
        var algorithm = JwsAlgorithm.Find(token.Header.Text("alg")) ?? throw new JoseException("its algorithm is none of those for public keys");
        if (!KeysOf(token, keys).Any(key => algorithm.Verify(key, token.Input, token.Signature)))
            throw new JoseException("it is not signed by a key of the provider");
        var claims = token.Payload;
        if (claims.Text("iss") != upstream.Issuer)
            throw new JoseException("it is of another issuer");
        if (!IsFor(claims, upstream.ClientId))
            throw new JoseException("it is for another client");
        if (Number(claims, "exp") is not { } expires || DateTimeOffset.FromUnixTimeSeconds(expires) + Skew <= now)
            throw new JoseException("it has expired");
        if (Number(claims, "iat") is not { } issued || DateTimeOffset.FromUnixTimeSeconds(issued) > now + Skew)
            throw new JoseException("it is of the future");
        if (!CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(claims.Text("nonce") ?? ""), Encoding.UTF8.GetBytes(nonce)))
            throw new JoseException("it is not the answer to this request (nonce)");
        if (claims.Text("sub") is not { Length: > 0 and <= 255 })
            throw new JoseException("it does not say who it is about (sub)");
        if (claims.Text("at_hash") is { } hash && (accessToken is null || hash != HalfDigest(algorithm.Hash, accessToken)))
            throw new JoseException("the access token is not the one that came with it (at_hash)");
        return claims;
    }

    /// <summary>A whole number; null: it is not there, or none.</summary>
    public static long? Number(JsonElement claims, string name) =>
        claims.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var number) && number is >= 0 and < 253_402_300_000 ? (long)number : null;

    private static IEnumerable<JsonWebKey> KeysOf(CompactJws token, IReadOnlyList<(string? Id, JsonWebKey Key)> keys) =>
        keys.Where(key => token.Header.Text("kid") is not { } id || key.Id is null || key.Id == id).Select(key => key.Key);

    /// <summary>It is for this client alone, or the client is the party that it was issued to.</summary>
    private static bool IsFor(JsonElement claims, string clientId)
    {
        if (claims.TryGetProperty("azp", out _) && claims.Text("azp") != clientId)
            return false;
        if (!claims.TryGetProperty("aud", out var audience))
            return false;
        if (audience.ValueKind == JsonValueKind.String)
            return audience.GetString() == clientId;
        var all = audience.ValueKind == JsonValueKind.Array ? audience.EnumerateArray().Select(one => one.ValueKind == JsonValueKind.String ? one.GetString() : null).ToArray() : [];
        return all.Contains(clientId) && (all.Length == 1 || claims.Text("azp") == clientId);
    }

    private static string HalfDigest(HashAlgorithmName hash, string text)
    {
        var digest = CryptographicOperations.HashData(hash, Encoding.ASCII.GetBytes(text));
        return Base64UrlText.Encode(digest.AsSpan(0, digest.Length / 2));
    }
}

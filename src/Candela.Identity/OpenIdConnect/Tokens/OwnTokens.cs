using System.Text.Json;
using Candela.Identity.Jose;

namespace Candela.Identity.OpenIdConnect.Tokens;

/// <summary>Reads tokens that the provider itself has signed.</summary>
internal sealed class OwnTokens(ProviderKeys keys, TokenIssuer issuer, TimeProvider time)
{
    private static readonly string[] HeaderMembers = ["alg", "kid", "typ"];

    /// <summary>The claims of a token of the given type that one of our keys has signed.</summary>
    /// <param name="token">Token.</param>
    /// <param name="type">Its <c>typ</c>.</param>
    /// <param name="mayHaveExpired">It may be over: only who it was for counts.</param>
    /// <exception cref="JoseException">It is none; the message says why.</exception>
    public JsonElement Read(string token, string type, bool mayHaveExpired = false)
    {
        var jws = CompactJws.Read(token);
        // No header that brings a key along (jwk, jku, x5u, x5c) or changes the meaning of others (crit, b64).
        if (jws.Header.EnumerateObject().Any(member => !HeaderMembers.Contains(member.Name)))
            throw new JoseException("it has a header besides alg, kid and typ");
        if (jws.Header.Text("typ") != type)
            throw new JoseException($"its type (typ) is not {type}");
        // The kind of token says what it can be signed with: what it says of its algorithm itself only chooses among that.
        var kinds = type == TokenIssuer.IdTokenType ? new[] { keys.Signing, keys.Rsa } : [keys.Signing];
        if (kinds.FirstOrDefault(kind => kind.Algorithm.Name == jws.Header.Text("alg")) is not { } signing)
            throw new JoseException($"its algorithm is not {string.Join(" or ", kinds.Select(kind => kind.Algorithm.Name))}");
        if (jws.Header.Text("kid") is not { } id || signing.Find(id) is not { } key || !signing.Algorithm.Verify(key, jws.Input, jws.Signature))
            throw new JoseException("it is not signed by a key of this provider");
        if (jws.Payload.Text("iss") != issuer.Issuer)
            throw new JoseException("it is of another issuer");
        if (!mayHaveExpired && (!jws.Payload.TryGetProperty("exp", out var exp) || !exp.TryGetInt64(out var end) || DateTimeOffset.FromUnixTimeSeconds(end) <= time.GetUtcNow()))
            throw new JoseException("it has expired");
        return jws.Payload;
    }
}

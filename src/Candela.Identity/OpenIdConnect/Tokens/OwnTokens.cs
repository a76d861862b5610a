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
        // We sign with nothing else: what the token says of its algorithm decides nothing.
        if (jws.Header.Text("alg") != "ES256" || JwsAlgorithm.Find("ES256") is not { } algorithm)
            throw new JoseException("its algorithm is not ES256");
        if (jws.Header.Text("kid") is not { } id || keys.Signing.Find(id) is not { } key || !algorithm.Verify(key, jws.Input, jws.Signature))
            throw new JoseException("it is not signed by a key of this provider");
        if (jws.Payload.Text("iss") != issuer.Issuer)
            throw new JoseException("it is of another issuer");
        if (!mayHaveExpired && (!jws.Payload.TryGetProperty("exp", out var exp) || !exp.TryGetInt64(out var end) || DateTimeOffset.FromUnixTimeSeconds(end) <= time.GetUtcNow()))
            throw new JoseException("it has expired");
        return jws.Payload;
    }
}

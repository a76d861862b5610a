using System.Text.Json;
using Candela.Identity.Jose;
using Candela.Identity.Workloads.Bundles;
using Candela.Model;

namespace Candela.Identity.Workloads.Jwt;

/// <summary>Validates JWT-SVIDs (JWT-SVID, section 4): of this trust domain, where the container must still live, and of federated ones.</summary>
internal sealed class JwtSvidValidator(WorkloadIdentities workloads, BundleSource bundles, TimeProvider time)
{
    private static readonly TimeSpan Leeway = TimeSpan.FromSeconds(30);
    private static readonly string[] HeaderMembers = ["alg", "kid", "typ"];

    /// <summary>Whose token it is, and its claims.</summary>
    /// <exception cref="CandelaException">Unauthenticated: it is not good for this audience; the message says why.</exception>
    public async Task<(SpiffeId Id, JsonElement Claims)> ValidateAsync(string token, string audience, CancellationToken cancellationToken)
    {
        try
        {
            var jws = CompactJws.Read(token);
            var id = Verify(jws);
            CheckClaims(jws.Payload, audience);
            if (id.TrustDomain == bundles.TrustDomain)
                await CheckLivesAsync(id, jws.Payload, cancellationToken);
            return (id, jws.Payload);
        }
        catch (JoseException e)
        {
            throw new CandelaException(ErrorCode.Unauthenticated, $"the JWT-SVID is refused: {e.Message}", e);
        }
    }

    private SpiffeId Verify(CompactJws jws)
    {
        // Section 2: no other header may be there, least of all one that brings a key along (jwk, jku, x5u, x5c).
        foreach (var member in jws.Header.EnumerateObject())
        {
            if (!HeaderMembers.Contains(member.Name))
                throw new JoseException("it has a header besides alg, kid and typ");
        }

        if (jws.Header.Text("typ") is not (null or "JWT" or "JOSE"))
            throw new JoseException("its type (typ) is neither JWT nor JOSE");
        var algorithm = JwsAlgorithm.Find(jws.Header.Text("alg")) ?? throw new JoseException($"its algorithm is none of {string.Join(", ", JwsAlgorithm.Names)}");
        if (jws.Payload.Text("sub") is not { } subject || !SpiffeId.TryParse(subject, out var id) || id.Path.Length == 0)
            throw new JoseException("its subject is not a workload's SPIFFE ID");
        var bundle = bundles.Find(id.TrustDomain) ?? throw new JoseException($"its trust domain {id.TrustDomain} is not trusted here");
        var candidates = jws.Header.Text("kid") is { } keyId
            ? bundle.JwtAuthorities.TryGetValue(keyId, out var named) ? [named] : []
            : bundle.JwtAuthorities.Values;
        if (!candidates.Any(key => algorithm.Verify(key, jws.Input, jws.Signature)))
            throw new JoseException($"it is not signed by a key of {id.TrustDomain}");
        return id;
    }

    private void CheckClaims(JsonElement claims, string audience)
    {
        var now = time.GetUtcNow();
        if (Time(claims, "exp") is not { } expires)
            throw new JoseException("it has no expiration time");
        if (expires + Leeway <= now)
            throw new JoseException("it has expired");
        if (Time(claims, "nbf") is { } begins && begins - Leeway > now || Time(claims, "iat") is { } issued && issued - Leeway > now)
            throw new JoseException("it is not valid yet");
        if (!claims.TryGetProperty("aud", out var audiences) || !Texts(audiences).Contains(audience))
            throw new JoseException("it is for another audience");
    }

    private async Task CheckLivesAsync(SpiffeId id, JsonElement claims, CancellationToken cancellationToken)
    {
        if (claims.Text(JwtSvidIssuer.ContainerClaim) is not { Length: > 0 and <= 128 } container ||
            await workloads.ReadAsync(container, cancellationToken) is not var (document, _) || document.Id != id.ToString())
            throw new JoseException("its container has ended, and its identity with it");
    }

    private static IEnumerable<string> Texts(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => [value.GetString()!],
        JsonValueKind.Array => value.EnumerateArray().Select(v => v.ValueKind == JsonValueKind.String ? v.GetString()! : throw new JoseException("an audience is not a string")),
        _ => throw new JoseException("its audience is not a string"),
    };

    private static DateTimeOffset? Time(JsonElement claims, string name)
    {
        if (!claims.TryGetProperty(name, out var value))
            return null;
        // Until the year 9999; a fraction is possible (RFC 7519, section 2, NumericDate).
        if (value.ValueKind != JsonValueKind.Number || !value.TryGetDouble(out var seconds) || seconds is not (>= 0 and < 253_402_300_800))
            throw new JoseException($"its {name} is not a time");
        return DateTimeOffset.FromUnixTimeMilliseconds((long)(seconds * 1000));
    }
}

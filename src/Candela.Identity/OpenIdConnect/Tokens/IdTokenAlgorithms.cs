using Candela.Identity.Jose;

namespace Candela.Identity.OpenIdConnect.Tokens;

/// <summary>What ID tokens can be signed by (OpenID Connect Registration, section 2: id_token_signed_response_alg).</summary>
public static class IdTokenAlgorithms
{
    /// <summary>Names, the default first.</summary>
    public static IReadOnlyList<string> All { get; } = [JwsAlgorithm.Es256.Name, JwsAlgorithm.Rs256.Name];
}

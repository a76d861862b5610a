namespace Candela.Identity.Workloads.Jwt;

/// <summary>A JWT-SVID.</summary>
/// <param name="Id">Whose it is.</param>
/// <param name="Token">The token, in compact form.</param>
/// <param name="NotAfter">Until when it is valid.</param>
public sealed record JwtSvid(SpiffeId Id, string Token, DateTimeOffset NotAfter);

using System.Security.Cryptography.X509Certificates;
using Candela.Model;

namespace Candela.Identity.OpenIdConnect.Tokens;

/// <summary>Judges access tokens of this provider, for the REST API and other resources of Candela's own. Others introspect, or verify the signature.</summary>
public interface IAccessTokens
{
    /// <summary>
    /// Reads a token and makes sure that it still counts: signed here, in time, not revoked, its client, account, session or container still
    /// there and let in.
    /// </summary>
    /// <param name="token">The token as it came.</param>
    /// <param name="audience">Whom it must be for, for example <see cref="Clients.BuiltInClients.ApiAudience"/>; null: whomever.</param>
    /// <param name="certificate">TLS certificate that the caller has shown; null: none. A bound token needs its own (RFC 8705, section 3).</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <exception cref="CandelaException">Unauthenticated: it does not count; the message says why.</exception>
    Task<AccessToken> ValidateAsync(string token, string? audience, X509Certificate2? certificate, CancellationToken cancellationToken);

    /// <summary>A token that was good a while ago was not revoked since, and its client, account, session or container is still there. Its time does not count.</summary>
    /// <exception cref="CandelaException">Unauthenticated: it no longer counts; the message says why.</exception>
    Task RecheckAsync(AccessToken token, CancellationToken cancellationToken);
}

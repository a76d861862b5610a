using Candela.Identity.Saml.Keys;

namespace Candela.Identity.Saml;

/// <summary>Beginning of the SAML identity provider; it ends with the services that it is among.</summary>
public sealed class SamlHost
{
    private readonly SamlSigningKeys _keys;

    internal SamlHost(SamlSigningKeys keys) => _keys = keys;

    /// <summary>Reads the signing keys, makes the first one. To be called once, after <see cref="IdentityHost.StartAsync"/> and before the first request.</summary>
    public Task StartAsync(CancellationToken cancellationToken) => _keys.StartAsync(cancellationToken);
}

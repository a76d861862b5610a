using System.Net;
using System.Net.Security;

namespace Candela.Identity.Ldap;

/// <summary>Options of the LDAP server.</summary>
public sealed record LdapOptions
{
    /// <summary>Where it listens.</summary>
    public required IReadOnlyList<LdapEndpoint> Endpoints { get; init; }

    /// <summary>The server's certificate with its chain, asked for at every handshake; null: there is no TLS, and passwords are taken on the loopback only.</summary>
    public Func<SslStreamCertificateContext>? Certificate { get; init; }
}

/// <summary>Where the server listens.</summary>
/// <param name="Address">An <see cref="IPEndPoint"/> (port 0: any that is free) or a <see cref="System.Net.Sockets.UnixDomainSocketEndPoint"/>.</param>
/// <param name="IsTls">TLS from the first byte (ldaps); else by StartTLS.</param>
public sealed record LdapEndpoint(EndPoint Address, bool IsTls)
{
    /// <summary>Connections from this host's own addresses count as protected; false: others can read them, as where something relays them.</summary>
    public bool TrustsHost { get; init; } = true;
}

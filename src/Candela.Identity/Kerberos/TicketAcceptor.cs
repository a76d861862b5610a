using System.Net;
using System.Net.Security;
using Candela.Identity.Accounts;
using Candela.Identity.Kerberos.Native;
using Candela.Identity.Kerberos.Principals;

namespace Candela.Identity.Kerberos;

/// <summary>Accepts Kerberos tickets for this host's services, by GSS-API (RFC 4121) or SPNEGO (RFC 4178), with the keytab that <see cref="KerberosHost"/> wrote.</summary>
public sealed class TicketAcceptor
{
    /// <summary>Largest token, bytes: tickets with many groups of foreign realms are large; ours are below 2,000.</summary>
    public const int TokenBytes = 48 * 1024;

    private const string Kerberos = "Kerberos";

    private readonly IDirectory _directory;
    private readonly KerberosOptions _options;

    internal TicketAcceptor(IDirectory directory, KerberosOptions options)
    {
        _directory = directory;
        _options = options;
        if (GssApi.krb5_gss_register_acceptor_identity(options.KeytabPath) is not 0 and var error)
            throw new InvalidOperationException($"libgssapi does not take the keytab {options.KeytabPath}: error {error:x8}");
    }

    /// <summary>Begins with a client.</summary>
    /// <param name="withSpnego">The client negotiates the mechanism first.</param>
    public static NegotiateAuthentication Begin(bool withSpnego) => new(new NegotiateAuthenticationServerOptions
    {
        Package = withSpnego ? "Negotiate" : Kerberos,
        Credential = CredentialCache.DefaultNetworkCredentials,
        RequiredProtectionLevel = ProtectionLevel.None,
    });

    /// <summary>The account whose ticket was accepted; null: it cannot sign in now, or the ticket is of nobody here.</summary>
    /// <param name="accepted">One that has said <see cref="NegotiateAuthenticationStatusCode.Completed"/>: its own IsAuthenticated is true of refused tickets, too.</param>
    public DirectoryEntry? FindAccount(NegotiateAuthentication accepted)
    {
        var current = _directory.Current;
        return accepted.Package == Kerberos &&
            PrincipalName.FindAccount(current, NameOf(accepted), _options.Realm) is { Enabled: true } account && current.GetDomain(account.DomainId) is { Enabled: true }
            ? account
            : null;
    }

    /// <summary>Name of the principal, for the audit log; only of one that has said <see cref="NegotiateAuthenticationStatusCode.Completed"/>.</summary>
    public static string NameOf(NegotiateAuthentication accepted) => accepted.RemoteIdentity.Name ?? "";
}

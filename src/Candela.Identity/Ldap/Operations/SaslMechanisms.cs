using Candela.Identity.Ldap.Server;

namespace Candela.Identity.Ldap.Operations;

/// <summary>SASL mechanisms (RFC 4422).</summary>
internal static class SaslMechanisms
{
    /// <summary>Name and password (RFC 4616).</summary>
    public const string Plain = "PLAIN";

    /// <summary>By the client's certificate (RFC 4422, appendix A).</summary>
    public const string External = "EXTERNAL";

    /// <summary>By a Kerberos ticket (RFC 4752).</summary>
    public const string Gssapi = "GSSAPI";

    /// <summary>Those that a session can use now.</summary>
    public static IEnumerable<string> Of(LdapSession session)
    {
        if (session is { HasTickets: true, IsLayered: false })
            yield return Gssapi;
        if (!session.ClientCertificate.IsEmpty)
            yield return External;
        if (session.IsConfidential)
            yield return Plain;
    }
}

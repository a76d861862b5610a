using Candela.Identity.Ldap.Protocol;

namespace Candela.Identity.Ldap.Operations;

/// <summary>Message of the PLAIN mechanism (RFC 4616, 2).</summary>
/// <param name="AuthorizationIdentity">Whom the client wants to act as; empty: whom it authenticates as.</param>
/// <param name="Login">Whom it authenticates as.</param>
/// <param name="Password">Password.</param>
internal sealed record SaslPlain(string AuthorizationIdentity, string Login, string Password)
{
    /// <summary>Reads a message; null: malformed.</summary>
    public static SaslPlain? Parse(byte[] message) =>
        StrictUtf8.TextOf(message)?.Split('\0') is [var authorization, { Length: > 0 } login, { Length: > 0 } password] ? new SaslPlain(authorization, login, password) : null;

    /// <summary>Says nothing of the password.</summary>
    public override string ToString() => $"{nameof(SaslPlain)} {Login}";
}

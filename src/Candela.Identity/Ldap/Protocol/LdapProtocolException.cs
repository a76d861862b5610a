namespace Candela.Identity.Ldap.Protocol;

/// <summary>A message is not LDAP, or is beyond a limit. Ends the connection (RFC 4511, 4.1.1).</summary>
internal sealed class LdapProtocolException(string message) : Exception(message);

namespace Candela.Identity.Ldap.Names;

/// <summary>A text is no distinguished name (RFC 4514).</summary>
internal sealed class NameSyntaxException(string message) : Exception(message);

namespace Candela.Identity.Ldap.Tree;

/// <summary>What the root says of the server (RFC 4512, 5.1), to one client.</summary>
/// <param name="NamingContexts">Names of the domains that the client may see.</param>
/// <param name="SaslMechanisms">SASL mechanisms that the client can use.</param>
internal sealed record RootDse(IReadOnlyList<string> NamingContexts, IReadOnlyList<string> SaslMechanisms);

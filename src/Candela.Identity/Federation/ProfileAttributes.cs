using System.Collections.Frozen;

namespace Candela.Identity.Federation;

/// <summary>What is learnt of somebody from an identity provider, and what that calls it by default.</summary>
public static class ProfileAttributes
{
    /// <summary>Id that stays the same, and that nobody else ever gets: of an LDAP entry. In an ID token it is always <c>sub</c>.</summary>
    public const string Id = "id";

    /// <summary>Name of the account to be; what is behind an <c>@</c> does not count.</summary>
    public const string Name = "name";

    /// <summary>Name as shown.</summary>
    public const string DisplayName = "display-name";

    /// <summary>Given name.</summary>
    public const string GivenName = "given-name";

    /// <summary>Surname.</summary>
    public const string Surname = "surname";

    /// <summary>Mail address; of an ID token only if <c>email_verified</c> is true.</summary>
    public const string Mail = "mail";

    /// <summary>Groups; many values.</summary>
    public const string Groups = "groups";

    /// <summary>Claims (OpenID Connect Core, section 5.1).</summary>
    public static FrozenDictionary<string, string> OpenId { get; } = new Dictionary<string, string>
    {
        [Id] = "sub", [Name] = "preferred_username", [DisplayName] = "name", [GivenName] = "given_name", [Surname] = "family_name", [Mail] = "email", [Groups] = "groups",
    }.ToFrozenDictionary();

    /// <summary>Attributes (RFC 4519, RFC 4530).</summary>
    public static FrozenDictionary<string, string> Ldap { get; } = new Dictionary<string, string>
    {
        [Id] = "entryUUID", [Name] = "uid", [DisplayName] = "cn", [GivenName] = "givenName", [Surname] = "sn", [Mail] = "mail", [Groups] = "memberOf",
    }.ToFrozenDictionary();
}

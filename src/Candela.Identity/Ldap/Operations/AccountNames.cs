using Candela.Identity.Accounts;
using Candela.Identity.Authentication;
using Candela.Identity.Ldap.Names;
using Candela.Identity.Ldap.Protocol;
using Candela.Identity.Ldap.Schema;
using Candela.Identity.Ldap.Tree;

namespace Candela.Identity.Ldap.Operations;

/// <summary>Whom clients say to be.</summary>
internal static class AccountNames
{
    /// <summary>What no account is called: a check of it takes as long as one of a wrong password.</summary>
    public static readonly LoginName Nobody = new(Unknown, Unknown);

    private const string Unknown = "?";

    /// <summary>The account of a distinguished name, in the form that is checked. Names of what is no account become names of nobody.</summary>
    /// <exception cref="LdapException">Not a name.</exception>
    public static LoginName Parse(DirectorySnapshot directory, string name)
    {
        DistinguishedName parsed;
        try
        {
            parsed = DistinguishedName.Parse(name);
        }
        catch (NameSyntaxException e)
        {
            throw new LdapException(ResultCode.InvalidDnSyntax, e.Message);
        }

        var parts = parsed.RelativeNames;
        if (parts.Count != 3 ||
            DirectoryTree.ValueOf(parts[2], AttributeTypes.DomainComponent) is not { } domain ||
            DirectoryTree.ValueOf(parts[1], AttributeTypes.OrganizationalUnit) is not { } unitName || DirectoryTree.UnitOf(unitName) is not { } unit ||
            DirectoryTree.ValueOf(parts[0], DirectoryTree.NamingAttribute(unit)) is not { } account)
            return Nobody;

        // The name may be that of an entry of another kind, which this is no name of.
        bool isOther = directory.FindDomain(domain) is { } found && directory.Find(found.Id, account) is { } entry && entry.Kind != unit;
        return new LoginName(domain, isOther ? Unknown : account);
    }

    /// <summary>The login name of an account.</summary>
    public static LoginName Of(DirectorySnapshot directory, DirectoryEntry account) => new(directory.GetDomain(account.DomainId)!.Name, account.Name);

    /// <summary>The account that a login name stands for; null: there is none.</summary>
    public static DirectoryEntry? Find(DirectorySnapshot directory, LoginName login) =>
        directory.FindDomain(login.Domain) is { } domain && directory.Find(domain.Id, login.Name) is { Kind: not EntryKind.Group } account ? account : null;
}

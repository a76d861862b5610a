using Candela.Identity.Accounts;
using Candela.Identity.Ldap.Names;
using Candela.Identity.Ldap.Protocol;
using Candela.Identity.Ldap.Server;
using Candela.Identity.Ldap.Tree;

namespace Candela.Identity.Ldap.Access;

/// <summary>Finds nodes for those who may see them. To others it makes no difference whether there is such a node.</summary>
internal sealed class NodeFinder(ReadGuard guard)
{
    /// <summary>Reads a distinguished name.</summary>
    /// <exception cref="LdapException">It is none.</exception>
    public static DistinguishedName Parse(string text)
    {
        try
        {
            return DistinguishedName.Parse(text);
        }
        catch (NameSyntaxException e)
        {
            throw new LdapException(ResultCode.InvalidDnSyntax, e.Message);
        }
    }

    /// <summary>Finds a node of a domain.</summary>
    /// <param name="session">For whom.</param>
    /// <param name="directory">Where.</param>
    /// <param name="name">Name.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>The node, what of the domain may be read, and how much of the node.</returns>
    /// <exception cref="LdapException">There is none that the session's account may see.</exception>
    public async ValueTask<(TreeNode Node, ReadView View, ReadLevel Level)> FindAsync(
        LdapSession session, DirectorySnapshot directory, DistinguishedName name, CancellationToken cancellationToken)
    {
        var account = session.RequireAccount(directory);
        var node = DirectoryTree.Find(directory, name, out var nearest);
        if (nearest?.OwnDomain is not { } domain)
            throw NoSuchObject("");
        var view = await guard.LookAsync(account, domain, cancellationToken);
        var level = node is null ? ReadLevel.None : await view.LevelAsync(node, cancellationToken);
        if (node is not null && level != ReadLevel.None)
            return (node, view, level);

        // Units are no secret where their domain is none; whether an entry exists may be.
        throw NoSuchObject(!view.IsDomainVisible ? "" : nearest.Kind == NodeKind.Entry ? TreeNode.Of(directory, domain, nearest.Unit).Name : nearest.Name);
    }

    private static LdapException NoSuchObject(string matchedName) => new(ResultCode.NoSuchObject, "there is no such entry, or it is not for you to see", matchedName);
}

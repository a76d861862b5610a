using Candela.Identity.Accounts;
using Candela.Identity.Ldap.Names;
using Candela.Identity.Ldap.Schema;
using Candela.Identity.Ldif;

namespace Candela.Identity.Ldap.Tree;

/// <summary>Finds nodes by name. The tree's form is <see cref="DirectoryNames"/>'s.</summary>
internal static class DirectoryTree
{
    /// <summary>Name of the entry that publishes the schema.</summary>
    public const string SubschemaName = "cn=Subschema";

    /// <summary>Kinds of entries in the order of their units.</summary>
    public static readonly EntryKind[] Units = Enum.GetValues<EntryKind>();

    /// <summary>Finds a node below the root.</summary>
    /// <param name="directory">Directory.</param>
    /// <param name="name">Name; not empty.</param>
    /// <param name="nearest">The node, or else the nearest above it; null: there is none but the root.</param>
    /// <returns>The node; null: there is none of this name.</returns>
    public static TreeNode? Find(DirectorySnapshot directory, DistinguishedName name, out TreeNode? nearest)
    {
        var parts = name.RelativeNames;
        nearest = null;
        if (parts.Count == 0)
            return null;
        if (parts.Count == 1 && IsSubschema(parts[0]))
            return nearest = TreeNode.Subschema(directory);
        if (ValueOf(parts[^1], AttributeTypes.DomainComponent) is not { } domainName || directory.FindDomain(domainName) is not { } domain)
            return null;
        nearest = TreeNode.Of(directory, domain);
        if (parts.Count == 1)
            return nearest;
        if (ValueOf(parts[^2], AttributeTypes.OrganizationalUnit) is not { } unitName || UnitOf(unitName) is not { } unit)
            return null;
        nearest = TreeNode.Of(directory, domain, unit);
        if (parts.Count == 2)
            return nearest;
        if (parts.Count > 3 || ValueOf(parts[^3], NamingAttribute(unit)) is not { } entryName || directory.Find(domain.Id, unit, entryName) is not { } entry)
        {
            // Entries have nothing below them: what would be there has its nearest in the entry itself.
            if (parts.Count > 3 && ValueOf(parts[^3], NamingAttribute(unit)) is { } above && directory.Find(domain.Id, unit, above) is { } leaf)
                nearest = TreeNode.Of(directory, domain, leaf);
            return null;
        }

        return nearest = TreeNode.Of(directory, domain, entry);
    }

    /// <summary>The account or group of a name; null: there is none, or it is no name.</summary>
    public static DirectoryEntry? FindEntry(DirectorySnapshot directory, string name)
    {
        try
        {
            return Find(directory, DistinguishedName.Parse(name), out _)?.OwnEntry;
        }
        catch (NameSyntaxException)
        {
            return null;
        }
    }

    /// <summary>The attribute that names entries of a kind.</summary>
    public static AttributeType NamingAttribute(EntryKind kind) => DirectoryNames.NamingAttribute(kind) == "uid" ? AttributeTypes.Uid : AttributeTypes.CommonName;

    /// <summary>Value of a relative name that is of one part with this attribute, spaces put in order; null: it is not.</summary>
    public static string? ValueOf(IReadOnlyList<NamePart> relativeName, AttributeType type) =>
        relativeName is [var part] && LdapSchema.FindAttribute(part.Type) == type ? part.Value.Trim(' ') : null;

    /// <summary>The kind whose unit has a name.</summary>
    public static EntryKind? UnitOf(string name)
    {
        foreach (var kind in Units)
        {
            if (string.Equals(DirectoryNames.Unit(kind), name, StringComparison.OrdinalIgnoreCase))
                return kind;
        }

        return null;
    }

    private static bool IsSubschema(IReadOnlyList<NamePart> relativeName) =>
        string.Equals(ValueOf(relativeName, AttributeTypes.CommonName), "Subschema", StringComparison.OrdinalIgnoreCase);
}

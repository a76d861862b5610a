using Candela.Identity.Accounts;
using Candela.Identity.Ldif;

namespace Candela.Identity.Ldap.Tree;

/// <summary>What a node of the tree is.</summary>
internal enum NodeKind
{
    /// <summary>The root, which describes the server (RFC 4512, 5.1).</summary>
    RootDse,

    /// <summary>Where the schema is published (RFC 4512, 4.2).</summary>
    Subschema,

    /// <summary>A domain.</summary>
    Domain,

    /// <summary>The unit that entries of a kind are in.</summary>
    Unit,

    /// <summary>An account or group.</summary>
    Entry,
}

/// <summary>A node of the tree, at one revision of the directory.</summary>
internal sealed class TreeNode
{
    private static readonly RootDse Nothing = new([], []);

    private string? _name;

    private TreeNode(NodeKind kind, DirectorySnapshot directory, Domain? domain, EntryKind unit, DirectoryEntry? entry)
    {
        Kind = kind;
        Directory = directory;
        OwnDomain = domain;
        Unit = unit;
        OwnEntry = entry;
    }

    /// <summary>What it is.</summary>
    public NodeKind Kind { get; }

    /// <summary>The directory.</summary>
    public DirectorySnapshot Directory { get; }

    /// <summary>Domain that it is, or is in.</summary>
    public Domain Domain => OwnDomain!;

    /// <summary>The account or group that it is.</summary>
    public DirectoryEntry Entry => OwnEntry!;

    /// <summary>What the root says.</summary>
    public RootDse Root { get; private init; } = Nothing;

    /// <summary>Kind of the unit that it is, or is in.</summary>
    public EntryKind Unit { get; }

    /// <summary>Domain; null: above all domains.</summary>
    public Domain? OwnDomain { get; }

    /// <summary>Account or group; null: it is none.</summary>
    public DirectoryEntry? OwnEntry { get; }

    /// <summary>Distinguished name.</summary>
    public string Name => _name ??= Kind switch
    {
        NodeKind.RootDse => "",
        NodeKind.Subschema => DirectoryTree.SubschemaName,
        NodeKind.Domain => DirectoryNames.Of(Domain),
        NodeKind.Unit => DirectoryNames.Of(Domain, Unit),
        _ => DirectoryNames.Of(Domain, Entry),
    };

    public static TreeNode Of(DirectorySnapshot directory, RootDse root) => new(NodeKind.RootDse, directory, null, default, null) { Root = root };

    public static TreeNode Subschema(DirectorySnapshot directory) => new(NodeKind.Subschema, directory, null, default, null);

    public static TreeNode Of(DirectorySnapshot directory, Domain domain) => new(NodeKind.Domain, directory, domain, default, null);

    public static TreeNode Of(DirectorySnapshot directory, Domain domain, EntryKind unit) => new(NodeKind.Unit, directory, domain, unit, null);

    public static TreeNode Of(DirectorySnapshot directory, Domain domain, DirectoryEntry entry) => new(NodeKind.Entry, directory, domain, entry.Kind, entry);
}

using Candela.Identity.Ldap.Access;
using Candela.Identity.Ldap.Schema;
using Candela.Identity.Ldap.Tree;

namespace Candela.Identity.Ldap.Filters;

/// <summary>The node that a filter looks at, and how much of it may be seen.</summary>
internal sealed class MatchContext
{
    private readonly List<string> _values = [];

    /// <summary>Node.</summary>
    public TreeNode Node { get; private set; } = null!;

    /// <summary>How much may be seen.</summary>
    public ReadLevel Level { get; private set; }

    /// <summary>Turns to a node.</summary>
    public MatchContext At(TreeNode node, ReadLevel level)
    {
        Node = node;
        Level = level;
        return this;
    }

    /// <summary>Values that may be seen; the list is good until the next call.</summary>
    public List<string> Values(AttributeDescription description)
    {
        _values.Clear();
        var attributes = NodeAttributes.Of(Node);
        if (description.Options.Count == 0)
        {
            foreach (var type in description.Type.WithSubtypes)
            {
                if (ReadableAttributes.Contains(Level, type))
                    attributes.Collect(Node, type, _values);
            }
        }

        if (Node.OwnEntry is { Attributes: { Count: > 0 } further })
        {
            foreach (var (key, values) in further)
            {
                if (!attributes.Owns(key) && description.Covers(key) && MayRead(key))
                    _values.AddRange(values);
            }
        }

        return _values;
    }

    /// <summary>A further attribute may be seen.</summary>
    public bool MayRead(string key) =>
        Level == ReadLevel.Full || (LdapSchema.FindAttribute(key.AsSpan(0, key.IndexOf(';', StringComparison.Ordinal) is >= 0 and var end ? end : key.Length)) is { } type && ReadableAttributes.Contains(Level, type));
}

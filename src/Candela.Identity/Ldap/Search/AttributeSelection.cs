using Candela.Identity.Ldap.Schema;
using Candela.Identity.Ldap.Tree;

namespace Candela.Identity.Ldap.Search;

/// <summary>Which attributes a search returns (RFC 4511, 4.5.1.8; RFC 3673).</summary>
internal sealed class AttributeSelection
{
    private const string AllUser = "*";
    private const string AllOperational = "+";

    private readonly bool _isAllUser;
    private readonly bool _isAllOperational;
    private readonly HashSet<AttributeType> _types = [];
    private readonly List<AttributeDescription> _named = [];

    /// <summary>Reads a selection. <c>1.1</c>, like what is unknown, selects nothing.</summary>
    public AttributeSelection(IReadOnlyList<string> attributes)
    {
        _isAllUser = attributes.Count == 0;
        foreach (var attribute in attributes)
        {
            if (attribute == AllUser)
                _isAllUser = true;
            else if (attribute == AllOperational)
                _isAllOperational = true;
            else if (AttributeDescription.Parse(attribute) is { } description)
                Add(description);
        }
    }

    /// <summary>The attribute is selected.</summary>
    public bool Contains(AttributeType type) => (type.IsOperational ? _isAllOperational : _isAllUser) || _types.Contains(type);

    /// <summary>A further attribute is selected.</summary>
    /// <param name="key">Name that it is stored under.</param>
    public bool ContainsFurther(string key) => _isAllUser || _named.Exists(description => description.Covers(key));

    private void Add(AttributeDescription description)
    {
        _named.Add(description);
        if (description.Options.Count == 0)
            _types.UnionWith(description.Type.WithSubtypes);
    }
}

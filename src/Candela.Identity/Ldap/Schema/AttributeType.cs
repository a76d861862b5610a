using System.Text;

namespace Candela.Identity.Ldap.Schema;

/// <summary>Where an attribute is used (RFC 4512, 4.1.2).</summary>
internal enum AttributeUsage
{
    /// <summary>By users.</summary>
    UserApplications,

    /// <summary>By the directory; returned only when asked for.</summary>
    DirectoryOperation,

    /// <summary>By this server; returned only when asked for.</summary>
    DsaOperation,
}

/// <summary>An attribute type (RFC 4512, 4.1.2).</summary>
internal sealed class AttributeType
{
    private readonly List<AttributeType> _withSubtypes = [];

    /// <summary>Makes one, and tells those that it is a special case of.</summary>
    public AttributeType(string oid, string[] names, AttributeType? superior = null)
    {
        Oid = oid;
        Names = names;
        Superior = superior;
        Key = names[0].ToLowerInvariant();
        Syntax = superior?.Syntax ?? Syntax.DirectoryString;
        Equality = superior?.Equality;
        Ordering = superior?.Ordering;
        Substrings = superior?.Substrings;
        for (var type = this; type is not null; type = type.Superior)
            type._withSubtypes.Add(this);
    }

    /// <summary>Object identifier; of what is kept without being in the schema, its name.</summary>
    public string Oid { get; }

    /// <summary>Names, the one to show first.</summary>
    public IReadOnlyList<string> Names { get; }

    /// <summary>Type that this is a special case of.</summary>
    public AttributeType? Superior { get; }

    /// <summary>The first name in lower case: further attributes are stored under it.</summary>
    public string Key { get; }

    /// <summary>Syntax of values.</summary>
    public Syntax Syntax { get; init; }

    /// <summary>Rule of equality; null: values cannot be compared.</summary>
    public MatchingRule? Equality { get; init; }

    /// <summary>Rule of order.</summary>
    public MatchingRule? Ordering { get; init; }

    /// <summary>Rule of substrings.</summary>
    public MatchingRule? Substrings { get; init; }

    /// <summary>At most one value.</summary>
    public bool IsSingleValued { get; init; }

    /// <summary>Set by the server alone.</summary>
    public bool IsReadOnly { get; init; }

    /// <summary>Where it is used.</summary>
    public AttributeUsage Usage { get; init; }

    /// <summary>Returned only when asked for.</summary>
    public bool IsOperational => Usage != AttributeUsage.UserApplications;

    /// <summary>The name to show.</summary>
    public string Name => Names[0];

    /// <summary>This type, and those that are special cases of it (RFC 4512, 2.5.1).</summary>
    public IReadOnlyList<AttributeType> WithSubtypes => _withSubtypes;

    /// <summary>A type that is kept, by import, without being in the schema: a text.</summary>
    public static AttributeType Unknown(string name) => new(name, [name])
    {
        Equality = MatchingRules.CaseIgnore, Ordering = MatchingRules.CaseIgnoreOrdering, Substrings = MatchingRules.CaseIgnoreSubstrings,
    };

    /// <summary>AttributeTypeDescription (RFC 4512, 4.1.2).</summary>
    public override string ToString()
    {
        var text = new StringBuilder($"( {Oid} NAME {LdapSchema.Names(Names)}");
        if (Superior is not null)
            text.Append($" SUP {Superior.Name}");
        Rule("EQUALITY", Equality, Superior?.Equality);
        Rule("ORDERING", Ordering, Superior?.Ordering);
        Rule("SUBSTR", Substrings, Superior?.Substrings);
        if (Superior is null || Superior.Syntax != Syntax)
            text.Append($" SYNTAX {Syntax.Oid}");
        if (IsSingleValued)
            text.Append(" SINGLE-VALUE");
        if (IsReadOnly && IsOperational)
            text.Append(" NO-USER-MODIFICATION");
        if (IsOperational)
            text.Append(Usage == AttributeUsage.DsaOperation ? " USAGE dSAOperation" : " USAGE directoryOperation");
        return text.Append(" )").ToString();

        void Rule(string what, MatchingRule? rule, MatchingRule? inherited)
        {
            if (rule is not null && rule != inherited)
                text.Append($" {what} {rule.Name}");
        }
    }
}

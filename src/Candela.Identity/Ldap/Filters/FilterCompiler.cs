using Candela.Identity.Accounts;
using Candela.Identity.Ldap.Protocol;
using Candela.Identity.Ldap.Schema;
using Candela.Identity.Ldap.Tree;

namespace Candela.Identity.Ldap.Filters;

/// <summary>Makes filters ready. What the schema does not allow becomes undefined, not an error (RFC 4511, 4.5.1.7).</summary>
internal sealed class FilterCompiler(DirectorySnapshot directory)
{
    public MatchTerm Compile(LdapFilter filter) => filter switch
    {
        AndFilter and => new AndTerm([.. and.Terms.Select(Compile)]),
        OrFilter or => new OrTerm([.. or.Terms.Select(Compile)]),
        NotFilter not => new NotTerm(Compile(not.Term)),
        PresentFilter present => AttributeDescription.Parse(present.Attribute) is { } attribute ? new PresentTerm(attribute) : ConstantTerm.Undefined,
        ComparisonFilter comparison => Compile(comparison),
        SubstringFilter substring => AttributeDescription.Parse(substring.Attribute) is { Type.Substrings: { } rule } attribute ? Compile(substring, attribute, rule) : ConstantTerm.Undefined,
        ExtensibleFilter extensible => Compile(extensible),
        _ => throw new ArgumentOutOfRangeException(nameof(filter)),
    };

    /// <summary>An assertion of equality, as compare operations make it, too.</summary>
    public MatchTerm CompileEqual(AttributeDescription attribute, ReadOnlySpan<byte> value) =>
        StrictUtf8.TextOf(value) is { } text && attribute.Type.Equality is { } rule ? Equal(attribute, rule, text) : ConstantTerm.Undefined;

    private MatchTerm Compile(ComparisonFilter filter)
    {
        if (AttributeDescription.Parse(filter.Attribute) is not { } attribute || StrictUtf8.TextOf(filter.Value) is not { } text)
            return ConstantTerm.Undefined;
        var type = attribute.Type;
        switch (filter.Comparison)
        {
            case Comparison.Equal:
                return type.Equality is { } equality ? Equal(attribute, equality, text) : ConstantTerm.Undefined;
            case Comparison.Approximate:
                // RFC 4511, 4.5.1.7.6: where there is nothing approximate about a type, equality.
                return type.Equality is not { } rule ? ConstantTerm.Undefined
                    : type.Equality is TextRule && Soundex.Codes(text).ToArray() is { Length: > 0 } codes ? new SoundTerm(attribute, codes)
                    : Equal(attribute, rule, text);
            default:
                var test = filter.Comparison == Comparison.GreaterOrEqual ? OrderTest.GreaterOrEqual : OrderTest.LessOrEqual;
                return type.Ordering is { } ordering && ordering.Prepare(text) is { } prepared ? new OrderTerm(attribute, ordering, prepared, test) : ConstantTerm.Undefined;
        }
    }

    private MatchTerm Equal(AttributeDescription attribute, MatchingRule rule, string text)
    {
        bool isPlain = attribute.Options.Count == 0 && (rule == attribute.Type.Equality || rule == MatchingRules.InChain);
        if (isPlain && attribute.Type == AttributeTypes.MemberUid)
            return new MemberNameTerm(text);
        if (isPlain && (attribute.Type == AttributeTypes.Member || attribute.Type == AttributeTypes.MemberOf))
        {
            bool isDeep = rule == MatchingRules.InChain;
            if (NameRule.Canonical(text) is null)
                return ConstantTerm.Undefined;
            if (DirectoryTree.FindEntry(directory, text) is not { } other)
                return ConstantTerm.False;
            return attribute.Type == AttributeTypes.Member ? new MemberTerm(other.Id, isDeep) : new MemberOfTerm(other.Id, isDeep);
        }

        return rule.Prepare(text) is { } prepared ? new EqualTerm(attribute, rule, prepared) : ConstantTerm.Undefined;
    }

    private static MatchTerm Compile(SubstringFilter filter, AttributeDescription attribute, MatchingRule rule)
    {
        var initial = filter.Initial is null ? "" : Prepare(filter.Initial, TextPlace.Initial);
        var final = filter.Final is null ? "" : Prepare(filter.Final, TextPlace.Final);
        var any = filter.Any.Select(part => Prepare(part, TextPlace.Any)).ToArray();
        return initial is null || final is null || any.Contains(null) ? ConstantTerm.Undefined : new SubstringTerm(attribute, rule, initial, any!, final);

        string? Prepare(byte[] part, TextPlace place) => StrictUtf8.TextOf(part) is { } text ? rule.Prepare(text, place) : null;
    }

    private MatchTerm Compile(ExtensibleFilter filter)
    {
        var attribute = filter.Attribute is null ? null : AttributeDescription.Parse(filter.Attribute);
        var rule = filter.Rule is null ? attribute?.Type.Equality : MatchingRules.Find(filter.Rule);
        if ((filter.Attribute is not null && attribute is null) || rule is null || StrictUtf8.TextOf(filter.Value) is not { } text)
            return ConstantTerm.Undefined;
        var term = attribute is null ? ByRule(rule, text) : ByRule(attribute, rule, text);
        return filter.WithNameAttributes && rule.Use == MatchingUse.Equality && rule.Prepare(text) is { } prepared
            ? new OrTerm([term, new NameTerm(attribute?.Type, rule, prepared)])
            : term;
    }

    private static MatchTerm ByRule(MatchingRule rule, string text) =>
        rule.Use == MatchingUse.Equality && rule.Prepare(text) is { } prepared ? new AnyAttributeTerm(rule, prepared) : ConstantTerm.Undefined;

    private MatchTerm ByRule(AttributeDescription attribute, MatchingRule rule, string text) => rule.Use switch
    {
        MatchingUse.Equality => Equal(attribute, rule, text),

        // RFC 4517, 4.2.1: a rule of order is true of values that come before the asserted one.
        MatchingUse.Ordering => rule.Prepare(text) is { } prepared ? new OrderTerm(attribute, rule, prepared, OrderTest.Less) : ConstantTerm.Undefined,
        _ => SubstringAssertion.Parse(text) is { } parts ? Compile(parts, attribute, rule) : ConstantTerm.Undefined,
    };
}

using Candela.Identity.Ldap.Names;
using Candela.Identity.Ldap.Schema;
using Candela.Identity.Ldap.Search;
using Candela.Identity.Ldap.Tree;

namespace Candela.Identity.Ldap.Filters;

/// <summary>There is a value.</summary>
internal sealed class PresentTerm(AttributeDescription attribute) : MatchTerm
{
    public override bool? Matches(MatchContext context) => context.Values(attribute).Count > 0;

    public override IReadOnlyCollection<Guid>? FindCandidates(CandidateSource source) => source.Present(attribute.Type);
}

/// <summary>A value passes a test.</summary>
internal abstract class ValueTerm(AttributeDescription attribute) : MatchTerm
{
    /// <summary>Attribute.</summary>
    protected AttributeDescription Attribute { get; } = attribute;

    public sealed override bool? Matches(MatchContext context)
    {
        foreach (var value in context.Values(Attribute))
        {
            if (Passes(value))
                return true;
        }

        return false;
    }

    /// <summary>The value passes.</summary>
    protected abstract bool Passes(string value);
}

/// <summary>A value is equal.</summary>
internal sealed class EqualTerm(AttributeDescription attribute, MatchingRule rule, string prepared) : ValueTerm(attribute)
{
    public override IReadOnlyCollection<Guid>? FindCandidates(CandidateSource source) => source.Equal(Attribute.Type, rule, prepared);

    protected override bool Passes(string value) => rule.AreEqual(value, prepared);
}

/// <summary>How a value must stand to the asserted one.</summary>
internal enum OrderTest
{
    GreaterOrEqual,
    LessOrEqual,
    Less,
}

/// <summary>A value comes before or after.</summary>
internal sealed class OrderTerm(AttributeDescription attribute, MatchingRule rule, string prepared, OrderTest test) : ValueTerm(attribute)
{
    protected override bool Passes(string value)
    {
        if (rule.Prepare(value) is not { } own)
            return false;
        int order = rule.Compare(own, prepared);
        return test switch
        {
            OrderTest.GreaterOrEqual => order >= 0,
            OrderTest.LessOrEqual => order <= 0,
            _ => order < 0,
        };
    }
}

/// <summary>A value has parts in an order (RFC 4517, 4.2.6).</summary>
/// <param name="attribute">Attribute.</param>
/// <param name="rule">Rule.</param>
/// <param name="initial">Prepared beginning; empty: any.</param>
/// <param name="any">Prepared parts.</param>
/// <param name="final">Prepared end; empty: any.</param>
internal sealed class SubstringTerm(AttributeDescription attribute, MatchingRule rule, string initial, string[] any, string final) : ValueTerm(attribute)
{
    private const int StackLength = 512;

    protected override bool Passes(string value)
    {
        int maximum = rule.MaximumLength(value.Length);
        var buffer = maximum <= StackLength ? stackalloc char[StackLength] : new char[maximum];
        int length = rule.Prepare(value, TextPlace.Whole, buffer);
        if (length < 0)
            return false;
        ReadOnlySpan<char> rest = buffer[..length];
        if (!rest.StartsWith(initial, StringComparison.Ordinal))
            return false;
        rest = rest[initial.Length..];
        foreach (var part in any)
        {
            int at = rest.IndexOf(part, StringComparison.Ordinal);
            if (at < 0)
                return false;
            rest = rest[(at + part.Length)..];
        }

        return rest.EndsWith(final, StringComparison.Ordinal);
    }
}

/// <summary>Every word of the assertion sounds like a word of the value, in the same order.</summary>
internal sealed class SoundTerm(AttributeDescription attribute, string[] codes) : ValueTerm(attribute)
{
    protected override bool Passes(string value)
    {
        int next = 0;
        foreach (var code in Soundex.Codes(value))
        {
            if (next < codes.Length && code == codes[next])
                next++;
        }

        return next == codes.Length;
    }
}

/// <summary>Some attribute of the entry, whichever, has an equal value (RFC 4511, 4.5.1.7.7: a rule without an attribute).</summary>
internal sealed class AnyAttributeTerm(MatchingRule rule, string prepared) : MatchTerm
{
    private readonly AttributeDescription[] _attributes =
        [.. LdapSchema.AttributeTypeList.Where(type => type.Equality?.Syntax == rule.Syntax).Select(type => new AttributeDescription(type, []))];

    public override bool? Matches(MatchContext context) => _attributes.Any(attribute => context.Values(attribute).Exists(value => rule.AreEqual(value, prepared)));
}

/// <summary>A part of the entry's name is equal (RFC 4511, 4.5.1.7.7: dnAttributes).</summary>
internal sealed class NameTerm(AttributeType? type, MatchingRule rule, string prepared) : MatchTerm
{
    public override bool? Matches(MatchContext context)
    {
        foreach (var relativeName in DistinguishedName.Parse(context.Node.Name).RelativeNames)
        {
            foreach (var part in relativeName)
            {
                if ((type is null || LdapSchema.FindAttribute(part.Type) is { } own && type.WithSubtypes.Contains(own)) && rule.AreEqual(part.Value, prepared))
                    return true;
            }
        }

        return false;
    }
}

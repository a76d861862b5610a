namespace Candela.Identity.Ldap.Protocol;

/// <summary>A filter as it came (RFC 4511, 4.5.1.7).</summary>
internal abstract record LdapFilter;

/// <summary>All must be true.</summary>
internal sealed record AndFilter(IReadOnlyList<LdapFilter> Terms) : LdapFilter;

/// <summary>One must be true.</summary>
internal sealed record OrFilter(IReadOnlyList<LdapFilter> Terms) : LdapFilter;

/// <summary>The other must be false.</summary>
internal sealed record NotFilter(LdapFilter Term) : LdapFilter;

/// <summary>The attribute is there.</summary>
internal sealed record PresentFilter(string Attribute) : LdapFilter;

/// <summary>How a value is compared.</summary>
internal enum Comparison
{
    Equal,
    GreaterOrEqual,
    LessOrEqual,
    Approximate,
}

/// <summary>A value compares with the asserted one.</summary>
internal sealed record ComparisonFilter(Comparison Comparison, string Attribute, byte[] Value) : LdapFilter;

/// <summary>A value has these parts in this order.</summary>
internal sealed record SubstringFilter(string Attribute, byte[]? Initial, IReadOnlyList<byte[]> Any, byte[]? Final) : LdapFilter;

/// <summary>A value matches by a rule (RFC 4511, 4.5.1.7.7).</summary>
internal sealed record ExtensibleFilter(string? Rule, string? Attribute, byte[] Value, bool WithNameAttributes) : LdapFilter;

using System.Buffers;
using System.Globalization;
using Candela.Identity.Ldap.Names;

namespace Candela.Identity.Ldap.Schema;

/// <summary>Texts, prepared by RFC 4518.</summary>
internal sealed class TextRule(bool foldCase) : MatchingRule
{
    public override int MaximumLength(int length) => StringPreparation.MaximumLength(length);

    public override int Prepare(ReadOnlySpan<char> value, TextPlace place, Span<char> destination) => StringPreparation.Prepare(value, foldCase, place, destination);
}

/// <summary>Texts in which some characters do not count (RFC 4518, 2.6.2 and 2.6.3).</summary>
internal sealed class WithoutRule(string ignored) : MatchingRule
{
    public override int Prepare(ReadOnlySpan<char> value, TextPlace place, Span<char> destination)
    {
        int length = 0;
        foreach (char c in value)
        {
            if (!ignored.Contains(c, StringComparison.Ordinal))
                destination[length++] = char.ToLowerInvariant(c);
        }

        return length;
    }
}

/// <summary>Values that are equal only when they are the same.</summary>
internal sealed class OctetRule : MatchingRule
{
    public override int Prepare(ReadOnlySpan<char> value, TextPlace place, Span<char> destination)
    {
        value.CopyTo(destination);
        return value.Length;
    }
}

/// <summary>Whole numbers of any size.</summary>
internal sealed class IntegerRule : MatchingRule
{
    /// <summary>RFC 4517, 3.3.16; no zeros in front.</summary>
    public static bool IsValid(ReadOnlySpan<char> value)
    {
        var digits = value.StartsWith('-') ? value[1..] : value;
        return digits.Length > 0 && !digits.ContainsAnyExceptInRange('0', '9') && (digits[0] != '0' || value.Length == 1);
    }

    public override int Prepare(ReadOnlySpan<char> value, TextPlace place, Span<char> destination)
    {
        if (!IsValid(value))
            return -1;
        value.CopyTo(destination);
        return value.Length;
    }

    public override int Compare(ReadOnlySpan<char> one, ReadOnlySpan<char> other)
    {
        bool negative = one.StartsWith('-');
        if (negative != other.StartsWith('-'))
            return negative ? -1 : 1;
        int order = one.Length != other.Length ? one.Length.CompareTo(other.Length) : one.SequenceCompareTo(other);
        return negative ? -order : order;
    }
}

/// <summary>Times, in UTC to the tick.</summary>
internal sealed class TimeRule : MatchingRule
{
    private const string Form = "yyyyMMddHHmmssfffffff";

    public override int MaximumLength(int length) => Form.Length;

    public override int Prepare(ReadOnlySpan<char> value, TextPlace place, Span<char> destination) =>
        GeneralizedTime.TryParse(value, out var time) && time.UtcDateTime.TryFormat(destination, out int length, Form, CultureInfo.InvariantCulture) ? length : -1;
}

/// <summary>UUIDs (RFC 4530).</summary>
internal sealed class UuidRule : MatchingRule
{
    public override int MaximumLength(int length) => 36;

    public override int Prepare(ReadOnlySpan<char> value, TextPlace place, Span<char> destination) =>
        Guid.TryParseExact(value, "D", out var id) && id.TryFormat(destination, out int length, "D") ? length : -1;
}

/// <summary>Object identifiers and the names of schema elements (RFC 4517, 4.2.26): names are brought to the identifiers that they stand for.</summary>
internal sealed class OidRule : MatchingRule
{
    private const int Longest = 128;

    private static readonly SearchValues<char> Allowed = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-.");

    public override int MaximumLength(int length) => Longest;

    public override int Prepare(ReadOnlySpan<char> value, TextPlace place, Span<char> destination)
    {
        if (value.IsEmpty || value.Length > Longest || value.ContainsAnyExcept(Allowed))
            return -1;
        if (LdapSchema.FindOid(value) is { } oid)
        {
            oid.CopyTo(destination);
            return oid.Length;
        }

        return value.ToLowerInvariant(destination);
    }
}

/// <summary>Descriptions of schema elements, by the object identifier or name that they begin with (RFC 4517, 4.2.26).</summary>
internal sealed class FirstComponentRule : MatchingRule
{
    public override int Prepare(ReadOnlySpan<char> value, TextPlace place, Span<char> destination)
    {
        // ( OID NAME … as a value, OID or a name as an assertion.
        if (value.StartsWith("( ") && value[2..].IndexOf(' ') is > 0 and var end)
            value = value.Slice(2, end);
        if (LdapSchema.FindOid(value) is { } oid)
            value = oid;
        if (value.Length > destination.Length)
            return -1;
        value.CopyTo(destination);
        return value.Length;
    }

    public override int MaximumLength(int length) => Math.Max(length, 128);
}

/// <summary>Distinguished names, attribute by attribute (RFC 4517, 4.2.15).</summary>
internal sealed class NameRule : MatchingRule
{
    /// <summary>A name in the form that is equal for equal names; null: it is none.</summary>
    public static string? Canonical(ReadOnlySpan<char> value)
    {
        try
        {
            return string.Join(',', DistinguishedName.Parse(value.ToString()).RelativeNames.Select(Canonical));
        }
        catch (NameSyntaxException)
        {
            return null;
        }
    }

    public override int MaximumLength(int length) => 16 * length + 2;

    public override int Prepare(ReadOnlySpan<char> value, TextPlace place, Span<char> destination)
    {
        if (Canonical(value) is not { } canonical || canonical.Length > destination.Length)
            return -1;
        canonical.CopyTo(destination);
        return canonical.Length;
    }

    private static string Canonical(IReadOnlyList<NamePart> parts) => string.Join('+', parts.Select(Canonical).Order(StringComparer.Ordinal));

    private static string Canonical(NamePart part)
    {
        var type = LdapSchema.FindAttribute(part.Type);
        var value = (type?.Equality ?? MatchingRules.CaseIgnore).Prepare(part.Value) ?? part.Value;
        return $"{type?.Oid ?? part.Type.ToLowerInvariant()}={DistinguishedName.Escape(value)}";
    }
}

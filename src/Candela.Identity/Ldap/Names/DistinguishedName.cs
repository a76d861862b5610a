using System.Buffers;
using System.Formats.Asn1;
using System.Runtime.InteropServices;
using System.Text;
using Candela.Identity.Ldap.Protocol;

namespace Candela.Identity.Ldap.Names;

/// <summary>A distinguished name (RFC 4514): relative names, the entry's own first. Says nothing of what the attribute types are.</summary>
internal sealed class DistinguishedName
{
    private static readonly SearchValues<char> Special = SearchValues.Create("\"+,;<>\\");
    private static readonly SearchValues<char> TypeName = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-");
    private static readonly SearchValues<char> TypeNumber = SearchValues.Create("0123456789.");

    private DistinguishedName(IReadOnlyList<NamePart>[] relativeNames) => RelativeNames = relativeNames;

    /// <summary>Relative names, the entry's own first; of each its parts, most often one.</summary>
    public IReadOnlyList<IReadOnlyList<NamePart>> RelativeNames { get; }

    /// <summary>Name of what is above; of the root, the root.</summary>
    public DistinguishedName Parent => new([.. RelativeNames.Skip(1)]);

    /// <summary>Reads a name; spaces around separators are let pass, as RFC 2253, 4, had it.</summary>
    /// <exception cref="NameSyntaxException">It is none, or beyond a limit.</exception>
    public static DistinguishedName Parse(string text)
    {
        var rest = text.AsSpan().TrimStart(' ');
        if (rest.IsEmpty)
            return new DistinguishedName([]);
        var names = new List<IReadOnlyList<NamePart>>();
        var parts = new List<NamePart>(1);
        while (true)
        {
            if (names.Count == LdapLimits.NameDepth || parts.Count == LdapLimits.NameAttributeCount)
                throw new NameSyntaxException($"a name has at most {LdapLimits.NameDepth} relative names of {LdapLimits.NameAttributeCount} attributes");
            parts.Add(ReadPart(ref rest));
            bool joined = !rest.IsEmpty && rest[0] == '+';
            if (!joined)
            {
                names.Add([.. parts]);
                parts.Clear();
            }

            if (rest.IsEmpty)
                return new DistinguishedName([.. names]);
            rest = rest[1..].TrimStart(' '); // , or +
            if (rest.IsEmpty)
                throw new NameSyntaxException("a name ends with a separator");
        }
    }

    /// <summary>A value as it stands in a name (RFC 4514, 2.4).</summary>
    public static string Escape(string value)
    {
        if (value.Length > 0 && value[0] is not (' ' or '#') && value[^1] != ' ' && value.AsSpan().IndexOfAny(Special) < 0 && !value.Contains('\0', StringComparison.Ordinal))
            return value;
        var text = new StringBuilder();
        for (int i = 0; i < value.Length; i++)
        {
            char c = value[i];
            bool atEdge = (i == 0 && c is ' ' or '#') || (i == value.Length - 1 && c == ' ');
            _ = c == '\0' ? text.Append(@"\00") : atEdge || Special.Contains(c) ? text.Append('\\').Append(c) : text.Append(c);
        }

        return text.ToString();
    }

    /// <summary>Reads TYPE=VALUE up to the next separator, which is left.</summary>
    private static NamePart ReadPart(ref ReadOnlySpan<char> rest)
    {
        int equals = rest.IndexOf('=');
        if (equals < 0)
            throw new NameSyntaxException("expected ATTRIBUTE=VALUE");
        var type = rest[..equals].TrimEnd(' ');
        if (!IsType(type))
            throw new NameSyntaxException("not an attribute type");
        rest = rest[(equals + 1)..].TrimStart(' ');
        int end = rest.IndexOfAny(Special);
        if (end < 0 || rest[end] is ',' or '+')
        {
            // Nothing escaped.
            var plain = end < 0 ? rest : rest[..end];
            rest = end < 0 ? default : rest[end..];
            plain = plain.TrimEnd(' ');
            return new NamePart(type.ToString(), plain.StartsWith('#') ? DecodeHexadecimal(plain[1..]) : plain.Contains('\0') ? throw Unescaped() : plain.ToString());
        }

        return new NamePart(type.ToString(), ReadEscaped(ref rest));
    }

    private static string ReadEscaped(ref ReadOnlySpan<char> rest)
    {
        var bytes = new List<byte>(rest.Length);
        int kept = 0; // length up to the last character that is no unescaped space
        int i = 0;
        Span<byte> encoded = stackalloc byte[4];
        while (i < rest.Length && rest[i] is not (',' or '+'))
        {
            char c = rest[i];
            if (c == '\\')
            {
                if (IsPair(rest[(i + 1)..]))
                {
                    bytes.Add(Convert.FromHexString(rest.Slice(i + 1, 2))[0]);
                    i += 3;
                }
                else if (i + 1 < rest.Length && (Special.Contains(rest[i + 1]) || rest[i + 1] is ' ' or '#' or '='))
                {
                    bytes.Add((byte)rest[i + 1]);
                    i += 2;
                }
                else
                {
                    throw new NameSyntaxException(@"after \ comes a special character or two hexadecimal digits");
                }

                kept = bytes.Count;
                continue;
            }

            if (c == '\0' || Special.Contains(c))
                throw Unescaped();
            if (Rune.DecodeFromUtf16(rest[i..], out var rune, out int length) != OperationStatus.Done)
                throw new NameSyntaxException("a name has a character that is none");
            bytes.AddRange(encoded[..rune.EncodeToUtf8(encoded)]);
            i += length;
            if (c != ' ')
                kept = bytes.Count;
        }

        rest = rest[i..];
        return StrictUtf8.TextOf(CollectionsMarshal.AsSpan(bytes)[..kept]) ?? throw new NameSyntaxException("an escaped value is not UTF-8");
    }

    private static bool IsPair(ReadOnlySpan<char> text) => text.Length >= 2 && char.IsAsciiHexDigit(text[0]) && char.IsAsciiHexDigit(text[1]);

    /// <summary>A value in BER (RFC 4514, 2.4).</summary>
    private static string DecodeHexadecimal(ReadOnlySpan<char> digits)
    {
        try
        {
            var value = Convert.FromHexString(digits);
            var tag = AsnDecoder.ReadEncodedValue(value, AsnEncodingRules.DER, out int offset, out int length, out int consumed);
            if (consumed == value.Length && tag is { TagClass: TagClass.Universal, IsConstructed: false } &&
                (UniversalTagNumber)tag.TagValue is UniversalTagNumber.UTF8String or UniversalTagNumber.PrintableString or UniversalTagNumber.IA5String or UniversalTagNumber.OctetString)
                return StrictUtf8.TextOf(value.AsSpan(offset, length)) ?? throw new NameSyntaxException("a value after # is not UTF-8");
        }
        catch (Exception e) when (e is FormatException or AsnContentException)
        {
            throw new NameSyntaxException("a value after # is not hexadecimal BER of a text");
        }

        throw new NameSyntaxException("a value after # is not of a kind that is known here");
    }

    private static bool IsType(ReadOnlySpan<char> type)
    {
        if (type.IsEmpty)
            return false;
        if (char.IsAsciiLetter(type[0]))
            return !type.ContainsAnyExcept(TypeName);
        return char.IsAsciiDigit(type[0]) && !type.ContainsAnyExcept(TypeNumber) && type[^1] != '.' && type.IndexOf("..") < 0;
    }

    private static NameSyntaxException Unescaped() => new("a special character is not escaped");
}

using System.Net;
using Candela.Model;

namespace Candela.Identity.Certificates.Names;

/// <summary>
/// Checks host names that are to stand in a certificate: letters, digits and hyphens in labels (RFC 1034, section 3.5, RFC 1123, section 2.1),
/// in ASCII. What a program could read in two ways is refused.
/// </summary>
internal static class DnsNames
{
    /// <summary>Longest name, characters (RFC 1035, section 2.3.4, without the root's dot).</summary>
    public const int NameLength = 253;

    private const int LabelLength = 63;
    private const string Wildcard = "*.";

    /// <summary>The name in lower case.</summary>
    /// <param name="name">Name as asked for.</param>
    /// <param name="allowWildcard">The leftmost label may be <c>*</c> (RFC 9525, section 6.3).</param>
    /// <exception cref="CandelaException">InvalidArgument: not a host name, or one that deceives.</exception>
    public static string Check(string name, bool allowWildcard)
    {
        if (name.Length is 0 or > NameLength)
            throw Refused(name, $"it has {name.Length} characters, between 1 and {NameLength} are possible");
        var host = name;
        if (name.StartsWith(Wildcard, StringComparison.Ordinal))
        {
            if (!allowWildcard)
                throw Refused(name, "wildcards are not allowed here: ask for each name");
            host = name[Wildcard.Length..];
            if (!host.Contains('.', StringComparison.Ordinal))
                throw Refused(name, "a wildcard must stand below two labels, such as *.shop.example");
        }

        foreach (var c in host)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('-' or '.'))
                throw Refused(name, "only the letters a to z, digits, hyphens and dots are possible; write international names as xn--…");
        }

        var labels = host.ToLowerInvariant().Split('.');
        foreach (var label in labels)
        {
            if (label.Length is 0 or > LabelLength || label[0] == '-' || label[^1] == '-')
                throw Refused(name, $"each label has 1 to {LabelLength} characters and neither begins nor ends with a hyphen");
            if (label.Length >= 4 && label[2] == '-' && label[3] == '-')
                CheckInternational(name, label);
        }

        // 10.0.0.1, 0x7f.1 and 2130706433 are addresses to some resolvers: no top-level domain is numeric.
        if (IPAddress.TryParse(host, out _) || char.IsAsciiDigit(labels[^1][0]) && (labels[^1].All(char.IsAsciiDigit) || labels[^1].StartsWith("0x", StringComparison.Ordinal)))
            throw Refused(name, "it reads as an IP address: ask for an address as such");
        return name.ToLowerInvariant();
    }

    /// <summary>The name in lower case; null: not a host name, or one that deceives.</summary>
    public static string? TryCheck(string name, bool allowWildcard)
    {
        try
        {
            return Check(name, allowWildcard);
        }
        catch (CandelaException)
        {
            return null;
        }
    }

    /// <summary>The name is the domain, or below it.</summary>
    public static bool IsWithin(string name, string domain) =>
        name.Length == domain.Length ? string.Equals(name, domain, StringComparison.OrdinalIgnoreCase)
        : name.Length > domain.Length && name[^(domain.Length + 1)] == '.' && name.EndsWith(domain, StringComparison.OrdinalIgnoreCase);

    private static void CheckInternational(string name, string label)
    {
        if (!label.StartsWith("xn--", StringComparison.Ordinal) || Punycode.TryDecode(label[4..]) is not { } text)
            throw Refused(name, $"{label} is not the ASCII form of an international label (RFC 5890, section 2.3.2.1)");
        if (!Scripts.IsHonest(text))
            throw Refused(name, $"{label} mixes scripts, looks like other letters or has characters that host names do not have");
    }

    private static CandelaException Refused(string name, string why) =>
        new(ErrorCode.InvalidArgument, $"the name {Printable.Of(name)} cannot stand in a certificate: {why}");
}

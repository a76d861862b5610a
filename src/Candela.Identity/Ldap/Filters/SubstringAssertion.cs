using System.Text;
using Candela.Identity.Ldap.Protocol;

namespace Candela.Identity.Ldap.Filters;

/// <summary>Substring assertions as texts (RFC 4517, 3.3.30).</summary>
internal static class SubstringAssertion
{
    /// <summary>Reads one; null: malformed.</summary>
    public static SubstringFilter? Parse(string text)
    {
        var parts = text.Split('*');
        if (parts.Length is < 2 or > LdapLimits.SubstringPartCount || parts.Skip(1).SkipLast(1).Contains("") || parts.All(part => part.Length == 0))
            return null;
        var bytes = parts.Select(part => Encoding.UTF8.GetBytes(part.Replace("\\2A", "*", StringComparison.OrdinalIgnoreCase).Replace("\\5C", "\\", StringComparison.OrdinalIgnoreCase))).ToArray();
        return new SubstringFilter("", bytes[0].Length > 0 ? bytes[0] : null, [.. bytes.Skip(1).SkipLast(1)], bytes[^1].Length > 0 ? bytes[^1] : null);
    }
}

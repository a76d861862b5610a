using System.Text;
using Candela.Identity.Accounts;

namespace Candela.Identity.Ldif;

/// <summary>
/// Distinguished names of the directory (RFC 4514): a domain is <c>dc=NAME</c>; below it are <c>ou=people</c> and <c>ou=services</c> with
/// <c>uid=NAME</c>, <c>ou=groups</c> and <c>ou=machines</c> with <c>cn=NAME</c>.
/// </summary>
public static class DirectoryNames
{
    /// <summary>Name of a domain.</summary>
    public static string Of(Domain domain) => $"dc={domain.Name}";

    /// <summary>Name of the organizational unit of a kind.</summary>
    public static string Of(Domain domain, EntryKind kind) => $"ou={Unit(kind)},{Of(domain)}";

    /// <summary>Name of an entry of the domain. Names of entries have no character that would have to be escaped.</summary>
    public static string Of(Domain domain, DirectoryEntry entry) => $"{NamingAttribute(entry.Kind)}={entry.Name},{Of(domain, entry.Kind)}";

    /// <summary>The organizational unit of a kind.</summary>
    public static string Unit(EntryKind kind) => kind switch
    {
        EntryKind.User => "people",
        EntryKind.Group => "groups",
        EntryKind.ServiceAccount => "services",
        EntryKind.Machine => "machines",
        _ => throw new ArgumentOutOfRangeException(nameof(kind)),
    };

    /// <summary>The attribute that names entries of a kind.</summary>
    public static string NamingAttribute(EntryKind kind) => kind is EntryKind.User or EntryKind.ServiceAccount ? "uid" : "cn";

    /// <summary>Value of a name's first component, unescaped (RFC 4514, 2.4); null: the name is empty or malformed, or the component has several parts.</summary>
    public static string? FirstValue(string name)
    {
        int equals = name.IndexOf('=', StringComparison.Ordinal);
        if (equals <= 0)
            return null;
        var value = new List<byte>();
        for (int i = equals + 1; i < name.Length && name[i] != ','; i++)
        {
            if (name[i] == '+')
                return null;
            bool escaped = name[i] == '\\';
            if (escaped && ++i == name.Length)
                return null;
            bool hexadecimal = escaped && i + 1 < name.Length && char.IsAsciiHexDigit(name[i]) && char.IsAsciiHexDigit(name[i + 1]);
            if (hexadecimal)
                value.Add(Convert.FromHexString(name.AsSpan(i++, 2))[0]);
            else
                value.AddRange(Encoding.UTF8.GetBytes([name[i]]));
        }

        return Encoding.UTF8.GetString([.. value]).Trim(' ');
    }
}

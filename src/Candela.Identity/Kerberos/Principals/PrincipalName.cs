using System.Text;
using Candela.Identity.Accounts;

namespace Candela.Identity.Kerberos.Principals;

/// <summary>
/// Names of principals, as text without realm (RFC 1964, 2.1.1). Accounts of the system domain have their own name, those of other domains
/// <c>NAME@DOMAIN</c> as the only part, an enterprise name (RFC 6806, 5): <c>kinit -E ada@acme</c>. Services have two parts.
/// </summary>
internal static class PrincipalName
{
    /// <summary>Longest name of a service principal, characters.</summary>
    private const int ServiceLength = 300;

    /// <summary>Name of an account's principal.</summary>
    public static string Of(DirectoryEntry account, Domain domain) => domain.IsSystem ? account.Name : $"{account.Name}\\@{domain.Name}";

    /// <summary>The account of a principal; null: it is none's, or of another realm.</summary>
    public static DirectoryEntry? FindAccount(DirectorySnapshot directory, string principal, string realm)
    {
        if (Split(principal) is not ([var name], var ofRealm) || ofRealm != realm)
            return null;
        int at = name.LastIndexOf('@');
        var domain = at >= 0 ? directory.FindDomain(name[(at + 1)..]) : directory.SystemDomain;
        if (domain is null || (at >= 0 && domain.IsSystem))
            return null;
        // Kerberos' names have a case; only the one that the KDC knows is meant.
        return directory.Find(domain.Id, at < 0 ? name : name[..at]) is { Kind: not EntryKind.Group } account && Of(account, domain) == Escape(name) ? account : null;
    }

    /// <summary>A service's name is one: SERVICE/HOST.</summary>
    public static bool IsService(string name) =>
        name.Length <= ServiceLength && name.Split('/') is [{ Length: > 0 } service, { Length: > 0 } host] &&
        service.All(char.IsAsciiLetterOrDigit) && service is not ("krbtgt" or "kadmin" or "K" or "WELLKNOWN") && Uri.CheckHostName(host) == UriHostNameType.Dns && !host.Any(char.IsAsciiLetterUpper);

    /// <summary>Parts and realm of a principal's text; the realm is empty when there is none.</summary>
    private static (List<string> Parts, string Realm) Split(string principal)
    {
        var parts = new List<string>();
        var part = new StringBuilder();
        int i = 0;
        for (; i < principal.Length && principal[i] != '@'; i++)
        {
            if (principal[i] == '/')
            {
                parts.Add(part.ToString());
                part.Clear();
            }
            else
            {
                part.Append(principal[i] == '\\' && i + 1 < principal.Length ? principal[++i] : principal[i]);
            }
        }

        parts.Add(part.ToString());
        return (parts, i < principal.Length ? principal[(i + 1)..] : "");
    }

    private static string Escape(string name) => name.Replace("@", "\\@", StringComparison.Ordinal);
}

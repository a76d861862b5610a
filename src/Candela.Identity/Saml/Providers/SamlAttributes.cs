using Candela.Identity.Accounts;

namespace Candela.Identity.Saml.Providers;

/// <summary>What service providers can be told of an account.</summary>
public static class SamlAttributes
{
    /// <summary>Everything, by LDAP's names (RFC 4519, RFC 2798).</summary>
    public static IReadOnlyDictionary<string, string> Default { get; } = new SortedDictionary<string, string>(StringComparer.Ordinal)
    {
        ["uid"] = "name",
        ["displayName"] = "display-name",
        ["givenName"] = "given-name",
        ["sn"] = "surname",
        ["mail"] = "mail",
        ["groups"] = "groups",
    };

    /// <summary>What there is.</summary>
    public static IReadOnlyList<string> Sources { get; } = ["name", "login", "display-name", "given-name", "surname", "mail", "groups", "id"];

    /// <summary>Values of one; empty: the account has none.</summary>
    internal static IReadOnlyList<string> ValuesOf(string source, DirectoryEntry account, DirectorySnapshot directory)
    {
        var user = account as User;
        return source switch
        {
            "name" => [account.Name],
            "login" => [$"{account.Name}@{directory.GetDomain(account.DomainId)?.Name}"],
            "display-name" => One(user?.DisplayName ?? One(string.Join(' ', new[] { user?.GivenName, user?.Surname }.OfType<string>())).FirstOrDefault()),
            "given-name" => One(user?.GivenName),
            "surname" => One(user?.Surname),
            "mail" => One(user?.Mail),
            "groups" => [.. directory.EffectiveGroups(account.Id).Select(id => directory.Get(id)?.Name).OfType<string>().Order(EntryName.Comparer)],
            "id" => [account.Id.ToString()],
            _ => [],
        };
    }

    private static string[] One(string? value) => string.IsNullOrEmpty(value) ? [] : [value];
}

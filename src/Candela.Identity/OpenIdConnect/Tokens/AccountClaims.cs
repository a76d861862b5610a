using System.Text.Json;
using Candela.Identity.Accounts;
using Candela.Identity.Authorization;
using Candela.Identity.OpenIdConnect.Clients;

namespace Candela.Identity.OpenIdConnect.Tokens;

/// <summary>What is said of an account, as far as the scopes allow (OpenID Connect Core, section 5.4).</summary>
internal sealed class AccountClaims(IDirectory directory, IAccessPolicy policy)
{
    /// <summary>Names of claims that there can be.</summary>
    public static IReadOnlyList<string> Names { get; } =
        ["sub", "name", "given_name", "family_name", "preferred_username", "updated_at", "email", "email_verified", "groups", "roles"];

    /// <summary>Name and domain, such as <c>ada@acme</c>.</summary>
    public string NameOf(DirectoryEntry account) => $"{account.Name}@{directory.Current.GetDomain(account.DomainId)?.Name}";

    public void Write(Utf8JsonWriter writer, DirectoryEntry account, IReadOnlyCollection<string> scopes)
    {
        var user = account as User;
        if (scopes.Contains(Scopes.Profile))
        {
            var name = user is null ? (account as ServiceAccount)?.DisplayName : user.DisplayName ?? $"{user.GivenName} {user.Surname}".Trim();
            Write(writer, "name", string.IsNullOrEmpty(name) ? account.Name : name);
            Write(writer, "given_name", user?.GivenName);
            Write(writer, "family_name", user?.Surname);
            Write(writer, "preferred_username", NameOf(account));
            writer.WriteNumber("updated_at", account.ModifiedAt.ToUnixTimeSeconds());
        }

        if (scopes.Contains(Scopes.Email) && user?.Mail is { } mail)
        {
            writer.WriteString("email", mail);
            // An administrator has entered it; nobody has asked the mailbox.
            writer.WriteBoolean("email_verified", false);
        }

        if (scopes.Contains(Scopes.Groups))
            Write(writer, "groups", GroupsOf(account));
        if (scopes.Contains(Scopes.Roles))
            Write(writer, "roles", RolesOf(account));
    }

    internal static void Write(Utf8JsonWriter writer, string name, IEnumerable<string> values)
    {
        writer.WriteStartArray(name);
        foreach (var value in values)
            writer.WriteStringValue(value);
        writer.WriteEndArray();
    }

    private IEnumerable<string> GroupsOf(DirectoryEntry account)
    {
        var current = directory.Current;
        return current.EffectiveGroups(account.Id).Select(current.Get).OfType<Group>().Select(group => group.Name).Order(StringComparer.Ordinal);
    }

    /// <summary>Roles of the account and of its groups, as <c>ROLE:SCOPE</c>.</summary>
    private IEnumerable<string> RolesOf(DirectoryEntry account)
    {
        var current = policy.Current;
        return directory.Current.EffectiveGroups(account.Id).Prepend(account.Id)
            .SelectMany(id => current.BindingsOf(Subject.Entry(id)))
            .Select(binding => $"{current.GetRole(binding.RoleId)?.Name}:{binding.Scope}")
            .Distinct().Order(StringComparer.Ordinal);
    }

    private static void Write(Utf8JsonWriter writer, string name, string? value)
    {
        if (!string.IsNullOrEmpty(value))
            writer.WriteString(name, value);
    }
}

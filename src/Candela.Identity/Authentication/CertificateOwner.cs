using Candela.Identity.Accounts;
using Candela.Identity.Administration;
using Candela.Identity.Authorization;

namespace Candela.Identity.Authentication;

/// <summary>Accounts as owners of certificates: <c>user:ID</c>, <c>service-account:ID</c> or <c>machine:ID</c>. Whoever holds the key can sign in as the owner.</summary>
public static class CertificateOwner
{
    /// <summary>An account as owner.</summary>
    public static string Of(DirectoryEntry account) => $"{PermissionText.Of(AccessGuard.KindOf(account.Kind))}:{account.Id}";

    /// <summary>Id of the account that an owner is; null: it is none.</summary>
    public static Guid? AccountId(string owner)
    {
        foreach (var kind in new[] { EntryKind.User, EntryKind.ServiceAccount, EntryKind.Machine })
        {
            var prefix = $"{PermissionText.Of(AccessGuard.KindOf(kind))}:";
            if (owner.StartsWith(prefix, StringComparison.Ordinal) && Guid.TryParseExact(owner.AsSpan(prefix.Length), "D", out var id))
                return id;
        }

        return null;
    }
}

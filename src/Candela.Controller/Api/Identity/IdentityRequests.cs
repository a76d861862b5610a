using Candela.Controller.Api.Http;
using Candela.Identity.Accounts;
using Candela.Identity.Administration;
using Candela.Identity.Authentication;
using Candela.Identity.Authorization;
using Candela.Model;
using Candela.Model.Identity;
using Microsoft.AspNetCore.Http;

namespace Candela.Controller.Api.Identity;

/// <summary>What identity's handlers ask of requests.</summary>
internal static class IdentityRequests
{
    extension(HttpContext http)
    {
        /// <summary>Who calls.</summary>
        public Actor Actor => http.Caller.Actor;
    }

    /// <summary>An entry by name or id.</summary>
    public static EntryReference Reference(EntryKind kind, string reference, string? domain) => new(domain ?? Domain.SystemName, kind, ApiRequests.Unescape(reference));

    /// <summary>A scope; the system when there is none.</summary>
    public static ResourceScope Scope(string? text) => text is null ? ResourceScope.System
        : ResourceScope.TryParse(text, out var scope) ? scope
        : throw new CandelaException(ErrorCode.InvalidArgument, $"'{text}' is no scope: it must be like /, /tenants/T, /tenants/T/projects/P, or one of these with /KIND/ID");

    /// <summary>The entry after a change.</summary>
    public static User Change(User user, UpdateAccountRequest request) => Common(user, request) with
    {
        DisplayName = Text(user.DisplayName, request.DisplayName),
        GivenName = Text(user.GivenName, request.GivenName),
        Surname = Text(user.Surname, request.Surname),
        Mail = Text(user.Mail, request.Mail),
        Telephone = Text(user.Telephone, request.Telephone),
        Posix = user.Posix! with
        {
            UidNumber = request.UidNumber ?? user.Posix.UidNumber,
            GidNumber = request.GidNumber ?? user.Posix.GidNumber,
            HomeDirectory = request.HomeDirectory ?? user.Posix.HomeDirectory,
            LoginShell = request.LoginShell ?? user.Posix.LoginShell,
        },
    };

    /// <summary>The entry after a change.</summary>
    public static ServiceAccount Change(ServiceAccount account, UpdateAccountRequest request)
    {
        CheckNoPerson(request.GivenName, request.Surname, request.Mail, request.Telephone, request.UidNumber, request.GidNumber, request.HomeDirectory, request.LoginShell);
        return Common(account, request) with { DisplayName = Text(account.DisplayName, request.DisplayName) };
    }

    /// <summary>The group after a change.</summary>
    public static Group Change(Group group, UpdateGroupRequest request) => group with
    {
        Name = request.Name ?? group.Name,
        Description = Text(group.Description, request.Description),
        GidNumber = request.GidNumber ?? group.GidNumber,
        Enabled = request.Enabled ?? group.Enabled,
    };

    /// <summary>The domain after a change.</summary>
    public static Domain Change(Domain domain, UpdateDomainRequest request) => domain with
    {
        Description = Text(domain.Description, request.Description),
        Enabled = request.Enabled ?? domain.Enabled,
        PasswordPolicy = request.PasswordPolicy is { } policy ? Change(domain.PasswordPolicy, policy) : domain.PasswordPolicy,
    };

    /// <summary>The role after a change.</summary>
    public static Role Change(Role role, UpdateRoleRequest request) => role with
    {
        Description = Text(role.Description, request.Description),
        Permissions = request.Permissions.Checked("permissions") ?? role.Permissions,
    };

    /// <summary>A user to be created.</summary>
    public static User User(Guid domainId, CreateAccountRequest request) => new()
    {
        DomainId = domainId,
        Name = request.Name,
        DisplayName = Text(null, request.DisplayName),
        GivenName = Text(null, request.GivenName),
        Surname = Text(null, request.Surname),
        Mail = Text(null, request.Mail),
        Telephone = Text(null, request.Telephone),
        Description = Text(null, request.Description),
        Attributes = request.Attributes ?? new Dictionary<string, IReadOnlyList<string>>(),
        Posix = new PosixAccount
        {
            UidNumber = request.UidNumber ?? 0,
            GidNumber = request.GidNumber ?? 0,
            HomeDirectory = request.HomeDirectory ?? "",
            LoginShell = request.LoginShell ?? new PosixAccount().LoginShell,
        },
    };

    /// <summary>A service account to be created.</summary>
    public static ServiceAccount ServiceAccount(Guid domainId, CreateAccountRequest request)
    {
        CheckNoPerson(request.GivenName, request.Surname, request.Mail, request.Telephone, request.UidNumber, request.GidNumber, request.HomeDirectory, request.LoginShell);
        return new ServiceAccount
        {
            DomainId = domainId,
            Name = request.Name,
            DisplayName = Text(null, request.DisplayName),
            Description = Text(null, request.Description),
            Attributes = request.Attributes ?? new Dictionary<string, IReadOnlyList<string>>(),
        };
    }

    private static T Common<T>(T entry, UpdateAccountRequest request)
        where T : DirectoryEntry => (T)(entry with
        {
            Name = request.Name ?? entry.Name,
            Description = Text(entry.Description, request.Description),
            Enabled = request.Enabled ?? entry.Enabled,
            Attributes = request.Attributes ?? entry.Attributes,
        });

    private static PasswordPolicy Change(PasswordPolicy policy, UpdatePasswordPolicyRequest request) => policy with
    {
        MinimumLength = request.MinimumLength ?? policy.MinimumLength,
        HistoryCount = request.HistoryCount ?? policy.HistoryCount,
        MaximumAgeDays = request.MaximumAgeDays switch { null => policy.MaximumAgeDays, 0 => null, var days => days },
        LockoutThreshold = request.LockoutThreshold ?? policy.LockoutThreshold,
        LockoutSeconds = request.LockoutSeconds ?? policy.LockoutSeconds,
        LockoutMaximumSeconds = request.LockoutMaximumSeconds ?? policy.LockoutMaximumSeconds,
        FailureWindowSeconds = request.FailureWindowSeconds ?? policy.FailureWindowSeconds,
    };

    /// <summary>Absent: stays; empty: goes.</summary>
    private static string? Text(string? present, string? given) => given is null ? present : given.Length == 0 ? null : given;

    private static void CheckNoPerson(params ReadOnlySpan<object?> given)
    {
        foreach (var one in given)
        {
            if (one is not null)
                throw new CandelaException(ErrorCode.InvalidArgument, "a service account has a name, displayName, description and attributes only");
        }
    }
}

using Candela.Identity.Accounts;
using Candela.Identity.Administration;
using Candela.Identity.Authentication;
using Candela.Identity.Authorization;
using Candela.Identity.Ldif;
using Candela.Model.Identity;

namespace Candela.Controller.Api.Identity;

/// <summary>Identity's nouns as bodies of the REST API.</summary>
internal sealed class IdentityReports(IDirectory directory, IAccessPolicy policy, PolicyAdministration administration)
{
    public DomainReport Of(Domain domain) => new()
    {
        Id = domain.Id,
        Name = domain.Name,
        Tenant = domain.Tenant,
        Description = domain.Description,
        Enabled = domain.Enabled,
        PasswordPolicy = Of(domain.PasswordPolicy),
        UserCount = directory.Current.Count(domain.Id, EntryKind.User),
        GroupCount = directory.Current.Count(domain.Id, EntryKind.Group),
        ServiceAccountCount = directory.Current.Count(domain.Id, EntryKind.ServiceAccount),
        CreatedAt = domain.CreatedAt,
        Revision = domain.Revision,
    };

    public AccountReport OfAccount(DirectoryEntry account)
    {
        var user = account as User;
        return new AccountReport
        {
            Id = account.Id,
            Domain = DomainName(account),
            Name = account.Name,
            DisplayName = user?.DisplayName ?? (account as ServiceAccount)?.DisplayName,
            GivenName = user?.GivenName,
            Surname = user?.Surname,
            Mail = user?.Mail,
            Telephone = user?.Telephone,
            UidNumber = user?.Posix?.UidNumber,
            GidNumber = user?.Posix?.GidNumber,
            HomeDirectory = user?.Posix?.HomeDirectory,
            LoginShell = user?.Posix?.LoginShell,
            Description = account.Description,
            Enabled = account.Enabled,
            Attributes = account.Attributes.Count > 0 ? account.Attributes : null,
            Groups = GroupNames(account),
            CreatedAt = account.CreatedAt,
            ModifiedAt = account.ModifiedAt,
            Revision = account.Revision,
        };
    }

    public GroupReport Of(Group group) => new()
    {
        Id = group.Id,
        Domain = DomainName(group),
        Name = group.Name,
        Description = group.Description,
        GidNumber = group.GidNumber,
        Enabled = group.Enabled,
        MemberCount = directory.Current.MembersOf(group.Id).Count,
        Groups = GroupNames(group),
        CreatedAt = group.CreatedAt,
        ModifiedAt = group.ModifiedAt,
        Revision = group.Revision,
    };

    public MemberReport OfMember(DirectoryEntry member) => new(administration.Describe(Subject.Entry(member.Id)), member.Id, member.Enabled);

    public BindingReport Of(RoleBinding binding) => new()
    {
        Id = binding.Id,
        Subject = administration.Describe(binding.Subject),
        SubjectId = binding.Subject.ToString(),
        Role = policy.Current.GetRole(binding.RoleId)?.Name ?? binding.RoleId.ToString(),
        Scope = binding.Scope.ToString(),
        CreatedAt = binding.CreatedAt,
    };

    public static RoleReport Of(Role role) => new()
    {
        Id = role.Id,
        Name = role.Name,
        Tenant = role.Tenant,
        Description = role.Description,
        Permissions = role.Permissions,
        BuiltIn = role.BuiltIn,
        Revision = role.Revision,
    };

    /// <param name="decision">The decision; null: a user of this host, who may do everything.</param>
    public static DecisionReport Of(Decision? decision) => decision is null
        ? new DecisionReport { Allowed = true, Explanation = "allowed: who may use the daemon's socket on this host may do everything" }
        : new DecisionReport
        {
            Allowed = decision.Allowed,
            Explanation = decision.Explanation,
            BindingId = decision.Binding?.Id,
            Role = decision.Role?.Name,
            Scope = decision.Binding?.Scope.ToString(),
            Group = decision.Via?.Name,
        };

    public static CredentialReport Of(CredentialStatus status) => new()
    {
        HasPassword = status.HasPassword,
        PasswordChangedAt = status.PasswordChangedAt,
        MustChangePassword = status.MustChangePassword,
        HasSecondFactor = status.HasTotp,
        RecoveryCodeCount = status.RecoveryCodeCount,
        LockedUntil = status.LockedUntil,
    };

    public static ImportReport Of(LdifImport import) => new(import.CreatedCount, import.ExistingCount, import.MembershipCount, import.Problems);

    private static PasswordPolicyReport Of(PasswordPolicy policy) => new()
    {
        MinimumLength = policy.MinimumLength,
        HistoryCount = policy.HistoryCount,
        MaximumAgeDays = policy.MaximumAgeDays,
        LockoutThreshold = policy.LockoutThreshold,
        LockoutSeconds = policy.LockoutSeconds,
        LockoutMaximumSeconds = policy.LockoutMaximumSeconds,
        FailureWindowSeconds = policy.FailureWindowSeconds,
    };

    private string DomainName(DirectoryEntry entry) => directory.Current.GetDomain(entry.DomainId)?.Name ?? entry.DomainId.ToString();

    private string[] GroupNames(DirectoryEntry entry)
    {
        var current = directory.Current;
        return [.. current.EffectiveGroups(entry.Id).Select(id => current.Get(id)?.Name).OfType<string>().Order(EntryName.Comparer)];
    }
}

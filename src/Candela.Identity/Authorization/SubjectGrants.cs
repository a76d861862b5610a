using Candela.Identity.Accounts;

namespace Candela.Identity.Authorization;

/// <summary>All that a subject has, of itself and through groups, at one revision.</summary>
/// <param name="Refusal">Why nothing is allowed to it whatever it has; null: it may have what is granted.</param>
/// <param name="Grants">What it has.</param>
internal sealed record SubjectGrants(DecisionReason? Refusal, Grant[] Grants)
{
    public static SubjectGrants Compile(DirectorySnapshot directory, PolicySnapshot policy, Subject subject)
    {
        var grants = new List<Grant>();
        AddTo(grants, policy, subject, via: null);
        if (subject.IsWorkload)
        {
            AddTo(grants, policy, Subject.AnyWorkload(subject.Tenant!, subject.Project!), via: null);
            return new SubjectGrants(subject.IsAnyWorkload ? DecisionReason.UnknownSubject : null, [.. grants]);
        }

        if (directory.Get(subject.EntryId) is not { } entry)
            return new SubjectGrants(DecisionReason.UnknownSubject, []);
        foreach (var groupId in directory.EffectiveGroups(entry.Id))
            AddTo(grants, policy, Subject.Entry(groupId), directory.Get<Group>(groupId));
        DecisionReason? refusal = entry is Group ? DecisionReason.UnknownSubject
            : !entry.Enabled || directory.GetDomain(entry.DomainId) is not { Enabled: true } ? DecisionReason.Disabled
            : null;
        return new SubjectGrants(refusal, [.. grants]);
    }

    /// <summary>The first grant of a permission at a scope; null: none.</summary>
    public Grant? Find(Permission permission, ResourceScope scope)
    {
        foreach (var grant in Grants)
        {
            if (grant.Permissions.Contains(permission) && grant.Binding.Scope.Contains(scope))
                return grant;
        }

        return null;
    }

    /// <summary>All permissions at a scope.</summary>
    public PermissionSet At(ResourceScope scope) => PermissionSet.Union(Grants.Where(grant => grant.Binding.Scope.Contains(scope)).Select(grant => grant.Permissions));

    private static void AddTo(List<Grant> grants, PolicySnapshot policy, Subject subject, Group? via)
    {
        foreach (var binding in policy.BindingsOf(subject))
        {
            // A pattern that this version does not know allows nothing: a newer controller wrote it.
            if (policy.GetRole(binding.RoleId) is { } role && PermissionSet.TryParse(role.Permissions) is { } permissions)
                grants.Add(new Grant(binding, role, permissions, via));
        }
    }
}

/// <summary>What one binding gives.</summary>
/// <param name="Binding">The binding.</param>
/// <param name="Role">Its role.</param>
/// <param name="Permissions">The role's permissions.</param>
/// <param name="Via">Group that is bound; null: the subject itself.</param>
internal sealed record Grant(RoleBinding Binding, Role Role, PermissionSet Permissions, Group? Via);

using Candela.Identity.Storage;

namespace Candela.Identity.Authorization;

/// <summary>Decides by the replica of the directory and the policy.</summary>
internal sealed class Authorizer(IdentityReplica replica) : IAuthorizer
{
    public ValueTask<Decision> DecideAsync(Subject subject, Permission permission, ResourceScope scope, CancellationToken cancellationToken) =>
        WhenFreshAsync(identity => Decide(identity, subject, permission, scope), permission, scope, cancellationToken);

    public ValueTask<Decision> DecideGrantAsync(Subject subject, Role role, ResourceScope scope, CancellationToken cancellationToken) =>
        WhenFreshAsync(identity => DecideGrant(identity, subject, role, scope), default, scope, cancellationToken);

    public ValueTask<Decision> DecideCoverAsync(Subject subject, Subject other, CancellationToken cancellationToken) =>
        WhenFreshAsync(identity => DecideCover(identity, subject, other), default, ResourceScope.System, cancellationToken);

    private static Decision Decide(IdentitySnapshot identity, Subject subject, Permission permission, ResourceScope scope)
    {
        var grants = identity.GrantsOf(subject);
        if (grants.Refusal is { } refusal)
            return new Decision(false, refusal, permission, scope);
        return grants.Find(permission, scope) is { } grant
            ? new Decision(true, DecisionReason.Binding, permission, scope, grant.Binding, grant.Role, grant.Via)
            : new Decision(false, DecisionReason.NoBinding, permission, scope);
    }

    private static Decision DecideGrant(IdentitySnapshot identity, Subject subject, Role role, ResourceScope scope)
    {
        var grants = identity.GrantsOf(subject);
        if (grants.Refusal is { } refusal)
            return new Decision(false, refusal, default, scope);
        return PermissionSet.TryParse(role.Permissions) is not { } wanted
            ? throw new ArgumentException("The role has a permission that is none.", nameof(role))
            : wanted.FirstBeyond(grants.At(scope)) is { } missing
            ? new Decision(false, DecisionReason.BeyondOwnRights, missing, scope)
            : new Decision(true, DecisionReason.WithinOwnRights, default, scope);
    }

    private static Decision DecideCover(IdentitySnapshot identity, Subject subject, Subject other)
    {
        var grants = identity.GrantsOf(subject);
        if (grants.Refusal is { } refusal)
            return new Decision(false, refusal, default, ResourceScope.System);
        foreach (var grant in identity.GrantsOf(other).Grants)
        {
            if (grant.Permissions.FirstBeyond(grants.At(grant.Binding.Scope)) is { } missing)
                return new Decision(false, DecisionReason.BeyondOwnRights, missing, grant.Binding.Scope);
        }

        return new Decision(true, DecisionReason.WithinOwnRights, default, ResourceScope.System);
    }

    private ValueTask<Decision> WhenFreshAsync(Func<IdentitySnapshot, Decision> decide, Permission permission, ResourceScope scope, CancellationToken cancellationToken) =>
        replica.IsFresh ? new ValueTask<Decision>(decide(replica.Current)) : ConfirmAsync(decide, permission, scope, cancellationToken);

    private async ValueTask<Decision> ConfirmAsync(Func<IdentitySnapshot, Decision> decide, Permission permission, ResourceScope scope, CancellationToken cancellationToken) =>
        await replica.ConfirmAsync(cancellationToken) ? decide(replica.Current) : new Decision(false, DecisionReason.Stale, permission, scope);
}

using Candela.Model;

namespace Candela.Identity.Authorization;

/// <summary>
/// Roles and bindings. Reading is done on <see cref="Current"/>; each change is one transaction of the state store. Says nothing about who may
/// make the change: that is the caller's to ask (<see cref="IAuthorizer.DecideGrantAsync"/>). Failures are <see cref="CandelaException"/>s.
/// </summary>
public interface IAccessPolicy
{
    /// <summary>Roles and bindings as they are now.</summary>
    PolicySnapshot Current { get; }

    /// <summary>Makes a role.</summary>
    /// <exception cref="CandelaException">InvalidArgument; AlreadyExists.</exception>
    Task<Role> CreateRoleAsync(Role role, CancellationToken cancellationToken);

    /// <summary>Changes a role's description and permissions.</summary>
    /// <exception cref="CandelaException">InvalidArgument; NotFound; Conflict: it was changed meanwhile, or is built in.</exception>
    Task<Role> UpdateRoleAsync(Role role, CancellationToken cancellationToken);

    /// <summary>Removes a role.</summary>
    /// <exception cref="CandelaException">NotFound; Conflict: it is bound, or built in.</exception>
    Task DeleteRoleAsync(Guid id, CancellationToken cancellationToken);

    /// <summary>Gives a role.</summary>
    /// <returns>The binding; the one that was there, if subject, role and scope are the same.</returns>
    /// <exception cref="CandelaException">
    /// NotFound: no such role or account; InvalidArgument: a tenant's account, workload or role outside of its tenant.
    /// </exception>
    Task<RoleBinding> BindAsync(RoleBinding binding, CancellationToken cancellationToken);

    /// <summary>Takes a binding away.</summary>
    /// <exception cref="CandelaException">NotFound.</exception>
    Task UnbindAsync(Guid id, CancellationToken cancellationToken);

    /// <summary>
    /// Takes away all bindings at a scope and within it, and a removed tenant's roles: to be called when a tenant, project or resource has been
    /// removed, so that one of the same name inherits nothing.
    /// </summary>
    Task RemoveScopeAsync(ResourceScope scope, CancellationToken cancellationToken);
}

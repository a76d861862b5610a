using Candela.Identity.Accounts;
using Candela.Identity.Authorization;
using Candela.Model;

namespace Candela.Identity.Administration;

/// <summary>
/// Roles and bindings as an actor may see and change them: every call asks whether the actor may, and is kept in the audit log. Nobody can give
/// out more than they have. The way for front ends. Failures are <see cref="CandelaException"/>s, PermissionDenied among them.
/// </summary>
public sealed class PolicyAdministration
{
    private readonly IDirectory _directory;
    private readonly IAccessPolicy _policy;
    private readonly IAuthorizer _authorizer;
    private readonly AccessGuard _guard;

    internal PolicyAdministration(IDirectory directory, IAccessPolicy policy, IAuthorizer authorizer, AccessGuard guard)
    {
        _directory = directory;
        _policy = policy;
        _authorizer = authorizer;
        _guard = guard;
    }

    /// <summary>Roles that can be given in a tenant, or with null those for everywhere; by name.</summary>
    public Task<IReadOnlyList<Role>> ListRolesAsync(Actor actor, string? tenant, CancellationToken cancellationToken) => _guard.RunAsync(actor, "role.list", tenant ?? "", async () =>
    {
        await _guard.RequireAsync(actor, ResourceKind.Role, Verb.List, ScopeOf(tenant), cancellationToken);
        return (IReadOnlyList<Role>)[.. _policy.Current.Roles.Where(role => role.Tenant is null || role.Tenant == tenant).OrderBy(role => role.Name, StringComparer.Ordinal)];
    });

    /// <summary>One role by name.</summary>
    public Task<Role> GetRoleAsync(Actor actor, string? tenant, string name, CancellationToken cancellationToken) => _guard.RunAsync(actor, "role.get", name, async () =>
    {
        await _guard.RequireAsync(actor, ResourceKind.Role, Verb.Get, ScopeOf(tenant), cancellationToken);
        return FindRole(tenant, name);
    });

    /// <summary>Makes a role.</summary>
    public Task<Role> CreateRoleAsync(Actor actor, Role role, CancellationToken cancellationToken) => _guard.RunAsync(actor, "role.create", role.Name, async () =>
    {
        await _guard.RequireAsync(actor, ResourceKind.Role, Verb.Create, ScopeOf(role.Tenant), cancellationToken);
        await RequireContentAsync(actor, role, cancellationToken);
        return await _policy.CreateRoleAsync(role, cancellationToken);
    });

    /// <summary>Changes a role's description and permissions, for all who have it.</summary>
    /// <param name="actor">Who.</param>
    /// <param name="tenant">Tenant of the role; null: for everywhere.</param>
    /// <param name="name">Name.</param>
    /// <param name="change">What.</param>
    /// <param name="expectedRevision">Revision that it must have; null: any.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    public Task<Role> UpdateRoleAsync(Actor actor, string? tenant, string name, Func<Role, Role> change, long? expectedRevision, CancellationToken cancellationToken) =>
        _guard.RunAsync(actor, "role.update", name, async () =>
        {
            var role = FindRole(tenant, name);
            await _guard.RequireAsync(actor, ResourceKind.Role, Verb.Update, ScopeOf(role.Tenant), cancellationToken);
            if (expectedRevision is { } expected && expected != role.Revision)
                throw new CandelaException(ErrorCode.Conflict, $"Somebody changed role {name} meanwhile: read it again, then repeat the change.");
            var changed = change(role);
            await RequireContentAsync(actor, changed, cancellationToken);
            return await _policy.UpdateRoleAsync(changed, cancellationToken);
        });

    /// <summary>Removes a role.</summary>
    public Task DeleteRoleAsync(Actor actor, string? tenant, string name, CancellationToken cancellationToken) => _guard.RunAsync(actor, "role.delete", name, async () =>
    {
        var role = FindRole(tenant, name);
        await _guard.RequireAsync(actor, ResourceKind.Role, Verb.Delete, ScopeOf(role.Tenant), cancellationToken);
        await _policy.DeleteRoleAsync(role.Id, cancellationToken);
    });

    /// <summary>Bindings at a scope and within it.</summary>
    /// <param name="actor">Who.</param>
    /// <param name="scope">Scope.</param>
    /// <param name="subject">Only this subject's own; null: everybody's.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    public Task<IReadOnlyList<RoleBinding>> ListBindingsAsync(Actor actor, ResourceScope scope, Subject? subject, CancellationToken cancellationToken) =>
        _guard.RunAsync(actor, "binding.list", $"{scope}", async () =>
        {
            await _guard.RequireAsync(actor, ResourceKind.Binding, Verb.List, scope, cancellationToken);
            var bindings = subject is { } one ? _policy.Current.BindingsOf(one) : _policy.Current.Bindings;
            return (IReadOnlyList<RoleBinding>)[.. bindings.Where(binding => scope.Contains(binding.Scope)).OrderBy(binding => binding.CreatedAt).ThenBy(binding => binding.Id)];
        });

    /// <summary>Gives a role.</summary>
    public Task<RoleBinding> CreateBindingAsync(Actor actor, Subject subject, string roleName, ResourceScope scope, CancellationToken cancellationToken) =>
        _guard.RunAsync(actor, "binding.create", $"{roleName} {subject} {scope}", async () =>
        {
            await _guard.RequireAsync(actor, ResourceKind.Binding, Verb.Create, scope, cancellationToken);
            var role = FindRole(scope.TenantName, roleName);
            await _guard.RequireGrantAsync(actor, role, scope, cancellationToken);
            return await _policy.BindAsync(new RoleBinding { Subject = subject, RoleId = role.Id, Scope = scope }, cancellationToken);
        });

    /// <summary>Takes a binding away.</summary>
    public Task DeleteBindingAsync(Actor actor, Guid id, CancellationToken cancellationToken) => _guard.RunAsync(actor, "binding.delete", $"{id}", async () =>
    {
        var binding = _policy.Current.GetBinding(id);
        // Whether it exists is for those to know who may do this anywhere.
        await _guard.RequireAsync(actor, ResourceKind.Binding, Verb.Delete, binding?.Scope ?? ResourceScope.System, cancellationToken);
        await _policy.UnbindAsync(id, cancellationToken);
    });

    /// <summary>Whether somebody may do something.</summary>
    /// <param name="actor">Who asks.</param>
    /// <param name="subject">Whom it is about; null: the actor.</param>
    /// <param name="permission">What.</param>
    /// <param name="scope">Where.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>The decision; null: the actor is a user of this host who may do everything.</returns>
    public Task<Decision?> DecideAsync(Actor actor, Subject? subject, Permission permission, ResourceScope scope, CancellationToken cancellationToken) =>
        _guard.RunAsync(actor, "policy.decide", $"{subject} {permission} {scope}", async () =>
        {
            if (subject is { } other && other != actor.Subject)
                await _guard.RequireAsync(actor, ResourceKind.Binding, Verb.List, scope, cancellationToken);
            return (subject ?? actor.Subject) is { } whom ? await _authorizer.DecideAsync(whom, permission, scope, cancellationToken) : null;
        });

    /// <summary>A subject as people write it.</summary>
    /// <param name="text">
    /// <c>user:NAME@DOMAIN</c>, likewise <c>group:</c>, <c>service-account:</c> and <c>machine:</c>, or a <see cref="Subject"/>'s text form.
    /// </param>
    /// <exception cref="CandelaException">InvalidArgument; NotFound.</exception>
    public Subject FindSubject(string text)
    {
        if (Subject.TryParse(text, out var subject))
            return subject;
        var current = _directory.Current;
        foreach (var kind in Enum.GetValues<EntryKind>())
        {
            var prefix = Prefix(kind);
            if (!text.StartsWith(prefix, StringComparison.Ordinal))
                continue;
            var name = Authentication.LoginName.Parse(text[prefix.Length..]);
            return current.FindDomain(name.Domain) is { } domain && current.Find(domain.Id, kind, name.Name) is { } entry
                ? Subject.Entry(entry.Id)
                : throw new CandelaException(ErrorCode.NotFound, $"No such subject: {text}");
        }

        throw new CandelaException(ErrorCode.InvalidArgument, $"'{text}' is no subject: it must be like user:ada@acme, group:developers@acme, service-account:ci@acme or workload:acme/web/api");
    }

    /// <summary>A subject as people read it.</summary>
    public string Describe(Subject subject)
    {
        var current = _directory.Current;
        return !subject.IsWorkload && current.Get(subject.EntryId) is { } entry && current.GetDomain(entry.DomainId) is { } domain
            ? $"{Prefix(entry.Kind)}{entry.Name}@{domain.Name}"
            : subject.ToString();
    }

    private static string Prefix(EntryKind kind) => new Permission(AccessGuard.KindOf(kind), default).ToString().Split(':')[0] + ":";

    private static ResourceScope ScopeOf(string? tenant) => tenant is null ? ResourceScope.System
        : ResourceScope.TryParse($"/tenants/{tenant}", out var scope) && scope.TenantName == tenant ? scope
        : throw new CandelaException(ErrorCode.InvalidArgument, $"'{tenant}' is no tenant's name");

    private Role FindRole(string? tenant, string name) => _policy.Current.FindRole(tenant, name) ?? throw new CandelaException(ErrorCode.NotFound, $"No such role: {name}");

    /// <summary>The actor has all that the role is to allow, wherever the role can be bound.</summary>
    private async Task RequireContentAsync(Actor actor, Role role, CancellationToken cancellationToken)
    {
        // What is no permission at all is for the policy to refuse.
        if (PermissionSet.TryParse(role.Permissions) is not null)
            await _guard.RequireGrantAsync(actor, role, ScopeOf(role.Tenant), cancellationToken);
    }
}

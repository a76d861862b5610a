using System.Collections.Immutable;

namespace Candela.Identity.Authorization;

/// <summary>Roles and bindings at one revision; never changes.</summary>
public sealed class PolicySnapshot
{
    internal static readonly PolicySnapshot Empty = new(
        ImmutableDictionary<Guid, Role>.Empty, ImmutableDictionary<Guid, RoleBinding>.Empty, ImmutableDictionary<Subject, ImmutableHashSet<Guid>>.Empty);

    private readonly ImmutableDictionary<Guid, Role> _roles;
    private readonly ImmutableDictionary<Guid, RoleBinding> _bindings;
    private readonly ImmutableDictionary<Subject, ImmutableHashSet<Guid>> _bySubject;

    internal PolicySnapshot(
        ImmutableDictionary<Guid, Role> roles, ImmutableDictionary<Guid, RoleBinding> bindings, ImmutableDictionary<Subject, ImmutableHashSet<Guid>> bySubject)
    {
        _roles = roles;
        _bindings = bindings;
        _bySubject = bySubject;
    }

    /// <summary>All roles: the built-in ones, then the others in no order.</summary>
    public IEnumerable<Role> Roles => BuiltInRoles.All.Concat(_roles.Values);

    /// <summary>All bindings, in no order.</summary>
    public IEnumerable<RoleBinding> Bindings => _bindings.Values;

    /// <summary>A role by id.</summary>
    public Role? GetRole(Guid id) => BuiltInRoles.Get(id) ?? _roles.GetValueOrDefault(id);

    /// <summary>A role by name: built in, or the tenant's, or one for everywhere.</summary>
    public Role? FindRole(string? tenant, string name) =>
        BuiltInRoles.Find(name) ??
        (tenant is null ? null : _roles.Values.FirstOrDefault(role => role.Tenant == tenant && role.Name == name)) ??
        _roles.Values.FirstOrDefault(role => role.Tenant is null && role.Name == name);

    /// <summary>A binding by id.</summary>
    public RoleBinding? GetBinding(Guid id) => _bindings.GetValueOrDefault(id);

    /// <summary>Bindings that name exactly this subject.</summary>
    public IEnumerable<RoleBinding> BindingsOf(Subject subject) => _bySubject.TryGetValue(subject, out var ids) ? ids.Select(id => _bindings[id]) : [];

    internal PolicySnapshot With(Role role) => new(_roles.SetItem(role.Id, role), _bindings, _bySubject);

    internal PolicySnapshot WithoutRole(Guid id) => new(_roles.Remove(id), _bindings, _bySubject);

    internal PolicySnapshot With(RoleBinding binding)
    {
        var without = WithoutBinding(binding.Id);
        return new(
            _roles,
            without._bindings.SetItem(binding.Id, binding),
            without._bySubject.SetItem(binding.Subject, without._bySubject.GetValueOrDefault(binding.Subject, []).Add(binding.Id)));
    }

    internal PolicySnapshot WithoutBinding(Guid id)
    {
        if (!_bindings.TryGetValue(id, out var binding))
            return this;
        var rest = _bySubject[binding.Subject].Remove(id);
        return new(_roles, _bindings.Remove(id), rest.IsEmpty ? _bySubject.Remove(binding.Subject) : _bySubject.SetItem(binding.Subject, rest));
    }
}

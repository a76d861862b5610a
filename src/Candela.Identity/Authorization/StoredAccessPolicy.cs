using System.Security.Cryptography;
using System.Text;
using Candela.Identity.Accounts;
using Candela.Identity.Storage;
using Candela.Model;
using Candela.State;

namespace Candela.Identity.Authorization;

/// <summary>Roles and bindings in the state store.</summary>
internal sealed class StoredAccessPolicy(DirectoryWriter writer, IdentityReplica replica, TimeProvider time) : IAccessPolicy
{
    /// <summary>How often a change is tried again that met another one.</summary>
    private const int AttemptCount = 16;

    public PolicySnapshot Current => replica.Current.Policy;

    public async Task<Role> CreateRoleAsync(Role role, CancellationToken cancellationToken)
    {
        Check(role);
        var now = time.GetUtcNow();
        role = role with { Id = Guid.CreateVersion7(now), CreatedAt = now, ModifiedAt = now };
        var name = IdentityKeys.RoleName(role.Tenant, role.Name);
        var (failed, revision) = await writer.TryCommitAsync(
            new StateTransaction().Expect(name, 0).Put(name, Encoding.ASCII.GetBytes($"{role.Id}")).Put(IdentityKeys.Role(role.Id), PolicyCodec.Encode(role)), cancellationToken);
        return failed is null ? role with { Revision = revision } : throw new CandelaException(ErrorCode.AlreadyExists, $"Role {role.Name} exists already: choose another name.");
    }

    public async Task<Role> UpdateRoleAsync(Role role, CancellationToken cancellationToken)
    {
        var former = GetCustomRole(role.Id);
        Check(role);
        if (former.Name != role.Name || former.Tenant != role.Tenant)
            throw new CandelaException(ErrorCode.InvalidArgument, "A role keeps its name and its tenant: make a new one instead.");
        role = role with { CreatedAt = former.CreatedAt, ModifiedAt = time.GetUtcNow() };
        var key = IdentityKeys.Role(role.Id);
        var (failed, revision) = await writer.TryCommitAsync(new StateTransaction().Expect(key, role.Revision).Put(key, PolicyCodec.Encode(role)), cancellationToken);
        return failed is null
            ? role with { Revision = revision }
            : throw new CandelaException(ErrorCode.Conflict, $"Somebody changed role {role.Name} meanwhile: read it again, then repeat the change.");
    }

    public async Task DeleteRoleAsync(Guid id, CancellationToken cancellationToken)
    {
        for (int attempt = 0; attempt < AttemptCount; attempt++)
        {
            // The links first: a binding that is made after this makes the transaction fail.
            var links = await writer.RevisionAsync(IdentityKeys.Links(id), cancellationToken);
            await replica.RefreshAsync(cancellationToken);
            var role = GetCustomRole(id);
            if (Current.Bindings.Count(binding => binding.RoleId == id) is > 0 and var count)
                throw new CandelaException(ErrorCode.Conflict, $"Role {role.Name} is given in {count} bindings: remove them first.");
            var transaction = new StateTransaction()
                .Expect(IdentityKeys.Links(id), links)
                .Expect(IdentityKeys.Role(id), role.Revision)
                .Delete(IdentityKeys.Role(id))
                .Delete(IdentityKeys.Links(id))
                .Delete(IdentityKeys.RoleName(role.Tenant, role.Name));
            if ((await writer.TryCommitAsync(transaction, cancellationToken)).FailedKey is null)
                return;
        }

        throw Busy();
    }

    public async Task<RoleBinding> BindAsync(RoleBinding binding, CancellationToken cancellationToken)
    {
        binding = binding with { Id = IdOf(binding), CreatedAt = time.GetUtcNow() };
        for (int attempt = 0; attempt < AttemptCount; attempt++)
        {
            var identity = replica.Current;
            if (identity.Policy.GetBinding(binding.Id) is { } there)
                return there;
            var transaction = Compose(identity, binding);
            if ((await writer.TryCommitAsync(transaction, cancellationToken)).FailedKey is null)
                return binding;
        }

        throw Busy();
    }

    public async Task UnbindAsync(Guid id, CancellationToken cancellationToken)
    {
        var key = IdentityKeys.Binding(id);
        for (int attempt = 0; attempt < AttemptCount; attempt++)
        {
            long revision = await writer.RevisionAsync(key, cancellationToken);
            if (revision == 0)
                throw new CandelaException(ErrorCode.NotFound, $"No such binding: {id}");
            if ((await writer.TryCommitAsync(new StateTransaction().Expect(key, revision).Delete(key), cancellationToken)).FailedKey is null)
                return;
        }

        throw Busy();
    }

    public async Task RemoveScopeAsync(ResourceScope scope, CancellationToken cancellationToken)
    {
        if (scope == ResourceScope.System)
            throw new CandelaException(ErrorCode.InvalidArgument, "The system is not removed.");
        await replica.RefreshAsync(cancellationToken);
        var policy = Current;
        var keys = policy.Bindings.Where(binding => scope.Contains(binding.Scope)).Select(binding => IdentityKeys.Binding(binding.Id));
        if (scope is { ProjectName: null, Kind: null })
        {
            keys = keys.Concat(policy.Roles.Where(role => role.Tenant == scope.TenantName && !role.BuiltIn).SelectMany(role =>
                new[] { IdentityKeys.Role(role.Id), IdentityKeys.Links(role.Id), IdentityKeys.RoleName(role.Tenant, role.Name) }));
        }

        await writer.DeleteAsync(keys, cancellationToken);
    }

    /// <summary>The transaction that makes a binding, for who has more to do in it.</summary>
    /// <exception cref="CandelaException">NotFound; InvalidArgument.</exception>
    public static StateTransaction AddTo(StateTransaction transaction, RoleBinding binding) => transaction
        .Expect(IdentityKeys.Binding(binding.Id), 0)
        .Put(IdentityKeys.Binding(binding.Id), PolicyCodec.Encode(binding))
        .Put(IdentityKeys.Links(binding.RoleId), DirectoryWriter.Mark);

    /// <summary>The same subject, role and scope make the same id: there is no second binding of them. RFC 9562, 5.8.</summary>
    public static Guid IdOf(RoleBinding binding)
    {
        var bytes = SHA256.HashData(Encoding.UTF8.GetBytes($"{binding.Subject}\n{binding.RoleId}\n{binding.Scope}"))[..16];
        bytes[6] = (byte)((bytes[6] & 0x0f) | 0x80);
        bytes[8] = (byte)((bytes[8] & 0x3f) | 0x80);
        return new Guid(bytes, bigEndian: true);
    }

    private static StateTransaction Compose(IdentitySnapshot identity, RoleBinding binding)
    {
        var role = identity.Policy.GetRole(binding.RoleId) ?? throw new CandelaException(ErrorCode.NotFound, $"No such role: {binding.RoleId}");
        if (role.Tenant is not null && role.Tenant != binding.Scope.TenantName)
            throw new CandelaException(ErrorCode.InvalidArgument, $"Role {role.Name} is for tenant {role.Tenant} only.");
        var transaction = new StateTransaction();
        string? tenant = binding.Subject.Tenant;
        if (!binding.Subject.IsWorkload)
        {
            var id = binding.Subject.EntryId;
            var entry = identity.Directory.Get(id) ?? throw new CandelaException(ErrorCode.NotFound, $"No such account or group: {id}");
            tenant = identity.Directory.GetDomain(entry.DomainId)?.Tenant;
            transaction.Expect(IdentityKeys.Entry(id), entry.Revision).Put(IdentityKeys.Links(id), DirectoryWriter.Mark);
        }

        if (tenant is not null && binding.Scope.TenantName != tenant)
            throw new CandelaException(ErrorCode.InvalidArgument, $"The subject is of tenant {tenant}: it can have rights in that tenant only, not at {binding.Scope}.");
        if (!role.BuiltIn)
            transaction.Expect(IdentityKeys.Role(role.Id), role.Revision);
        return AddTo(transaction, binding);
    }

    private static void Check(Role role)
    {
        if (role.Name.Length is 0 or > 63 || !char.IsAsciiLetterLower(role.Name[0]) || role.Name.Any(c => !char.IsAsciiLetterLower(c) && !char.IsAsciiDigit(c) && c != '-'))
            throw new CandelaException(ErrorCode.InvalidArgument, "A role's name has 1 to 63 of the characters a-z 0-9 - and begins with a letter: choose another one");
        if (BuiltInRoles.Find(role.Name) is not null)
            throw new CandelaException(ErrorCode.AlreadyExists, $"Role {role.Name} is built in: choose another name.");
        if (role.Tenant is { } tenant && (tenant.Length is 0 or > 128 || tenant.Contains('/', StringComparison.Ordinal)))
            throw new CandelaException(ErrorCode.InvalidArgument, $"'{tenant}' is no tenant's name");
        if (role.Description?.Length > AccountLimits.TextLength)
            throw new CandelaException(ErrorCode.InvalidArgument, $"the description has more than {AccountLimits.TextLength} characters");
        if (role.Permissions.Count is 0 or > Role.PatternCount)
            throw new CandelaException(ErrorCode.InvalidArgument, $"a role has 1 to {Role.PatternCount} permissions");
        foreach (var pattern in role.Permissions)
        {
            if (PermissionSet.TryParse([pattern]) is null)
                throw new CandelaException(ErrorCode.InvalidArgument, $"'{pattern}' is no permission: it must be like container:create, container:* or *:get");
        }
    }

    private static CandelaException Busy() => new(ErrorCode.Conflict, "Others change the same all the time: try again.");

    private Role GetCustomRole(Guid id)
    {
        var role = Current.GetRole(id) ?? throw new CandelaException(ErrorCode.NotFound, $"No such role: {id}");
        return role.BuiltIn ? throw new CandelaException(ErrorCode.Conflict, $"Role {role.Name} is built in and stays as it is: make a role of your own instead.") : role;
    }
}

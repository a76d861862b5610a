using System.Collections.Frozen;

namespace Candela.Identity.Authorization;

/// <summary>Roles that come with Candela. What they allow, they allow within the scope of their binding.</summary>
public static class BuiltInRoles
{
    /// <summary>Everything.</summary>
    public static readonly Role SystemAdmin = Make(1, "system-admin", "Everything", "*:*");

    /// <summary>All of a tenant: its accounts, roles, projects and what is in them. Not the tenant itself, its quota, or machines.</summary>
    public static readonly Role TenantAdmin = Make(
        2, "tenant-admin", "All of a tenant, but not its existence and quota",
        "tenant:get", "tenant:list", "quota:get", "quota:list", "project:*", "domain:get", "domain:list", "domain:update", "user:*", "group:*", "service-account:*", "role:*", "binding:*",
        "client:*", "certificate:*", "image:*", "container:*", "volume:*", "segment:*", "network-policy:*", "task:*", "event:*", "audit:get", "audit:list");

    /// <summary>All of a project and who may do what in it. Not the project's existence and quota.</summary>
    public static readonly Role ProjectAdmin = Make(
        3, "project-admin", "All of a project, but not its existence and quota",
        "project:get", "project:list", "project:update", "quota:get", "quota:list", "role:get", "role:list", "binding:*",
        "certificate:*", "image:*", "container:*", "volume:*", "segment:*", "network-policy:*", "task:*", "event:*", "audit:get", "audit:list");

    /// <summary>Builds and runs containers.</summary>
    public static readonly Role Developer = Make(
        4, "developer", "Images, containers and volumes",
        "project:get", "project:list", "quota:get", "quota:list", "image:*", "container:*", "volume:*", "segment:get", "segment:list", "network-policy:get", "network-policy:list",
        "certificate:get", "certificate:list", "task:*", "event:get", "event:list");

    /// <summary>Sees what there is; not what processes write, and not what is in them.</summary>
    public static readonly Role Viewer = Make(
        5, "viewer", "Sees resources, changes nothing, reads no logs",
        "tenant:get", "tenant:list", "project:get", "project:list", "quota:get", "quota:list", "image:get", "image:list", "container:get", "container:list", "volume:get", "volume:list",
        "segment:get", "segment:list", "network-policy:get", "network-policy:list", "certificate:get", "certificate:list", "task:get", "task:list", "event:get", "event:list");

    /// <summary>Sees everything that says who may do and who did what.</summary>
    public static readonly Role Auditor = Make(6, "auditor", "Sees all resources, accounts, rights and the audit log, changes nothing, reads no logs", "*:get", "*:list");

    private static readonly FrozenDictionary<Guid, Role> ById =
        new[] { SystemAdmin, TenantAdmin, ProjectAdmin, Developer, Viewer, Auditor }.ToFrozenDictionary(role => role.Id);

    /// <summary>All of them.</summary>
    public static IEnumerable<Role> All => ById.Values.OrderBy(role => role.Id);

    /// <summary>One by id.</summary>
    public static Role? Get(Guid id) => ById.GetValueOrDefault(id);

    /// <summary>One by name.</summary>
    public static Role? Find(string name) => ById.Values.FirstOrDefault(role => role.Name == name);

    // RFC 9562, 5.8: a UUID of our own making.
    private static Role Make(byte number, string name, string description, params string[] permissions) =>
        new() { Id = new Guid(0, 0, 0x8000, 0x80, 0, 0, 0, 0, 0, 0, number), Name = name, Description = description, Permissions = permissions };
}

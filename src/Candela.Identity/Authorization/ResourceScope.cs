using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Serialization;

namespace Candela.Identity.Authorization;

/// <summary>
/// Where something is, or how far a binding reaches: the system, a tenant, a project or one resource. In text: <c>/</c>,
/// <c>/tenants/T</c>, <c>/tenants/T/projects/P</c>, and any of these followed by <c>/KIND/ID</c>.
/// </summary>
[JsonConverter(typeof(ResourceScopeJsonConverter))]
public sealed record ResourceScope
{
    /// <summary>Longest text, characters.</summary>
    public const int TextLength = 700;

    /// <summary>Everything.</summary>
    public static readonly ResourceScope System = new(null, null, null, null);

    private ResourceScope(string? tenant, string? project, ResourceKind? kind, string? id)
    {
        TenantName = tenant;
        ProjectName = project;
        Kind = kind;
        Id = id;
    }

    /// <summary>Tenant; null: the system's own.</summary>
    public string? TenantName { get; }

    /// <summary>Project; null: the tenant's own.</summary>
    public string? ProjectName { get; }

    /// <summary>Kind of the one resource; null: all.</summary>
    public ResourceKind? Kind { get; }

    /// <summary>Id of the one resource; null: all.</summary>
    public string? Id { get; }

    /// <summary>A tenant with all that is in it.</summary>
    public static ResourceScope Tenant(string tenant) => new(Checked(tenant), null, null, null);

    /// <summary>A project with all that is in it.</summary>
    public static ResourceScope Project(string tenant, string project) => new(Checked(tenant), Checked(project), null, null);

    /// <summary>One resource here.</summary>
    public ResourceScope Resource(ResourceKind kind, string id) =>
        Kind is null ? new(TenantName, ProjectName, kind, Checked(id)) : throw new InvalidOperationException("A resource has no resources in it.");

    /// <summary>The other is this one or in it.</summary>
    public bool Contains(ResourceScope other) =>
        (TenantName is null || TenantName == other.TenantName) &&
        (ProjectName is null || ProjectName == other.ProjectName) &&
        (Kind is null || (Kind == other.Kind && Id == other.Id && TenantName == other.TenantName && ProjectName == other.ProjectName));

    /// <summary>Reads the text form.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, [NotNullWhen(true)] out ResourceScope? scope)
    {
        scope = null;
        if (text is null || text.Length > TextLength || !text.StartsWith('/'))
            return false;
        var parts = text.Length == 1 ? [] : text[1..].Split('/');
        if (parts.Any(part => !IsValid(part)))
            return false;
        var found = System;
        int at = 0;
        if (parts is ["tenants", var tenant, ..])
        {
            (found, at) = (Tenant(tenant), 2);
            if (parts is [_, _, "projects", var project, ..])
                (found, at) = (Project(tenant, project), 4);
        }

        if (parts.Length == at + 2 && PermissionText.Kind(parts[at]) is { } kind)
            (found, at) = (found.Resource(kind, parts[at + 1]), at + 2);
        if (at != parts.Length)
            return false;
        scope = found;
        return true;
    }

    /// <inheritdoc/>
    public override string ToString()
    {
        var text = TenantName is null ? "" : ProjectName is null ? $"/tenants/{TenantName}" : $"/tenants/{TenantName}/projects/{ProjectName}";
        if (Kind is { } kind)
            text += $"/{PermissionText.Of(kind)}/{Id}";
        return text.Length == 0 ? "/" : text;
    }

    private static bool IsValid(string part) => part.Length is > 0 and <= 128 && !part.AsSpan().ContainsAnyInRange('\0', ' ') && !part.Contains('/', StringComparison.Ordinal);

    private static string Checked(string part) => IsValid(part) ? part : throw new ArgumentException($"A part of a scope has 1 to 128 characters, none of them a space or a /: '{part}'", nameof(part));
}

namespace Candela.Model.Identity;

/// <summary>A named set of permissions.</summary>
public sealed record RoleReport
{
    /// <summary>Stable id.</summary>
    public required Guid Id { get; init; }

    /// <summary>Name.</summary>
    public required string Name { get; init; }

    /// <summary>Tenant that it is for; absent: everywhere.</summary>
    public string? Tenant { get; init; }

    /// <summary>What it is for.</summary>
    public string? Description { get; init; }

    /// <summary>Permissions, <c>KIND:VERB</c>, where either may be <c>*</c>.</summary>
    public required IReadOnlyList<string> Permissions { get; init; }

    /// <summary>It comes with Candela and cannot be changed.</summary>
    public required bool BuiltIn { get; init; }

    /// <summary>For updates that must not overwrite another one.</summary>
    public required long Revision { get; init; }
}

/// <summary>Creation of a role.</summary>
public sealed record CreateRoleRequest
{
    /// <summary>Name: letters in lower case, digits and <c>-</c>.</summary>
    public required string Name { get; init; }

    /// <summary>Tenant that it is for; absent: everywhere.</summary>
    public string? Tenant { get; init; }

    /// <summary>What it is for.</summary>
    public string? Description { get; init; }

    /// <summary>Permissions, <c>KIND:VERB</c>, where either may be <c>*</c>.</summary>
    public required IReadOnlyList<string> Permissions { get; init; }
}

/// <summary>Changes of a role: what is absent stays, an empty text takes away.</summary>
public sealed record UpdateRoleRequest
{
    /// <summary>What it is for.</summary>
    public string? Description { get; init; }

    /// <summary>All permissions in place of the present ones.</summary>
    public IReadOnlyList<string>? Permissions { get; init; }

    /// <summary>Revision that the role must have; absent: any.</summary>
    public long? Revision { get; init; }
}

/// <summary>A role given to somebody, somewhere.</summary>
public sealed record BindingReport
{
    /// <summary>Stable id.</summary>
    public required Guid Id { get; init; }

    /// <summary>Who, for example <c>group:developers@acme</c>.</summary>
    public required string Subject { get; init; }

    /// <summary>Who, by stable id: <c>entry:ID</c>, or a workload as above.</summary>
    public required string SubjectId { get; init; }

    /// <summary>Name of the role.</summary>
    public required string Role { get; init; }

    /// <summary>Where: <c>/</c>, <c>/tenants/T</c>, <c>/tenants/T/projects/P</c>, or one of these with <c>/KIND/ID</c>.</summary>
    public required string Scope { get; init; }

    /// <summary>When it was made.</summary>
    public required DateTimeOffset CreatedAt { get; init; }
}

/// <summary>Gives a role.</summary>
public sealed record CreateBindingRequest
{
    /// <summary>Who: <c>user:NAME@DOMAIN</c>, likewise <c>group:</c> and <c>service-account:</c>, or <c>workload:TENANT/PROJECT/NAME</c>.</summary>
    public required string Subject { get; init; }

    /// <summary>Name of the role.</summary>
    public required string Role { get; init; }

    /// <summary>Where; absent: the whole system.</summary>
    public string? Scope { get; init; }
}

/// <summary>Whether somebody may do something.</summary>
public sealed record DecisionReport
{
    /// <summary>Allowed.</summary>
    public required bool Allowed { get; init; }

    /// <summary>Why, in words.</summary>
    public required string Explanation { get; init; }

    /// <summary>The binding that allows it.</summary>
    public Guid? BindingId { get; init; }

    /// <summary>Its role.</summary>
    public string? Role { get; init; }

    /// <summary>Its scope.</summary>
    public string? Scope { get; init; }

    /// <summary>The group that it is a binding of; absent: of the subject itself.</summary>
    public string? Group { get; init; }
}

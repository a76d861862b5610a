using System.Text.Json.Serialization;

namespace Candela.Identity.Authorization;

/// <summary>A named set of permissions.</summary>
public sealed record Role
{
    /// <summary>Most patterns of a role.</summary>
    public const int PatternCount = 512;

    /// <summary>Stable id; all zeros in a role that is to be created.</summary>
    public Guid Id { get; init; }

    /// <summary>Name, unique in its tenant, and no built-in role's: letters in lower case, digits and <c>-</c>, at most 63.</summary>
    public required string Name { get; init; }

    /// <summary>Tenant that it is for; null: everywhere.</summary>
    public string? Tenant { get; init; }

    /// <summary>What it is for, in words.</summary>
    public string? Description { get; init; }

    /// <summary>Permissions, <c>KIND:VERB</c>, where either may be <c>*</c>.</summary>
    public IReadOnlyList<string> Permissions { get; init; } = [];

    /// <summary>When it was made.</summary>
    public DateTimeOffset CreatedAt { get; init; }

    /// <summary>When it was last changed.</summary>
    public DateTimeOffset ModifiedAt { get; init; }

    /// <summary>Revision of the state store that last changed it; an update names the one it starts from. 0: built in.</summary>
    [JsonIgnore]
    public long Revision { get; init; }

    /// <summary>It comes with Candela and cannot be changed.</summary>
    [JsonIgnore]
    public bool BuiltIn => BuiltInRoles.Get(Id) is not null;
}

/// <summary>Gives a role to somebody, somewhere.</summary>
public sealed record RoleBinding
{
    /// <summary>Stable id; all zeros in a binding that is to be created.</summary>
    public Guid Id { get; init; }

    /// <summary>Who: a <see cref="Authorization.Subject"/>; a group means all that are in it.</summary>
    public required Subject Subject { get; init; }

    /// <summary>The role.</summary>
    public required Guid RoleId { get; init; }

    /// <summary>Where.</summary>
    public required ResourceScope Scope { get; init; }

    /// <summary>When it was made.</summary>
    public DateTimeOffset CreatedAt { get; init; }
}

using System.Text.Json.Serialization;
using Candela.Identity.Authentication;

namespace Candela.Identity.Accounts;

/// <summary>A name space of accounts and groups: the system's own, or a tenant's.</summary>
public sealed record Domain
{
    /// <summary>Name of the domain of the platform's operators.</summary>
    public const string SystemName = "system";

    /// <summary>Stable id, never used again; all zeros in a domain that is to be created.</summary>
    public Guid Id { get; init; }

    /// <summary>Name: an RFC 1123 label in lower case, unique; never changes.</summary>
    public required string Name { get; init; }

    /// <summary>Tenant whose domain it is; null: the system domain.</summary>
    public string? Tenant { get; init; }

    /// <summary>What it is for, in words.</summary>
    public string? Description { get; init; }

    /// <summary>False: nobody of this domain is let in.</summary>
    public bool Enabled { get; init; } = true;

    /// <summary>What is asked of passwords.</summary>
    public PasswordPolicy PasswordPolicy { get; init; } = new();

    /// <summary>When it was made.</summary>
    public DateTimeOffset CreatedAt { get; init; }

    /// <summary>When it was last changed.</summary>
    public DateTimeOffset ModifiedAt { get; init; }

    /// <summary>Revision of the state store that last changed it; an update names the one it starts from.</summary>
    [JsonIgnore]
    public long Revision { get; init; }

    /// <summary>It is the system domain.</summary>
    [JsonIgnore]
    public bool IsSystem => Tenant is null;
}

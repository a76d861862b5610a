using System.Collections.Immutable;
using System.Text.Json.Serialization;

namespace Candela.Identity.Accounts;

/// <summary>What an entry of the directory is.</summary>
public enum EntryKind
{
    /// <summary>A person.</summary>
    User,

    /// <summary>A set of entries of the same domain, other groups among them.</summary>
    Group,

    /// <summary>A program that signs in from outside of the platform.</summary>
    ServiceAccount,

    /// <summary>A host of the platform.</summary>
    Machine,
}

/// <summary>An account or a group of a domain.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "kind")]
[JsonDerivedType(typeof(User), "user")]
[JsonDerivedType(typeof(Group), "group")]
[JsonDerivedType(typeof(ServiceAccount), "serviceAccount")]
[JsonDerivedType(typeof(MachineAccount), "machine")]
public abstract record DirectoryEntry
{
    /// <summary>Stable id (a UUID; LDAP's entryUUID, a token's subject), never used again; all zeros in an entry that is to be created.</summary>
    public Guid Id { get; init; }

    /// <summary>Domain; never changes.</summary>
    public required Guid DomainId { get; init; }

    /// <summary>
    /// Name, unique among all entries of the domain whatever their kind, without regard to case: see <see cref="EntryName"/>. May change;
    /// nothing but people should refer to an entry by it.
    /// </summary>
    public required string Name { get; init; }

    /// <summary>What it is for, in words; at most <see cref="AccountLimits.TextLength"/> characters.</summary>
    public string? Description { get; init; }

    /// <summary>False: an account is not let in, a group confers nothing.</summary>
    public bool Enabled { get; init; } = true;

    /// <summary>When it was made.</summary>
    public DateTimeOffset CreatedAt { get; init; }

    /// <summary>When it was last changed; membership counts as no change.</summary>
    public DateTimeOffset ModifiedAt { get; init; }

    /// <summary>
    /// Further attributes for LDAP (for example <c>title</c>, <c>sshpublickey</c>): names in lower case, values in the order given. Of those
    /// that have a property of their own, what there is beside the property's value; of a user's <c>cn</c>, what counts instead of the name that
    /// follows from the others.
    /// </summary>
    public IReadOnlyDictionary<string, IReadOnlyList<string>> Attributes { get; init; } = ImmutableDictionary<string, IReadOnlyList<string>>.Empty;

    /// <summary>Revision of the state store that last changed it; an update names the one it starts from.</summary>
    [JsonIgnore]
    public long Revision { get; init; }

    /// <summary>What it is.</summary>
    [JsonIgnore]
    public abstract EntryKind Kind { get; }
}

/// <summary>A person.</summary>
public sealed record User : DirectoryEntry
{
    /// <summary>Name as shown (LDAP cn, displayName); null: the given name and surname.</summary>
    public string? DisplayName { get; init; }

    /// <summary>Given name (RFC 4519, 2.12).</summary>
    public string? GivenName { get; init; }

    /// <summary>Surname (RFC 4519, 2.32).</summary>
    public string? Surname { get; init; }

    /// <summary>Mail address (RFC 4524, 2.16).</summary>
    public string? Mail { get; init; }

    /// <summary>Telephone number (RFC 4519, 2.35).</summary>
    public string? Telephone { get; init; }

    /// <summary>Unix account; null in a user that is to be created: one is allotted.</summary>
    public PosixAccount? Posix { get; init; }

    /// <inheritdoc/>
    [JsonIgnore]
    public override EntryKind Kind => EntryKind.User;
}

/// <summary>A user's Unix account (RFC 2307, 3: posixAccount).</summary>
public sealed record PosixAccount
{
    /// <summary>User number, unique in the domain; 0 in a user that is to be created: one is allotted that no other domain has.</summary>
    public uint UidNumber { get; init; }

    /// <summary>Number of the primary group; 0: the group that only this user is in, whose number is <see cref="UidNumber"/>.</summary>
    public uint GidNumber { get; init; }

    /// <summary>Home folder; empty: <c>/home/NAME</c>.</summary>
    public string HomeDirectory { get; init; } = "";

    /// <summary>Login shell.</summary>
    public string LoginShell { get; init; } = "/bin/bash";
}

/// <summary>A set of entries of the same domain. Members are kept apart: see <see cref="DirectorySnapshot.MembersOf"/>.</summary>
public sealed record Group : DirectoryEntry
{
    /// <summary>Group number (RFC 2307, 3: posixGroup), unique in the domain; 0 in a group that is to be created: one is allotted.</summary>
    public uint GidNumber { get; init; }

    /// <inheritdoc/>
    [JsonIgnore]
    public override EntryKind Kind => EntryKind.Group;
}

/// <summary>A program that signs in from outside of the platform (what runs in containers has workload identities).</summary>
public sealed record ServiceAccount : DirectoryEntry
{
    /// <summary>Name as shown; null: <see cref="DirectoryEntry.Name"/>.</summary>
    public string? DisplayName { get; init; }

    /// <inheritdoc/>
    [JsonIgnore]
    public override EntryKind Kind => EntryKind.ServiceAccount;
}

/// <summary>A host of the platform.</summary>
public sealed record MachineAccount : DirectoryEntry
{
    /// <inheritdoc/>
    [JsonIgnore]
    public override EntryKind Kind => EntryKind.Machine;
}

namespace Candela.Model.Identity;

/// <summary>A user or service account.</summary>
public sealed record AccountReport
{
    /// <summary>Stable id.</summary>
    public required Guid Id { get; init; }

    /// <summary>Domain.</summary>
    public required string Domain { get; init; }

    /// <summary>Name, unique in the domain.</summary>
    public required string Name { get; init; }

    /// <summary>Name as shown.</summary>
    public string? DisplayName { get; init; }

    /// <summary>Given name; users only, as all down to <see cref="LoginShell"/>.</summary>
    public string? GivenName { get; init; }

    /// <summary>Surname.</summary>
    public string? Surname { get; init; }

    /// <summary>Mail address.</summary>
    public string? Mail { get; init; }

    /// <summary>Telephone number.</summary>
    public string? Telephone { get; init; }

    /// <summary>Unix user number.</summary>
    public uint? UidNumber { get; init; }

    /// <summary>Number of the primary Unix group.</summary>
    public uint? GidNumber { get; init; }

    /// <summary>Home folder.</summary>
    public string? HomeDirectory { get; init; }

    /// <summary>Login shell.</summary>
    public string? LoginShell { get; init; }

    /// <summary>What it is for.</summary>
    public string? Description { get; init; }

    /// <summary>False: it is not let in.</summary>
    public required bool Enabled { get; init; }

    /// <summary>Further attributes.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<string>>? Attributes { get; init; }

    /// <summary>Names of the groups that it is in, directly or through others, in order.</summary>
    public required IReadOnlyList<string> Groups { get; init; }

    /// <summary>When it was made.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>When it was last changed.</summary>
    public required DateTimeOffset ModifiedAt { get; init; }

    /// <summary>For updates that must not overwrite another one.</summary>
    public required long Revision { get; init; }
}

/// <summary>Creation of a user or service account.</summary>
public sealed record CreateAccountRequest
{
    /// <summary>Name: letters, digits, <c>.</c>, <c>_</c> and <c>-</c>.</summary>
    public required string Name { get; init; }

    /// <summary>Name as shown.</summary>
    public string? DisplayName { get; init; }

    /// <summary>Given name; users only, as all down to <see cref="LoginShell"/>.</summary>
    public string? GivenName { get; init; }

    /// <summary>Surname.</summary>
    public string? Surname { get; init; }

    /// <summary>Mail address.</summary>
    public string? Mail { get; init; }

    /// <summary>Telephone number.</summary>
    public string? Telephone { get; init; }

    /// <summary>Unix user number; absent: allotted.</summary>
    public uint? UidNumber { get; init; }

    /// <summary>Number of the primary Unix group; absent: as the user's.</summary>
    public uint? GidNumber { get; init; }

    /// <summary>Home folder; absent: <c>/home/NAME</c>.</summary>
    public string? HomeDirectory { get; init; }

    /// <summary>Login shell; absent: <c>/bin/bash</c>.</summary>
    public string? LoginShell { get; init; }

    /// <summary>What it is for.</summary>
    public string? Description { get; init; }

    /// <summary>Further attributes, names in lower case.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<string>>? Attributes { get; init; }

    /// <summary>Password; absent: none.</summary>
    public string? Password { get; init; }

    /// <summary>The password is only good for choosing another one; absent: yes for users, no for service accounts.</summary>
    public bool? MustChangePassword { get; init; }
}

/// <summary>Changes of a user or service account: what is absent stays, an empty text takes away.</summary>
public sealed record UpdateAccountRequest
{
    /// <summary>Another name.</summary>
    public string? Name { get; init; }

    /// <summary>Name as shown.</summary>
    public string? DisplayName { get; init; }

    /// <summary>Given name; users only, as all down to <see cref="LoginShell"/>.</summary>
    public string? GivenName { get; init; }

    /// <summary>Surname.</summary>
    public string? Surname { get; init; }

    /// <summary>Mail address.</summary>
    public string? Mail { get; init; }

    /// <summary>Telephone number.</summary>
    public string? Telephone { get; init; }

    /// <summary>Unix user number.</summary>
    public uint? UidNumber { get; init; }

    /// <summary>Number of the primary Unix group.</summary>
    public uint? GidNumber { get; init; }

    /// <summary>Home folder.</summary>
    public string? HomeDirectory { get; init; }

    /// <summary>Login shell.</summary>
    public string? LoginShell { get; init; }

    /// <summary>What it is for.</summary>
    public string? Description { get; init; }

    /// <summary>Let in or not.</summary>
    public bool? Enabled { get; init; }

    /// <summary>All further attributes in place of the present ones.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<string>>? Attributes { get; init; }

    /// <summary>Revision that the account must have; absent: any.</summary>
    public long? Revision { get; init; }
}

/// <summary>What an account proves itself by.</summary>
public sealed record CredentialReport
{
    /// <summary>It has a password.</summary>
    public required bool HasPassword { get; init; }

    /// <summary>When the password was set.</summary>
    public DateTimeOffset? PasswordChangedAt { get; init; }

    /// <summary>The password is only good for choosing another one.</summary>
    public required bool MustChangePassword { get; init; }

    /// <summary>One-time codes are asked for.</summary>
    public required bool HasSecondFactor { get; init; }

    /// <summary>Recovery codes that are left.</summary>
    public required int RecoveryCodeCount { get; init; }

    /// <summary>End of the present lock; absent: not locked.</summary>
    public DateTimeOffset? LockedUntil { get; init; }
}

/// <summary>A password set in the owner's stead.</summary>
public sealed record ResetPasswordRequest
{
    /// <summary>Password.</summary>
    public required string Password { get; init; }

    /// <summary>It is only good for choosing another one; absent: yes, of a user.</summary>
    public bool? MustChange { get; init; }
}

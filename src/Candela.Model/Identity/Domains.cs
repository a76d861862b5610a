namespace Candela.Model.Identity;

/// <summary>A domain of accounts and groups.</summary>
public sealed record DomainReport
{
    /// <summary>Stable id.</summary>
    public required Guid Id { get; init; }

    /// <summary>Name.</summary>
    public required string Name { get; init; }

    /// <summary>Tenant; absent: the domain of the platform's operators.</summary>
    public string? Tenant { get; init; }

    /// <summary>What it is for.</summary>
    public string? Description { get; init; }

    /// <summary>False: nobody of this domain is let in.</summary>
    public required bool Enabled { get; init; }

    /// <summary>What is asked of passwords.</summary>
    public required PasswordPolicyReport PasswordPolicy { get; init; }

    /// <summary>Users.</summary>
    public required int UserCount { get; init; }

    /// <summary>Groups.</summary>
    public required int GroupCount { get; init; }

    /// <summary>Service accounts.</summary>
    public required int ServiceAccountCount { get; init; }

    /// <summary>When it was made.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>For updates that must not overwrite another one.</summary>
    public required long Revision { get; init; }
}

/// <summary>What a domain asks of passwords, and how it meets guessing.</summary>
public sealed record PasswordPolicyReport
{
    /// <summary>Least length, characters.</summary>
    public required int MinimumLength { get; init; }

    /// <summary>How many former passwords must not come again.</summary>
    public required int HistoryCount { get; init; }

    /// <summary>Days after which a user's password must be changed; absent: never.</summary>
    public int? MaximumAgeDays { get; init; }

    /// <summary>Failures in a row after which a name is locked; 0: never.</summary>
    public required int LockoutThreshold { get; init; }

    /// <summary>Seconds of the first lock; each further failure doubles it.</summary>
    public required int LockoutSeconds { get; init; }

    /// <summary>Longest lock, seconds.</summary>
    public required int LockoutMaximumSeconds { get; init; }

    /// <summary>Seconds after which failures are forgotten.</summary>
    public required int FailureWindowSeconds { get; init; }
}

/// <summary>Creation of a domain.</summary>
public sealed record CreateDomainRequest
{
    /// <summary>Tenant that it is for.</summary>
    public required string Tenant { get; init; }

    /// <summary>Name; absent: the tenant's.</summary>
    public string? Name { get; init; }

    /// <summary>What it is for.</summary>
    public string? Description { get; init; }
}

/// <summary>Changes of a domain: what is absent stays, an empty text takes away.</summary>
public sealed record UpdateDomainRequest
{
    /// <summary>What it is for.</summary>
    public string? Description { get; init; }

    /// <summary>Accounts are let in or not.</summary>
    public bool? Enabled { get; init; }

    /// <summary>What is asked of passwords.</summary>
    public UpdatePasswordPolicyRequest? PasswordPolicy { get; init; }

    /// <summary>Revision that the domain must have; absent: any.</summary>
    public long? Revision { get; init; }
}

/// <summary>Changes of what is asked of passwords: what is absent stays.</summary>
public sealed record UpdatePasswordPolicyRequest
{
    /// <summary>Least length, 8 to 128 characters.</summary>
    public int? MinimumLength { get; init; }

    /// <summary>How many former passwords must not come again, 0 to 24.</summary>
    public int? HistoryCount { get; init; }

    /// <summary>Days after which a user's password must be changed, 1 to 3650; 0: never.</summary>
    public int? MaximumAgeDays { get; init; }

    /// <summary>Failures in a row after which a name is locked, 1 to 1000; 0: never.</summary>
    public int? LockoutThreshold { get; init; }

    /// <summary>Seconds of the first lock, 1 to 86,400.</summary>
    public int? LockoutSeconds { get; init; }

    /// <summary>Longest lock, up to 86,400 seconds.</summary>
    public int? LockoutMaximumSeconds { get; init; }

    /// <summary>Seconds after which failures are forgotten, 1 to 604,800.</summary>
    public int? FailureWindowSeconds { get; init; }
}

/// <summary>What came of an import.</summary>
/// <param name="CreatedCount">Accounts and groups made.</param>
/// <param name="ExistingCount">Accounts and groups that were there.</param>
/// <param name="MembershipCount">Memberships made.</param>
/// <param name="Problems">What could not be done, with lines.</param>
public sealed record ImportReport(int CreatedCount, int ExistingCount, int MembershipCount, IReadOnlyList<string> Problems);

namespace Candela.Model.Identity;

/// <summary>A group.</summary>
public sealed record GroupReport
{
    /// <summary>Stable id.</summary>
    public required Guid Id { get; init; }

    /// <summary>Domain.</summary>
    public required string Domain { get; init; }

    /// <summary>Name, unique in the domain.</summary>
    public required string Name { get; init; }

    /// <summary>What it is for.</summary>
    public string? Description { get; init; }

    /// <summary>Unix group number.</summary>
    public required uint GidNumber { get; init; }

    /// <summary>False: it confers nothing.</summary>
    public required bool Enabled { get; init; }

    /// <summary>Direct members.</summary>
    public required int MemberCount { get; init; }

    /// <summary>Names of the groups that it is in, directly or through others, in order.</summary>
    public required IReadOnlyList<string> Groups { get; init; }

    /// <summary>When it was made.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>When it was last changed.</summary>
    public required DateTimeOffset ModifiedAt { get; init; }

    /// <summary>For updates that must not overwrite another one.</summary>
    public required long Revision { get; init; }
}

/// <summary>Creation of a group.</summary>
public sealed record CreateGroupRequest
{
    /// <summary>Name: letters, digits, <c>.</c>, <c>_</c> and <c>-</c>.</summary>
    public required string Name { get; init; }

    /// <summary>What it is for.</summary>
    public string? Description { get; init; }

    /// <summary>Unix group number; absent: allotted.</summary>
    public uint? GidNumber { get; init; }
}

/// <summary>Changes of a group: what is absent stays, an empty text takes away.</summary>
public sealed record UpdateGroupRequest
{
    /// <summary>Another name.</summary>
    public string? Name { get; init; }

    /// <summary>What it is for.</summary>
    public string? Description { get; init; }

    /// <summary>Unix group number.</summary>
    public uint? GidNumber { get; init; }

    /// <summary>Confers its rights or nothing.</summary>
    public bool? Enabled { get; init; }

    /// <summary>Revision that the group must have; absent: any.</summary>
    public long? Revision { get; init; }
}

/// <summary>A direct member of a group.</summary>
/// <param name="Subject">For example <c>user:ada@acme</c>.</param>
/// <param name="Id">Its stable id.</param>
/// <param name="Enabled">False: it is not let in, or confers nothing.</param>
public sealed record MemberReport(string Subject, Guid Id, bool Enabled);

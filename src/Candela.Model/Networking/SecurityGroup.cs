namespace Candela.Model.Networking;

/// <summary>The containers of a project whose labels have all of some values; policies speak of groups.</summary>
public sealed record SecurityGroup
{
    /// <summary>Unique in its project; <see cref="NetworkPolicyLimits.NameRule"/>.</summary>
    public required string Name { get; init; }

    /// <summary>Owning project.</summary>
    public required string Project { get; init; }

    /// <summary>What it is for.</summary>
    public string? Description { get; init; }

    /// <summary>Labels and values that a member has, all of them; none makes every container of the project a member.</summary>
    public IReadOnlyDictionary<string, string> Labels { get; init; } = new Dictionary<string, string>();

    /// <summary>When it was created.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>1, and one more with each change.</summary>
    public required long Revision { get; init; }
}

/// <summary>What a group's creator asks for.</summary>
/// <remarks>Members with defaults can be set: generated deserialization leaves them alone then when the body does not have them.</remarks>
public sealed record SecurityGroupSpec
{
    /// <summary>Name; cannot change.</summary>
    public required string Name { get; init; }

    /// <summary>What it is for; at most 256 characters.</summary>
    public string? Description { get; init; }

    /// <summary>Labels and values that a member has.</summary>
    public IReadOnlyDictionary<string, string> Labels { get; set; } = new Dictionary<string, string>();

    /// <summary>For a replacement: the revision that is replaced; null: whichever there is.</summary>
    public long? Revision { get; init; }
}

namespace Candela.Model.Networking;

/// <summary>The side of a flow that a policy decides about.</summary>
public enum TrafficDirection
{
    /// <summary>What the policy's containers are sent.</summary>
    Ingress,

    /// <summary>What they send.</summary>
    Egress,
}

/// <summary>What a policy does with the flows that fit.</summary>
public enum NetworkPolicyAction
{
    /// <summary>Lets them pass this side.</summary>
    Allow,

    /// <summary>Drops them.</summary>
    Deny,
}

/// <summary>
/// Who may talk to whom. A flow passes if the sender's egress and the receiver's ingress let it: for each side, of the policies that fit, the
/// one of the lowest priority number decides, of equal ones a denying one; where none fits, <see cref="ProjectNetworking.Default"/> does.
/// </summary>
public sealed record NetworkPolicy
{
    /// <summary>Unique in its project; <see cref="NetworkPolicyLimits.NameRule"/>.</summary>
    public required string Name { get; init; }

    /// <summary>Owning project.</summary>
    public required string Project { get; init; }

    /// <summary>What it is for.</summary>
    public string? Description { get; init; }

    /// <summary>The side.</summary>
    public required TrafficDirection Direction { get; init; }

    /// <summary>What happens.</summary>
    public required NetworkPolicyAction Action { get; init; }

    /// <summary>0 (first) to 65,535 (last).</summary>
    public required int Priority { get; init; }

    /// <summary>Whom it is about, any of them: groups, segments, workloads; none: every container of the project.</summary>
    public IReadOnlyList<NetworkPeer> Subjects { get; init; } = [];

    /// <summary>The other side, any of them; none: everybody.</summary>
    public IReadOnlyList<NetworkPeer> Peers { get; init; } = [];

    /// <summary>What is spoken, any of them; none: everything.</summary>
    public IReadOnlyList<PolicyService> Services { get; init; } = [];

    /// <summary>Flows that it decides go to the flow log.</summary>
    public bool Logged { get; init; } = true;

    /// <summary>When it was created.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>1, and one more with each change.</summary>
    public required long Revision { get; init; }
}

/// <summary>What a policy's creator asks for.</summary>
/// <remarks>Members with defaults can be set: generated deserialization leaves them alone then when the body does not have them.</remarks>
public sealed record NetworkPolicySpec
{
    /// <summary>Name; cannot change.</summary>
    public required string Name { get; init; }

    /// <summary>What it is for; at most 256 characters.</summary>
    public string? Description { get; init; }

    /// <summary>The side.</summary>
    public required TrafficDirection Direction { get; init; }

    /// <summary>What happens.</summary>
    public required NetworkPolicyAction Action { get; init; }

    /// <summary>0 (first) to 65,535 (last).</summary>
    public int Priority { get; set; } = 1000;

    /// <summary>Whom it is about: groups, segments, workloads; none: every container of the project.</summary>
    public IReadOnlyList<NetworkPeer> Subjects { get; set; } = [];

    /// <summary>The other side; none: everybody.</summary>
    public IReadOnlyList<NetworkPeer> Peers { get; set; } = [];

    /// <summary>What is spoken; none: everything.</summary>
    public IReadOnlyList<PolicyService> Services { get; set; } = [];

    /// <summary>Flows that it decides go to the flow log.</summary>
    public bool Logged { get; set; } = true;

    /// <summary>For a replacement: the revision that is replaced; null: whichever there is.</summary>
    public long? Revision { get; init; }
}

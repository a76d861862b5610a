namespace Candela.Network.Flows;

/// <summary>What the firewall did with the first packet of a flow, or with one that it dropped.</summary>
public enum FlowVerdict
{
    /// <summary>Let pass.</summary>
    Allowed,

    /// <summary>Dropped by a policy, or because none allows it.</summary>
    Denied,

    /// <summary>Dropped since no path leads there: another segment, an internal one.</summary>
    Unrouted,

    /// <summary>Dropped since the sender used an address that is not its own.</summary>
    Spoofed,
}

/// <summary>An entry of the flow log.</summary>
public sealed record FlowEntry
{
    /// <summary>Number of the entry, from 1, ascending in its project.</summary>
    public required long Sequence { get; init; }

    /// <summary>When.</summary>
    public required DateTimeOffset Time { get; init; }

    /// <summary>The project.</summary>
    public required string ProjectId { get; init; }

    /// <summary>What happened.</summary>
    public required FlowVerdict Verdict { get; init; }

    /// <summary>The policy that decided; null for the default.</summary>
    public string? PolicyId { get; init; }

    /// <summary>The flow, so far as the packet tells; null for packets that are not IP.</summary>
    public FlowTuple? Flow { get; init; }

    /// <summary>The sender's port by address, if it is known.</summary>
    public string? SourcePortId { get; init; }

    /// <summary>The receiver's port by address, if it is known.</summary>
    public string? DestinationPortId { get; init; }

    /// <summary>The MAC that was used, for spoofed packets.</summary>
    public MacAddress? SourceMac { get; init; }
}

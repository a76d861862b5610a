namespace Candela.Model.Networking;

/// <summary>What became of a flow's first packet, or of a packet that was dropped.</summary>
public enum FlowOutcome
{
    /// <summary>It passed.</summary>
    Allowed,

    /// <summary>A policy dropped it, or none allows it.</summary>
    Denied,

    /// <summary>No path leads there: another segment without a declared route, or out of an internal one.</summary>
    Unrouted,

    /// <summary>The sender used an address that is not its own.</summary>
    Spoofed,
}

/// <summary>An entry of the flow log.</summary>
public sealed record FlowRecord
{
    /// <summary>Number of the entry, ascending in a project until the daemon restarts.</summary>
    public required long Sequence { get; init; }

    /// <summary>When.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>What happened.</summary>
    public required FlowOutcome Outcome { get; init; }

    /// <summary>Name of the policy that decided; null: the default.</summary>
    public string? Policy { get; init; }

    /// <summary>The protocol; null: no IP.</summary>
    public NetworkProtocol? Protocol { get; init; }

    /// <summary>Type of ICMP.</summary>
    public int? IcmpType { get; init; }

    /// <summary>The sender.</summary>
    public FlowEnd? Source { get; init; }

    /// <summary>The receiver, behind translation.</summary>
    public FlowEnd? Destination { get; init; }

    /// <summary>The MAC that was used, of spoofed packets.</summary>
    public string? SourceMac { get; init; }
}

/// <summary>One end of a flow.</summary>
public sealed record FlowEnd
{
    /// <summary>Address.</summary>
    public required string Address { get; init; }

    /// <summary>Port of TCP, UDP or SCTP.</summary>
    public int? Port { get; init; }

    /// <summary>Name of the container, when it is one of the project's.</summary>
    public string? Container { get; init; }

    /// <summary>Id of the container.</summary>
    public string? ContainerId { get; init; }
}

/// <summary>Which entries of the flow log are asked for.</summary>
public sealed record FlowQuery
{
    /// <summary>Not before.</summary>
    public DateTimeOffset? Since { get; init; }

    /// <summary>Not after.</summary>
    public DateTimeOffset? Until { get; init; }

    /// <summary>Only these; null: all.</summary>
    public FlowOutcome? Outcome { get; init; }

    /// <summary>Only what this policy decided.</summary>
    public string? Policy { get; init; }

    /// <summary>Only from or to this container, by name or id.</summary>
    public string? Container { get; init; }

    /// <summary>Most entries of the past, the latest ones; 1 to 10,000.</summary>
    public int Limit { get; init; } = 1000;

    /// <summary>Go on with what comes, until <see cref="Until"/> or the caller ends.</summary>
    public bool Follow { get; init; }
}

/// <summary>Packets and bytes for one reason.</summary>
public sealed record FlowCounter
{
    /// <summary>
    /// <c>policy</c>, or the reason where none decided: <c>allowed-by-default</c>, <c>denied-by-default</c>, <c>unrouted</c>, <c>spoofed</c>,
    /// <c>invalid</c>, <c>limited</c> (rate), <c>misdelivered</c>, <c>refused-by-gateway</c>.
    /// </summary>
    public required string Reason { get; init; }

    /// <summary>Name of the policy.</summary>
    public string? Policy { get; init; }

    /// <summary>Packets.</summary>
    public required long Packets { get; init; }

    /// <summary>Bytes.</summary>
    public required long Bytes { get; init; }
}

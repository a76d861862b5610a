namespace Candela.Model.Networking;

/// <summary>Protocols that policies tell apart.</summary>
public enum NetworkProtocol
{
    /// <summary>All.</summary>
    Any,

    /// <summary>TCP.</summary>
    Tcp,

    /// <summary>UDP.</summary>
    Udp,

    /// <summary>SCTP.</summary>
    Sctp,

    /// <summary>ICMP, of IPv4.</summary>
    Icmp,

    /// <summary>ICMPv6.</summary>
    Icmp6,

    /// <summary>Another one; in flows only.</summary>
    Other,
}

/// <summary>What is spoken.</summary>
public sealed record PolicyService
{
    /// <summary>The protocol.</summary>
    public required NetworkProtocol Protocol { get; init; }

    /// <summary>First destination port of TCP, UDP or SCTP, 1 to 65,535; null: all.</summary>
    public int? FirstPort { get; init; }

    /// <summary>Last destination port; null: the first alone.</summary>
    public int? LastPort { get; init; }

    /// <summary>Type of ICMP, 0 to 255; null: all.</summary>
    public int? IcmpType { get; init; }
}

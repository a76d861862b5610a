using System.Collections.Immutable;
using System.Net;

namespace Candela.Network.Plan;

/// <summary>
/// What the network of one project shall be on this machine: its segments, the ports on them (those of other machines, too, so far as
/// they can be talked to), who may talk to whom. A value: a change makes a new one, and parts that stay the same stay the same objects.
/// </summary>
public sealed record ProjectPlan
{
    /// <summary>Id of the project.</summary>
    public required string Id { get; init; }

    /// <summary>Number of the project on this machine, 0 to 16,383, unique there and the same for its life: names its way out.</summary>
    public int Number { get; init; }

    /// <summary>Containers may talk to services of the host itself, at the host's end of the way out.</summary>
    public bool HasHostAccess { get; init; }

    /// <summary>What holds between ports where no policy decides.</summary>
    public DefaultStance Stance { get; init; } = DefaultStance.Open;

    /// <summary>Segments by id.</summary>
    public ImmutableDictionary<string, SegmentSpec> Segments { get; init; } = ImmutableDictionary<string, SegmentSpec>.Empty;

    /// <summary>Ports by id, of this machine and of others.</summary>
    public ImmutableDictionary<string, PortSpec> Ports { get; init; } = ImmutableDictionary<string, PortSpec>.Empty;

    /// <summary>Pairs of segments between which packets are routed, both ways; ids.</summary>
    public ImmutableArray<SegmentRoute> Routes { get; init; } = [];

    /// <summary>Groups that policies speak of, by id.</summary>
    public ImmutableDictionary<string, SecurityGroup> Groups { get; init; } = ImmutableDictionary<string, SecurityGroup>.Empty;

    /// <summary>Policies by id.</summary>
    public ImmutableDictionary<string, Policy> Policies { get; init; } = ImmutableDictionary<string, Policy>.Empty;

    /// <summary>Ports of the host that lead to containers of this project on this machine.</summary>
    public ImmutableArray<PublishedPort> Published { get; init; } = [];

    /// <summary>Addresses that names of <see cref="Peer.DnsName"/> stand for at the moment, as the segments' DNS learned them.</summary>
    public ImmutableDictionary<string, ImmutableArray<IPAddress>> Resolved { get; init; } = ImmutableDictionary<string, ImmutableArray<IPAddress>>.Empty;
}

/// <summary>What holds between ports where no policy decides.</summary>
public enum DefaultStance
{
    /// <summary>Ports of one segment, and of segments with a declared route, may talk; to the outside, if the segment has egress.</summary>
    Open,

    /// <summary>Nothing may talk: each flow needs a policy that allows it. Published ports need one, too.</summary>
    Closed,
}

/// <summary>An isolated network of layers 2 and 3.</summary>
public sealed record SegmentSpec
{
    /// <summary>Id, unique among all projects.</summary>
    public required string Id { get; init; }

    /// <summary>The IPv4 network, if any.</summary>
    public IPNetwork? Ipv4 { get; init; }

    /// <summary>The IPv6 network, if any.</summary>
    public IPNetwork? Ipv6 { get; init; }

    /// <summary>Address of the gateway and DNS server in <see cref="Ipv4"/>.</summary>
    public IPAddress? Gateway4 { get; init; }

    /// <summary>Address of the gateway and DNS server in <see cref="Ipv6"/>.</summary>
    public IPAddress? Gateway6 { get; init; }

    /// <summary>No way to the outside and none in.</summary>
    public bool IsInternal { get; init; }

    /// <summary>Multicast and broadcast reach all ports of the segment; policies by group do not apply to them.</summary>
    public bool HasMulticast { get; init; }

    /// <summary>Largest IP packet, bytes; 576 to 65,000.</summary>
    public int Mtu { get; init; } = 1500;

    /// <summary>What VXLAN adds to a packet on the way to an IPv4 machine, bytes; 20 more to an IPv6 one. A tunnelled segment's MTU is that much less.</summary>
    public const int TunnelOverheadBytes = 50;

    /// <summary>VXLAN network identifier, 1 to 16,777,215, when the segment is on several machines.</summary>
    public uint? Vni { get; init; }
}

/// <summary>Packets are routed between two segments of the project.</summary>
/// <param name="First">A segment's id.</param>
/// <param name="Second">Another's.</param>
public sealed record SegmentRoute(string First, string Second);

/// <summary>A container's connection to a segment.</summary>
public sealed record PortSpec
{
    /// <summary>Id, unique among all projects.</summary>
    public required string Id { get; init; }

    /// <summary>The segment's id.</summary>
    public required string SegmentId { get; init; }

    /// <summary>Id of the container: ports of one owner know the names of all its segments. Empty: it has this port only.</summary>
    public string Owner { get; init; } = "";

    /// <summary>The one MAC that may be used.</summary>
    public required MacAddress Mac { get; init; }

    /// <summary>The IPv4 address, if the segment has IPv4.</summary>
    public IPAddress? Ipv4 { get; init; }

    /// <summary>The IPv6 address, if the segment has IPv6.</summary>
    public IPAddress? Ipv6 { get; init; }

    /// <summary>Labels that decide about groups.</summary>
    public ImmutableDictionary<string, string> Labels { get; init; } = ImmutableDictionary<string, string>.Empty;

    /// <summary>Address of the machine that the port is on, for VXLAN; null for this one.</summary>
    public IPAddress? Machine { get; init; }

    /// <summary>Names that resolve to the port inside the segment: the container's, its aliases, its service's.</summary>
    public ImmutableArray<string> Names { get; init; } = [];

    /// <summary>Most that the container may send, bytes per second on average, after a pause twice as much for a second; null for no limit.</summary>
    public long? EgressBytesPerSecond { get; init; }

    /// <summary>Most that the container may receive, bytes per second, likewise; null for no limit.</summary>
    public long? IngressBytesPerSecond { get; init; }

    /// <summary>The port's addresses.</summary>
    public IEnumerable<IPAddress> Addresses => new[] { Ipv4, Ipv6 }.OfType<IPAddress>();
}

/// <summary>A port of the host that leads to a container's.</summary>
public sealed record PublishedPort
{
    /// <summary>Id of the container's port on a segment.</summary>
    public required string PortId { get; init; }

    /// <summary>tcp, udp or sctp.</summary>
    public required Protocol Protocol { get; init; }

    /// <summary>Address of the host; null for all, of both IP versions.</summary>
    public IPAddress? HostAddress { get; init; }

    /// <summary>Port of the host, 1 to 65,535.</summary>
    public required ushort HostPort { get; init; }

    /// <summary>Port of the container, 1 to 65,535.</summary>
    public required ushort ContainerPort { get; init; }
}

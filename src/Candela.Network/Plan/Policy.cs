using System.Collections.Immutable;
using System.Net;

namespace Candela.Network.Plan;

/// <summary>Ports whose labels have all of some values.</summary>
public sealed record SecurityGroup
{
    /// <summary>Id, unique in the project.</summary>
    public required string Id { get; init; }

    /// <summary>Labels and values that a member has; none makes every port of the project a member.</summary>
    public ImmutableDictionary<string, string> Labels { get; init; } = ImmutableDictionary<string, string>.Empty;

    /// <summary>Whether a port with these labels is a member.</summary>
    public bool Has(ImmutableDictionary<string, string> labels) => Labels.All(l => labels.TryGetValue(l.Key, out string? value) && value == l.Value);
}

/// <summary>Which side of a flow a policy is about.</summary>
public enum Direction
{
    /// <summary>What the ports may be sent.</summary>
    Ingress,

    /// <summary>What the ports may send.</summary>
    Egress,
}

/// <summary>What a policy does with a flow.</summary>
public enum PolicyAction
{
    /// <summary>Lets it pass this side.</summary>
    Allow,

    /// <summary>Drops it.</summary>
    Deny,
}

/// <summary>
/// A rule of the port firewall. A flow passes if the sender's egress and the receiver's ingress both let it: for each side, of the
/// policies that fit, the one of the lowest priority decides (of equal ones a denying one, then the first by id); where none fits the
/// project's <see cref="DefaultStance"/> does. Answers of a flow that may pass, pass.
/// </summary>
public sealed record Policy
{
    /// <summary>Id, unique in the project, at most 64 characters.</summary>
    public required string Id { get; init; }

    /// <summary>The side of the flow.</summary>
    public required Direction Direction { get; init; }

    /// <summary>What happens to flows that fit.</summary>
    public required PolicyAction Action { get; init; }

    /// <summary>0 (first) to 65,535 (last).</summary>
    public int Priority { get; init; } = 1000;

    /// <summary>Groups whose members the policy is about; with no group and no segment it is about every port of the project.</summary>
    public ImmutableArray<string> Groups { get; init; } = [];

    /// <summary>Segments whose ports the policy is about, besides the groups' members. Those that this machine does not have have no ports here.</summary>
    public ImmutableArray<string> Segments { get; init; } = [];

    /// <summary>The other sides, any of them; none means every other side.</summary>
    public ImmutableArray<Peer> Peers { get; init; } = [];

    /// <summary>What is spoken, any of them; none means everything.</summary>
    public ImmutableArray<Service> Services { get; init; } = [];

    /// <summary>Flows that the policy decides go to the flow log.</summary>
    public bool IsLogged { get; init; } = true;
}

/// <summary>The other side of a flow.</summary>
public abstract record Peer
{
    private Peer()
    {
    }

    /// <summary>Members of a group.</summary>
    /// <param name="GroupId">Its id.</param>
    public sealed record Group(string GroupId) : Peer;

    /// <summary>Ports of a segment.</summary>
    /// <param name="SegmentId">Its id.</param>
    public sealed record Segment(string SegmentId) : Peer;

    /// <summary>Addresses, whether inside or outside.</summary>
    /// <param name="Network">The network.</param>
    /// <param name="Except">Parts of it that are not meant.</param>
    public sealed record Cidr(IPNetwork Network, params ImmutableArray<IPNetwork> Except) : Peer
    {
        /// <summary>Whether an address is meant.</summary>
        public bool Has(IPAddress address) => Network.Contains(address) && !Except.Any(e => e.Contains(address));
    }

    /// <summary>What a name stands for; egress only.</summary>
    /// <param name="Name">A domain name in lower case without the final dot, or *.NAME for all below NAME.</param>
    public sealed record DnsName(string Name) : Peer;
}

/// <summary>Protocols that policies tell apart, with their numbers (IANA).</summary>
public enum Protocol : byte
{
    /// <summary>All.</summary>
    Any = 0,

    /// <summary>ICMP, for IPv4.</summary>
    Icmp = 1,

    /// <summary>TCP.</summary>
    Tcp = 6,

    /// <summary>UDP.</summary>
    Udp = 17,

    /// <summary>ICMP for IPv6.</summary>
    Icmp6 = 58,

    /// <summary>SCTP.</summary>
    Sctp = 132,
}

/// <summary>What is spoken.</summary>
public sealed record Service
{
    /// <summary>The protocol.</summary>
    public required Protocol Protocol { get; init; }

    /// <summary>First destination port of TCP, UDP or SCTP; null for all.</summary>
    public ushort? FirstPort { get; init; }

    /// <summary>Last destination port; null for the first alone.</summary>
    public ushort? LastPort { get; init; }

    /// <summary>Type of ICMP; null for all.</summary>
    public byte? IcmpType { get; init; }

    /// <summary>Whether a first packet is meant.</summary>
    /// <param name="protocol">Its protocol.</param>
    /// <param name="port">Its destination port, if the protocol has ports.</param>
    /// <param name="icmpType">Its type, if it is ICMP.</param>
    public bool Has(Protocol protocol, ushort port, byte icmpType) => Protocol == Protocol.Any || (Protocol == protocol && (protocol is Protocol.Icmp or Protocol.Icmp6
        ? IcmpType is null || IcmpType == icmpType
        : FirstPort is null || (port >= FirstPort && port <= (LastPort ?? FirstPort))));

    /// <summary>Ports of a protocol.</summary>
    public static Service Ports(Protocol protocol, int first, int? last = null) =>
        new() { Protocol = protocol, FirstPort = (ushort)first, LastPort = (ushort?)last };

    /// <summary>All of a protocol.</summary>
    public static Service All(Protocol protocol) => new() { Protocol = protocol };
}

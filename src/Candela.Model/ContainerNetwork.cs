namespace Candela.Model;

/// <summary>A network of a project: a segment that containers are connected to.</summary>
public sealed record ContainerNetwork
{
    /// <summary>64 lower-case hexadecimal digits.</summary>
    public required string Id { get; init; }

    /// <summary>Unique in its project; Docker's rule <c>[a-zA-Z0-9][a-zA-Z0-9_.-]*</c>.</summary>
    public required string Name { get; init; }

    /// <summary>Owning project.</summary>
    public required string Project { get; init; }

    /// <summary>When it was created.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>IPv4 network, as 172.20.0.0/16.</summary>
    public required string Ipv4Subnet { get; init; }

    /// <summary>Part of it that addresses are given from; null for all.</summary>
    public string? Ipv4Range { get; init; }

    /// <summary>Its gateway and name server.</summary>
    public required string Ipv4Gateway { get; init; }

    /// <summary>IPv6 network; null for none.</summary>
    public string? Ipv6Subnet { get; init; }

    /// <summary>Its gateway.</summary>
    public string? Ipv6Gateway { get; init; }

    /// <summary>No way to the outside and none in.</summary>
    public bool IsInternal { get; init; }

    /// <summary>Made by the platform: cannot be removed.</summary>
    public bool IsBuiltIn { get; init; }

    /// <summary>Ids of the networks that packets are routed to and from; each has this one in its own list.</summary>
    public IReadOnlyList<string> Routes { get; init; } = [];

    /// <summary>Most that each container on it may send, bytes per second; null: no limit.</summary>
    public long? EgressBytesPerSecond { get; init; }

    /// <summary>Most that each container on it may receive, bytes per second; null: no limit.</summary>
    public long? IngressBytesPerSecond { get; init; }

    /// <summary>Free labels.</summary>
    public IReadOnlyDictionary<string, string> Labels { get; init; } = new Dictionary<string, string>();
}

/// <summary>What a network's creator asks for; what is null is chosen.</summary>
/// <remarks>Members with defaults can be set: generated deserialization leaves them alone then when the body does not have them.</remarks>
public sealed record NetworkSpec
{
    /// <summary>Name.</summary>
    public required string Name { get; init; }

    /// <summary>IPv4 network.</summary>
    public string? Ipv4Subnet { get; init; }

    /// <summary>Part of it that addresses are given from.</summary>
    public string? Ipv4Range { get; init; }

    /// <summary>IPv4 gateway; by default the first address.</summary>
    public string? Ipv4Gateway { get; init; }

    /// <summary>Have IPv6, too.</summary>
    public bool EnableIpv6 { get; init; }

    /// <summary>IPv6 network.</summary>
    public string? Ipv6Subnet { get; init; }

    /// <summary>IPv6 gateway; by default the first address.</summary>
    public string? Ipv6Gateway { get; init; }

    /// <summary>No way to the outside and none in.</summary>
    public bool IsInternal { get; init; }

    /// <summary>Names of the project's networks that packets are routed to and from.</summary>
    public IReadOnlyList<string> Routes { get; set; } = [];

    /// <summary>Most that each container on it may send, bytes per second; null: no limit.</summary>
    public long? EgressBytesPerSecond { get; init; }

    /// <summary>Most that each container on it may receive, bytes per second; null: no limit.</summary>
    public long? IngressBytesPerSecond { get; init; }

    /// <summary>Free labels.</summary>
    public IReadOnlyDictionary<string, string> Labels { get; set; } = new Dictionary<string, string>();
}

/// <summary>A port of the host that leads to a container's.</summary>
/// <param name="Protocol">tcp, udp or sctp.</param>
/// <param name="ContainerPort">Port of the container.</param>
/// <param name="HostAddress">Address of the host; null for all.</param>
/// <param name="HostPort">Port of the host; 0 in a specification: a free one is chosen.</param>
/// <param name="LastHostPort">In a specification: a free one from <paramref name="HostPort"/> to this is chosen; 0: there is no choice.</param>
public sealed record PortPublication(string Protocol, ushort ContainerPort, string? HostAddress, ushort HostPort, ushort LastHostPort = 0);

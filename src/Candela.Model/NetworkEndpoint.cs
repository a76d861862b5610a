namespace Candela.Model;

/// <summary>A container's connection to a network, as it was assigned for its present run.</summary>
public sealed record NetworkEndpoint
{
    /// <summary>Id of the network.</summary>
    public required string NetworkId { get; init; }

    /// <summary>Name of the network.</summary>
    public required string NetworkName { get; init; }

    /// <summary>Id of the container's port on it.</summary>
    public required string PortId { get; init; }

    /// <summary>Number of the container's network card: 0 is <c>eth0</c>.</summary>
    public int Card { get; init; }

    /// <summary>MAC, as 02:cd:00:00:00:01.</summary>
    public required string Mac { get; init; }

    /// <summary>Largest packet, bytes.</summary>
    public required int Mtu { get; init; }

    /// <summary>IPv4 address, if any.</summary>
    public string? Ipv4Address { get; init; }

    /// <summary>Length of its prefix.</summary>
    public int Ipv4PrefixLength { get; init; }

    /// <summary>IPv4 gateway, which is the name server, too.</summary>
    public string? Ipv4Gateway { get; init; }

    /// <summary>IPv6 address, if any.</summary>
    public string? Ipv6Address { get; init; }

    /// <summary>Length of its prefix.</summary>
    public int Ipv6PrefixLength { get; init; }

    /// <summary>IPv6 gateway.</summary>
    public string? Ipv6Gateway { get; init; }

    /// <summary>No way out: the gateway is for names only.</summary>
    public bool IsInternal { get; init; }

    /// <summary>Networks that packets are routed to and from, as 10.0.1.0/24.</summary>
    public IReadOnlyList<string> Routes { get; init; } = [];

    /// <summary>Names besides the container's own.</summary>
    public IReadOnlyList<string> Aliases { get; init; } = [];

    /// <summary>Lines for /etc/hosts: the containers that it is linked to.</summary>
    public IReadOnlyList<string> HostsLines { get; init; } = [];

    /// <summary>Whether it has the routes and lines of another.</summary>
    public bool KnowsTheSameAs(NetworkEndpoint other) => Routes.SequenceEqual(other.Routes) && HostsLines.SequenceEqual(other.HostsLines);

    /// <summary>Of a container's connections the one that its packets to the outside take and published ports lead to; null when it has none.</summary>
    public static NetworkEndpoint? WayOut(IReadOnlyList<NetworkEndpoint> endpoints) => endpoints.FirstOrDefault(static e => !e.IsInternal);
}

using System.Net;

namespace Candela.Network.Host;

/// <summary>How Candela shows on the host.</summary>
public sealed record HostOptions
{
    /// <summary>Name of the one nf_tables table in the host's namespace. Two instances on a host need different ones.</summary>
    public string Table { get; init; } = "candela";

    /// <summary>Beginning of the names of links in the host's namespace, at most 10 characters. Two instances need different ones.</summary>
    public string LinkPrefix { get; init; } = "cnd-";

    /// <summary>IPv4 addresses of the ways out, /17 or larger; null chooses one that the host does not use.</summary>
    public IPNetwork? TransitIpv4 { get; init; }

    /// <summary>IPv6 addresses of the ways out, /113 or larger.</summary>
    public IPNetwork TransitIpv6 { get; init; } = IPNetwork.Parse("fdcd:6e64:7472:616e::/64");

    /// <summary>UDP port of VXLAN (RFC 7348: 4789).</summary>
    public ushort VxlanPort { get; init; } = 4789;
}

using System.Net;

namespace Candela.Network.Host;

/// <summary>How Candela shows on the host.</summary>
public sealed record HostOptions
{
    /// <summary>Name of the one nf_tables table in the host's namespace. Two instances on a host need different ones.</summary>
    public string Table { get; init; } = "candela";

    /// <summary>With this the names of all instances' links in the host's namespace begin.</summary>
    public const string LinkFamily = "cnd";

    /// <summary>
    /// Beginning of the names of links in the host's namespace: <see cref="LinkFamily"/> and more, at most 10 characters. Two instances need
    /// different ones, of which none is the beginning of the other.
    /// </summary>
    public string LinkPrefix { get; init; } = LinkFamily + "-";

    /// <summary>IPv4 addresses of the ways out, /17 or larger; null chooses one that the host does not use.</summary>
    public IPNetwork? TransitIpv4 { get; init; }

    /// <summary>IPv6 addresses of the ways out, /113 or larger; null chooses one that the host does not use.</summary>
    public IPNetwork? TransitIpv6 { get; init; }

    /// <summary>UDP port of VXLAN (RFC 7348: 4789).</summary>
    public ushort VxlanPort { get; init; } = 4789;
}

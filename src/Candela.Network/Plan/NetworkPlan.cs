using System.Collections.Immutable;
using System.Net;

namespace Candela.Network.Plan;

/// <summary>What the network of this machine shall be. A value, as are its parts.</summary>
public sealed record NetworkPlan
{
    /// <summary>Projects by id.</summary>
    public ImmutableDictionary<string, ProjectPlan> Projects { get; init; } = ImmutableDictionary<string, ProjectPlan>.Empty;

    /// <summary>This machine's address for VXLAN; null when no segment is on several machines.</summary>
    public IPAddress? TunnelAddress { get; init; }

    /// <summary>Addresses of the other machines: the only ones whose VXLAN packets are taken.</summary>
    public ImmutableHashSet<IPAddress> Machines { get; init; } = [];
}

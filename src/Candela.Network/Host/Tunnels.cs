using System.Net;
using Candela.Network.Namespaces;
using Candela.Network.Netlink;
using Candela.Network.Plan;

namespace Candela.Network.Host;

/// <summary>Makes VXLAN links: their UDP sockets are the host's, the links themselves a project's.</summary>
internal sealed class Tunnels(RouteSocket host, ushort port)
{
    /// <summary>This machine's address for VXLAN; null for none.</summary>
    public IPAddress? Local { get; set; }

    /// <summary>What tells a link of a segment from one that was made for another number or address.</summary>
    public string Describe(SegmentSpec segment) => $"candela segment {segment.Id} vni {segment.Vni} from {Local} port {port}";

    public void Add(SegmentSpec segment, NetworkNamespace target) =>
        host.Execute(b => b.AddVxlan(LinkNames.Tunnel(segment.Id), segment.Vni!.Value, Local!, port, segment.Mtu, target));
}

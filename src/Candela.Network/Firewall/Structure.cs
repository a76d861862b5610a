using System.Net;
using Candela.Network.Nftables;
using Candela.Network.Plan;
using static Candela.Network.Firewall.FirewallTables;

namespace Candela.Network.Firewall;

/// <summary>What segments, routes and published ports add to the firewall's sets.</summary>
internal static class Structure
{
    public static Dictionary<NftSet, HashSet<NftElement>> Of(ProjectPlan plan)
    {
        Dictionary<NftSet, HashSet<NftElement>> elements = new()
        {
            [Paths] = [], [EgressDefault] = [], [IngressDefault] = [], [PublishedDefault] = [], [Multicast] = [], [Published4] = [], [Published6] = [],
        };
        bool isOpen = plan.Stance == DefaultStance.Open;
        foreach (SegmentSpec segment in plan.Segments.Values)
        {
            string bridge = LinkNames.Bridge(segment.Id);
            Path(bridge, bridge, isOpen);
            if (segment.IsInternal)
                continue;
            Path(bridge, LinkNames.Uplink, isOpen);
            // From outside only flows to published ports get this far; their sender has no egress that is Candela's business.
            elements[Paths].Add(Pair(LinkNames.Uplink, bridge));
            elements[EgressDefault].Add(Pair(LinkNames.Uplink, bridge));
            if (isOpen)
                elements[PublishedDefault].Add(Pair(LinkNames.Uplink, bridge));
        }

        foreach (SegmentRoute route in plan.Routes)
        {
            Path(LinkNames.Bridge(route.First), LinkNames.Bridge(route.Second), isOpen);
            Path(LinkNames.Bridge(route.Second), LinkNames.Bridge(route.First), isOpen);
        }

        var multicast = plan.Segments.Values.Where(s => s.HasMulticast).Select(s => s.Id).ToHashSet();
        if (multicast.Count > 0)
        {
            foreach (PortSpec port in plan.Ports.Values.Where(p => multicast.Contains(p.SegmentId)))
                elements[Multicast].Add(new NftElement { Key = new NftKey().Name(port.Machine is null ? LinkNames.Port(port.Id) : LinkNames.Tunnel(port.SegmentId)).Build() });
        }

        foreach ((PublishedPort published, ushort transitPort) in TransitPorts.Of(plan))
        {
            PortSpec port = plan.Ports[published.PortId];
            if (port.Ipv4 is { } ipv4)
                elements[Published4].Add(Published(published, transitPort, ipv4));
            if (port.Ipv6 is { } ipv6)
                elements[Published6].Add(Published(published, transitPort, ipv6));
        }

        return elements;

        void Path(string from, string to, bool isDefault)
        {
            elements[Paths].Add(Pair(from, to));
            if (!isDefault)
                return;
            elements[EgressDefault].Add(Pair(from, to));
            elements[IngressDefault].Add(Pair(from, to));
        }
    }

    private static NftElement Pair(string from, string to) => new() { Key = NftKey.Of(from, to) };

    private static NftElement Published(PublishedPort published, ushort transitPort, IPAddress address) => new()
    {
        Key = new NftKey().Protocol((byte)published.Protocol).Port(transitPort).Build(),
        Value = new NftKey().Address(address).Port(published.ContainerPort).Build(),
    };
}

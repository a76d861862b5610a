using System.Net;
using Candela.Network.Host;
using Candela.Network.Namespaces;
using Candela.Network.Netlink;
using Candela.Network.Plan;

namespace Candela.Network;

/// <summary>
/// Bridges, ports, addresses and neighbours of a project's namespace. Nothing is learned there: where a MAC is and which MAC an
/// address has, the plan says.
/// </summary>
/// <remarks>Not for several threads at once.</remarks>
internal sealed class Topology(RouteSocket route, NetworkNamespace space, Tunnels? tunnels)
{
    private readonly Dictionary<string, int> _bridges = [], _tunnels = [];
    private ProjectPlan? _plan;

    public void Apply(ProjectPlan plan)
    {
        if (_plan is null)
            Reconcile(plan);
        else
            Change(_plan, plan);
        _plan = plan;
    }

    /// <summary>Connects a port's link, which is in the namespace by now.</summary>
    public void Attach(PortSpec port, SegmentSpec segment)
    {
        string name = LinkNames.Port(port.Id);
        LinkState link = route.FindLink(name) ?? throw new IOException($"link {name} of port {port.Id} is gone");
        var batch = new RouteBatch();
        Attach(batch, link, port, segment);
        route.Execute(batch);
    }

    /// <summary>Deletes all links.</summary>
    public void Remove()
    {
        route.Execute(batch =>
        {
            foreach (LinkState link in route.Links().Where(IsOurs))
                batch.DeleteLink(link.Index, link.Name);
        });
        _bridges.Clear();
        _tunnels.Clear();
        _plan = null;
    }

    private static bool IsOurs(LinkState link) => link.Kind is "bridge" or "veth" or "vxlan" or "tun";

    // From what the kernel has, whatever that is.
    private void Reconcile(ProjectPlan plan)
    {
        _bridges.Clear();
        _tunnels.Clear();
        List<LinkState> links = route.Links();
        Dictionary<string, PortSpec> ports = plan.Ports.Values.Where(p => p.Machine is null).ToDictionary(p => LinkNames.Port(p.Id));
        Dictionary<string, SegmentSpec> tunnelled = plan.Segments.Values.Where(HasTunnel).ToDictionary(s => LinkNames.Tunnel(s.Id));
        Dictionary<string, SegmentSpec> bridges = plan.Segments.Values.ToDictionary(s => LinkNames.Bridge(s.Id));
        var batch = new RouteBatch();
        foreach (LinkState link in links.Where(IsOurs).Where(l => !ports.ContainsKey(l.Name) && l.Name != LinkNames.Uplink))
        {
            if (bridges.TryGetValue(link.Name, out SegmentSpec? segment) && link.Kind == "bridge" && link.Mac == LinkNames.GatewayMac(segment.Id) && link.Mtu == segment.Mtu)
                continue;
            if (tunnelled.TryGetValue(link.Name, out segment) && link.Kind == "vxlan" && link.Alias == tunnels!.Describe(segment) && link.Mtu == segment.Mtu)
                continue;
            batch.DeleteLink(link.Index, link.Name);
        }

        if (links.FirstOrDefault(l => l.Name == "lo") is { IsUp: false } loopback)
            batch.SetLink(loopback.Index, "set lo up", up: true);
        route.Execute(batch);
        foreach (SegmentSpec segment in plan.Segments.Values)
            AddSegment(segment);

        batch = new RouteBatch();
        ReconcileAddresses(batch, plan);
        ReconcileNeighbours(batch, plan);
        foreach (PortSpec port in plan.Ports.Values)
            AddNeighbours(batch, port);
        route.Execute(batch);

        links = route.Links();
        batch = new RouteBatch();
        foreach (LinkState link in links)
        {
            if (ports.TryGetValue(link.Name, out PortSpec? port))
                Attach(batch, link, port, plan.Segments[port.SegmentId]);
        }

        ReconcileForwarding(batch, links, ports, plan);
        foreach (PortSpec port in plan.Ports.Values.Where(p => p.Machine is not null))
            AddRemote(batch, port, plan.Segments[port.SegmentId]);
        route.Execute(batch);
    }

    private void ReconcileAddresses(RouteBatch batch, ProjectPlan plan)
    {
        HashSet<(int, IPAddress, int)> wanted = [];
        foreach (SegmentSpec segment in plan.Segments.Values)
        {
            foreach ((IPAddress address, int length) in Gateways(segment))
                wanted.Add((_bridges[segment.Id], address, length));
        }

        var bridges = _bridges.Values.ToHashSet();
        foreach (AddressState address in route.Addresses())
        {
            if (bridges.Contains(address.Index) && !address.Address.IsIPv6LinkLocal && !wanted.Contains((address.Index, address.Address, address.PrefixLength)))
                batch.DeleteAddress(address.Index, address.Address, address.PrefixLength);
        }
    }

    private void ReconcileNeighbours(RouteBatch batch, ProjectPlan plan)
    {
        HashSet<(int, IPAddress)> wanted = [];
        foreach (PortSpec port in plan.Ports.Values)
        {
            foreach (IPAddress address in NeighbourAddresses(port))
                wanted.Add((_bridges[port.SegmentId], address));
        }

        var bridges = _bridges.Values.ToHashSet();
        foreach (NeighbourState neighbour in route.Neighbours())
        {
            if (neighbour.IsStatic && neighbour.Destination is { } address && !IsMulticast(address) && bridges.Contains(neighbour.Index) && !wanted.Contains((neighbour.Index, address)))
                batch.DeleteNeighbour(neighbour.Index, address);
        }
    }

    private void ReconcileForwarding(RouteBatch batch, List<LinkState> links, Dictionary<string, PortSpec> ports, ProjectPlan plan)
    {
        Dictionary<int, LinkState> byIndex = links.ToDictionary(l => l.Index);
        HashSet<(int, MacAddress, IPAddress?)> wanted = [.. plan.Ports.Values.Where(p => p.Machine is not null && _tunnels.ContainsKey(p.SegmentId))
            .SelectMany(p => new (int, MacAddress, IPAddress?)[] { (_tunnels[p.SegmentId], p.Mac, null), (_tunnels[p.SegmentId], p.Mac, p.Machine), (_tunnels[p.SegmentId], default, p.Machine) })];
        foreach (NeighbourState entry in route.Forwarding().Where(e => e.IsStatic && byIndex.ContainsKey(e.Index)))
        {
            LinkState link = byIndex[entry.Index];
            bool isTunnel = link.Kind == "vxlan";
            // The kernel itself adds an entry for each port's own MAC.
            if (link.Mac == entry.Mac || (isTunnel && wanted.Contains((entry.Index, entry.Mac, entry.Destination))))
                continue;
            if (isTunnel && entry.Destination is { } machine)
                batch.DeleteTunnelForwarding(entry.Index, entry.Mac, machine);
            else if (entry.Master != 0 && (isTunnel || (ports.TryGetValue(link.Name, out PortSpec? port) && port.Mac != entry.Mac)))
                batch.DeleteForwarding(entry.Index, entry.Mac);
        }
    }

    private void Change(ProjectPlan before, ProjectPlan plan)
    {
        var batch = new RouteBatch();
        List<PortSpec> added = [];
        if (before.Ports != plan.Ports)
        {
            foreach ((string id, PortSpec port) in before.Ports)
            {
                if (!plan.Ports.TryGetValue(id, out PortSpec? kept) || kept.SegmentId != port.SegmentId || !Equals(kept.Machine, port.Machine))
                    RemovePort(batch, port, plan);
                else if (!ReferenceEquals(kept, port) && (kept.Mac != port.Mac || !kept.Addresses.SequenceEqual(port.Addresses)))
                    RemoveNeighbours(batch, port, plan);
            }

            added.AddRange(plan.Ports.Where(p => !before.Ports.TryGetValue(p.Key, out PortSpec? port) || !ReferenceEquals(port, p.Value)).Select(p => p.Value));
        }

        foreach (SegmentSpec segment in before.Segments.Values.Where(s => !plan.Segments.TryGetValue(s.Id, out SegmentSpec? kept) || kept != s))
        {
            // Addresses of a segment that stays change in place; other properties are fixed for life (PlanCheck).
            if (plan.Segments.TryGetValue(segment.Id, out SegmentSpec? kept) && kept.Mtu == segment.Mtu)
            {
                foreach ((IPAddress address, int length) in Gateways(segment).Except(Gateways(kept)))
                    batch.DeleteAddress(_bridges[segment.Id], address, length);
                continue;
            }

            batch.DeleteLink(_bridges[segment.Id], LinkNames.Bridge(segment.Id));
            _bridges.Remove(segment.Id);
            if (_tunnels.Remove(segment.Id, out int tunnel))
                batch.DeleteLink(tunnel, LinkNames.Tunnel(segment.Id));
        }

        route.Execute(batch);
        foreach (SegmentSpec segment in plan.Segments.Values.Where(s => !before.Segments.TryGetValue(s.Id, out SegmentSpec? had) || had != s))
            AddSegment(segment);
        if (added.Count == 0)
            return;
        batch = new RouteBatch();
        foreach (PortSpec port in added)
        {
            AddNeighbours(batch, port);
            if (port.Machine is not null)
                AddRemote(batch, port, plan.Segments[port.SegmentId]);
            else if (route.FindLink(LinkNames.Port(port.Id)) is { } link)
                Attach(batch, link, port, plan.Segments[port.SegmentId]);
        }

        route.Execute(batch);
    }

    private void AddSegment(SegmentSpec segment)
    {
        string name = LinkNames.Bridge(segment.Id);
        if (route.FindLink(name) is not { } bridge)
        {
            route.Execute(b => b.AddBridge(name, LinkNames.GatewayMac(segment.Id), segment.Mtu));
            bridge = route.FindLink(name) ?? throw new IOException($"bridge {name} of segment {segment.Id} is gone");
        }

        _bridges[segment.Id] = bridge.Index;
        if (HasTunnel(segment))
            AddTunnel(segment, bridge.Index);
        route.Execute(b =>
        {
            b.SetLink(bridge.Index, $"set bridge {name} up", up: true, alias: $"candela segment {segment.Id}");
            foreach ((IPAddress address, int length) in Gateways(segment))
                b.AddAddress(bridge.Index, address, length);
        });
    }

    private void AddTunnel(SegmentSpec segment, int bridge)
    {
        string name = LinkNames.Tunnel(segment.Id);
        if (route.FindLink(name) is not { } link)
        {
            tunnels!.Add(segment, space);
            link = route.FindLink(name) ?? throw new IOException($"VXLAN link {name} of segment {segment.Id} is gone");
        }

        _tunnels[segment.Id] = link.Index;
        route.Execute(b =>
        {
            b.SetLink(link.Index, $"connect VXLAN link {name}", master: bridge, alias: tunnels!.Describe(segment));
            b.SetBridgePort(link.Index, name, suppressNeighbours: true);
            b.SetAutomaticIPv6(link.Index, name, enabled: false);
            b.SetLink(link.Index, $"set VXLAN link {name} up", up: true);
        });
    }

    private void Attach(RouteBatch batch, LinkState link, PortSpec port, SegmentSpec segment)
    {
        int bridge = _bridges[segment.Id];
        // Before the link is up, so that it never forwards as a bridge's port does by default.
        batch.SetLink(link.Index, $"connect port {port.Id}", master: bridge, mtu: segment.Mtu, alias: $"candela port {port.Id}");
        batch.SetBridgePort(link.Index, link.Name, suppressNeighbours: false);
        batch.SetAutomaticIPv6(link.Index, link.Name, enabled: false);
        batch.SetForwarding(link.Index, port.Mac);
        batch.SetLink(link.Index, $"set port {port.Id} up", up: true);
    }

    private void AddNeighbours(RouteBatch batch, PortSpec port)
    {
        foreach (IPAddress address in NeighbourAddresses(port))
            batch.SetNeighbour(_bridges[port.SegmentId], address, port.Mac);
    }

    // Where the MACs of another machine's ports are: behind the tunnel, and there behind that machine.
    private void AddRemote(RouteBatch batch, PortSpec port, SegmentSpec segment)
    {
        if (!_tunnels.TryGetValue(segment.Id, out int tunnel))
            return;
        batch.SetForwarding(tunnel, port.Mac);
        batch.AddTunnelForwarding(tunnel, port.Mac, port.Machine!);
        if (segment.HasMulticast)
            batch.AddTunnelForwarding(tunnel, default, port.Machine!);
    }

    private void RemoveNeighbours(RouteBatch batch, PortSpec port, ProjectPlan plan)
    {
        foreach (IPAddress address in NeighbourAddresses(port))
            batch.DeleteNeighbour(_bridges[port.SegmentId], address);
        if (port.Machine is null && route.FindLink(LinkNames.Port(port.Id)) is { } link)
            batch.DeleteForwarding(link.Index, port.Mac);
        if (port.Machine is null || !_tunnels.TryGetValue(port.SegmentId, out int tunnel))
            return;
        batch.DeleteForwarding(tunnel, port.Mac);
        batch.DeleteTunnelForwarding(tunnel, port.Mac, port.Machine);
        if (!plan.Ports.Values.Any(p => p.SegmentId == port.SegmentId && port.Machine.Equals(p.Machine)))
            batch.DeleteTunnelForwarding(tunnel, default, port.Machine);
    }

    private void RemovePort(RouteBatch batch, PortSpec port, ProjectPlan plan)
    {
        RemoveNeighbours(batch, port, plan);
        if (port.Machine is null && route.FindLink(LinkNames.Port(port.Id)) is { } link)
            batch.DeleteLink(link.Index, link.Name);
    }

    private bool HasTunnel(SegmentSpec segment) => segment.Vni is not null && tunnels?.Local is not null;

    private static IEnumerable<IPAddress> NeighbourAddresses(PortSpec port) => port.Ipv6 is null ? port.Addresses : port.Addresses.Append(port.Mac.LinkLocal);

    private static IEnumerable<(IPAddress Address, int PrefixLength)> Gateways(SegmentSpec segment)
    {
        if (segment is { Ipv4: { } ipv4, Gateway4: { } gateway4 })
            yield return (gateway4, ipv4.PrefixLength);
        if (segment is { Ipv6: { } ipv6, Gateway6: { } gateway6 })
            yield return (gateway6, ipv6.PrefixLength);
    }

    private static bool IsMulticast(IPAddress address) => address.IsIPv6Multicast || (address.GetAddressBytes() is [>= 224 and < 240, ..] and { Length: 4 });
}

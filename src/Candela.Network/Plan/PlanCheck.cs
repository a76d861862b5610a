using System.Net;
using Candela.Model;

namespace Candela.Network.Plan;

/// <summary>Checks that a plan is one that can be carried out, before anything is touched.</summary>
internal static class PlanCheck
{
    private const int PolicyIdLength = 64;
    private const uint MaximumVni = (1 << 24) - 1;
    private const int MinimumMtu = 576, MinimumIpv6Mtu = 1280, MaximumMtu = 65_000;

    /// <summary>Throws when the plan contradicts itself.</summary>
    public static void Check(ProjectPlan plan)
    {
        CheckSegments(plan);
        CheckPorts(plan);
        CheckPolicies(plan);
        foreach (SegmentRoute route in plan.Routes)
            Require(plan.Segments.ContainsKey(route.First) && plan.Segments.ContainsKey(route.Second), $"a route names a segment that is not there: {route.First}, {route.Second}");
        foreach (PublishedPort published in plan.Published)
        {
            Require(plan.Ports.ContainsKey(published.PortId), $"a published port names port {published.PortId}, which is not there");
            Require(published.Protocol is Protocol.Tcp or Protocol.Udp or Protocol.Sctp && published is { HostPort: > 0, ContainerPort: > 0 },
                "only ports 1 to 65535 of tcp, udp and sctp can be published");
        }
    }

    private static void CheckSegments(ProjectPlan plan)
    {
        SegmentSpec[] segments = [.. plan.Segments.Values];
        foreach (SegmentSpec segment in segments)
        {
            Require(segment.Ipv4 is not null || segment.Ipv6 is not null, $"segment {segment.Id} has neither an IPv4 nor an IPv6 network");
            Require((segment.Ipv4 is null) == (segment.Gateway4 is null) && (segment.Ipv6 is null) == (segment.Gateway6 is null), $"segment {segment.Id} needs a gateway for each of its networks");
            Require(segment.Gateway4 is null || segment.Ipv4!.Value.Contains(segment.Gateway4), $"gateway {segment.Gateway4} of segment {segment.Id} is not in {segment.Ipv4}");
            Require(segment.Gateway6 is null || segment.Ipv6!.Value.Contains(segment.Gateway6), $"gateway {segment.Gateway6} of segment {segment.Id} is not in {segment.Ipv6}");
            int smallest = segment.Ipv6 is null ? MinimumMtu : MinimumIpv6Mtu;
            Require(segment.Mtu >= smallest && segment.Mtu <= MaximumMtu, $"the MTU {segment.Mtu} of segment {segment.Id} is not from {smallest} to {MaximumMtu}");
            Require(segment.Vni is null or (> 0 and <= MaximumVni), $"the VNI {segment.Vni} of segment {segment.Id} is not from 1 to {MaximumVni}");
        }

        // Between projects networks may overlap: each has a namespace of its own. Within one they share its routes.
        CheckOverlap(segments.Where(s => s.Ipv4 is not null).Select(s => (s.Id, s.Ipv4!.Value)));
        CheckOverlap(segments.Where(s => s.Ipv6 is not null).Select(s => (s.Id, s.Ipv6!.Value)));
    }

    private static void CheckOverlap(IEnumerable<(string Id, IPNetwork Network)> networks)
    {
        // In order of their first addresses two overlap only if neighbours do.
        (string Id, IPNetwork Network) before = default;
        foreach ((string Id, IPNetwork Network) segment in networks.OrderBy(n => Firewall.AddressRange.Of(n.Network).First).ThenBy(n => n.Network.PrefixLength))
        {
            Require(before.Id is null || !before.Network.Contains(segment.Network.BaseAddress),
                $"segments {before.Id} ({before.Network}) and {segment.Id} ({segment.Network}) of one project overlap: choose another subnet");
            before = segment;
        }
    }

    private static void CheckPorts(ProjectPlan plan)
    {
        var addresses = new HashSet<IPAddress>();
        var macs = new HashSet<(string, MacAddress)>();
        foreach (PortSpec port in plan.Ports.Values)
        {
            Require(plan.Segments.TryGetValue(port.SegmentId, out SegmentSpec? segment), $"port {port.Id} is on segment {port.SegmentId}, which is not there");
            Require(port.Ipv4 is not null || port.Ipv6 is not null, $"port {port.Id} has no address");
            Require(port.Ipv4 is null || segment!.Ipv4?.Contains(port.Ipv4) == true, $"address {port.Ipv4} of port {port.Id} is not in {segment!.Ipv4}");
            Require(port.Ipv6 is null || segment!.Ipv6?.Contains(port.Ipv6) == true, $"address {port.Ipv6} of port {port.Id} is not in {segment!.Ipv6}");
            Require(port.EgressBytesPerSecond is null or >= 1000 and <= 1L << 40 && port.IngressBytesPerSecond is null or >= 1000 and <= 1L << 40, $"the rate limits of port {port.Id} are not from 1,000 bytes to 1 TiB a second");
            Require((port.Mac.Value >> 40 & 1) == 0 && port.Mac.Value != 0, $"MAC {port.Mac} of port {port.Id} is not the address of one station");
            Require(macs.Add((port.SegmentId, port.Mac)), $"two ports of segment {port.SegmentId} have MAC {port.Mac}");
            foreach (IPAddress address in port.Addresses)
                Require(addresses.Add(address) && !address.Equals(segment!.Gateway4) && !address.Equals(segment.Gateway6), $"address {address} of port {port.Id} is in use");
        }
    }

    private static void CheckPolicies(ProjectPlan plan)
    {
        foreach (Policy policy in plan.Policies.Values)
        {
            Require(policy.Id.Length is > 0 and <= PolicyIdLength, $"the id of policy {policy.Id} is not of 1 to {PolicyIdLength} characters");
            Require(policy.Priority is >= 0 and <= ushort.MaxValue, $"the priority {policy.Priority} of policy {policy.Id} is not from 0 to 65535");
            foreach (string group in policy.Groups.Concat(policy.Peers.OfType<Peer.Group>().Select(g => g.GroupId)))
                Require(plan.Groups.ContainsKey(group), $"policy {policy.Id} names group {group}, which is not there");
            Require(policy.Direction == Direction.Egress || !policy.Peers.OfType<Peer.DnsName>().Any(), $"policy {policy.Id}: DNS names are for egress only");
            foreach (Service service in policy.Services)
            {
                Require(service.FirstPort is null || service.Protocol is Protocol.Tcp or Protocol.Udp or Protocol.Sctp, $"policy {policy.Id}: {service.Protocol} has no ports");
                Require(service.LastPort is null || (service.FirstPort is { } first && service.LastPort >= first), $"policy {policy.Id}: a range of ports ends before it begins");
                Require(service.IcmpType is null || service.Protocol is Protocol.Icmp or Protocol.Icmp6, $"policy {policy.Id}: {service.Protocol} has no ICMP types");
            }
        }
    }

    private static void Require(bool condition, string message)
    {
        if (!condition)
            throw new CandelaException(ErrorCode.InvalidArgument, message);
    }
}

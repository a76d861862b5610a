using System.Net;
using Candela.Network.Plan;

namespace Candela.Network.Tests.Policies;

/// <summary>What a first packet of a flow is.</summary>
internal sealed record Flow(PortSpec From, PortSpec To, bool IsIpv6, Protocol Protocol, ushort Port, byte IcmpType)
{
    public IPAddress Source => (IsIpv6 ? From.Ipv6 : From.Ipv4)!;

    public IPAddress Destination => (IsIpv6 ? To.Ipv6 : To.Ipv4)!;
}

/// <summary>
/// Says what policies mean, straight from their description: no identities, no chains, no sorting into classes. The firewall's
/// compiler shares no code with it.
/// </summary>
internal static class FlowModel
{
    public static bool Passes(ProjectPlan plan, Flow flow)
    {
        bool sameSegment = flow.From.SegmentId == flow.To.SegmentId;
        bool routed = plan.Routes.Any(r => (r.First == flow.From.SegmentId && r.Second == flow.To.SegmentId) || (r.Second == flow.From.SegmentId && r.First == flow.To.SegmentId));
        if (!sameSegment && !routed)
            return false;
        bool byDefault = plan.Stance == DefaultStance.Open;
        return (Decision(plan, Direction.Egress, flow.From, flow.To, flow.Destination, flow) ?? byDefault) &&
            (Decision(plan, Direction.Ingress, flow.To, flow.From, flow.Source, flow) ?? byDefault);
    }

    private static bool? Decision(ProjectPlan plan, Direction direction, PortSpec subject, PortSpec other, IPAddress otherAddress, Flow flow)
    {
        Policy? best = null;
        foreach (Policy policy in plan.Policies.Values)
        {
            if (policy.Direction != direction || !IsAbout(plan, policy, subject) || !MeansPeer(plan, policy, other, otherAddress) || !MeansService(policy, flow))
                continue;
            if (best is null || policy.Priority < best.Priority || (policy.Priority == best.Priority && policy.Action == PolicyAction.Deny))
                best = policy;
        }

        return best is null ? null : best.Action == PolicyAction.Allow;
    }

    private static bool IsAbout(ProjectPlan plan, Policy policy, PortSpec port)
    {
        if (policy.Groups.Length == 0 && policy.Segments.Length == 0)
            return true;
        foreach (string segment in policy.Segments)
        {
            if (segment == port.SegmentId)
                return true;
        }

        foreach (string group in policy.Groups)
        {
            if (IsMember(plan, group, port))
                return true;
        }

        return false;
    }

    private static bool IsMember(ProjectPlan plan, string group, PortSpec port)
    {
        foreach ((string key, string value) in plan.Groups[group].Labels)
        {
            if (!port.Labels.TryGetValue(key, out string? had) || had != value)
                return false;
        }

        return true;
    }

    private static bool MeansPeer(ProjectPlan plan, Policy policy, PortSpec other, IPAddress address)
    {
        if (policy.Peers.Length == 0)
            return true;
        foreach (Peer peer in policy.Peers)
        {
            if (peer is Peer.Group group && IsMember(plan, group.GroupId, other))
                return true;
            if (peer is Peer.Segment segment && segment.SegmentId == other.SegmentId)
                return true;
            if (peer is Peer.Cidr cidr && cidr.Network.Contains(address))
            {
                bool excepted = false;
                foreach (IPNetwork except in cidr.Except)
                    excepted |= except.Contains(address);
                if (!excepted)
                    return true;
            }

            if (peer is Peer.DnsName name && plan.Resolved.TryGetValue(name.Name, out var addresses) && addresses.Contains(address))
                return true;
        }

        return false;
    }

    private static bool MeansService(Policy policy, Flow flow)
    {
        if (policy.Services.Length == 0)
            return true;
        foreach (Service service in policy.Services)
        {
            if (service.Protocol == Protocol.Any)
                return true;
            if (service.Protocol != flow.Protocol)
                continue;
            if (service.Protocol is Protocol.Icmp or Protocol.Icmp6)
            {
                if (service.IcmpType is null || service.IcmpType == flow.IcmpType)
                    return true;
            }
            else if (service.FirstPort is null || (flow.Port >= service.FirstPort && flow.Port <= (service.LastPort ?? service.FirstPort)))
            {
                return true;
            }
        }

        return false;
    }
}

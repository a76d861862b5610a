using System.Collections.Immutable;
using System.Net;
using Candela.Model.Networking;
using Plan = Candela.Network.Plan;

namespace Candela.Controller.Networks.Policies;

/// <summary>Groups and policies as they are described, in the plan's terms.</summary>
internal static class RuleCompiler
{
    public static Plan.SecurityGroup Compile(SecurityGroup group) => new() { Id = group.Name, Labels = group.Labels.ToImmutableDictionary() };

    /// <summary>A policy.</summary>
    /// <param name="policy">Checked by <see cref="PolicyCheck"/>.</param>
    /// <param name="segmentOf">Id of a segment of the project, by name.</param>
    public static Plan.Policy Compile(NetworkPolicy policy, Func<string, string> segmentOf) => new()
    {
        Id = policy.Name,
        Direction = policy.Direction == TrafficDirection.Ingress ? Plan.Direction.Ingress : Plan.Direction.Egress,
        Action = policy.Action == NetworkPolicyAction.Allow ? Plan.PolicyAction.Allow : Plan.PolicyAction.Deny,
        Priority = policy.Priority,
        Groups = [.. policy.Subjects.Select(GroupOf).OfType<string>()],
        Segments = [.. policy.Subjects.Select(s => s.Segment).OfType<string>().Select(segmentOf)],
        Peers = [.. policy.Peers.Select(p => Peer(p, segmentOf))],
        Services = [.. policy.Services.Select(Service)],
        IsLogged = policy.Logged,
    };

    /// <summary>Names of the workloads that a policy speaks of.</summary>
    public static IEnumerable<string> WorkloadsOf(NetworkPolicy policy) => policy.Subjects.Concat(policy.Peers).Select(p => p.Workload).OfType<string>().Select(NameOf);

    private static string NameOf(string workload) => workload[(workload.LastIndexOf('/') + 1)..];

    private static string? GroupOf(NetworkPeer end) => end.Group ?? (end.Workload is { } workload ? WorkloadGroups.IdOf(NameOf(workload)) : null);

    private static Plan.Peer Peer(NetworkPeer peer, Func<string, string> segmentOf) => peer switch
    {
        { Segment: { } segment } => new Plan.Peer.Segment(segmentOf(segment)),
        { Cidr: { } cidr } => new Plan.Peer.Cidr(IPNetwork.Parse(cidr), [.. peer.Except.Select(e => IPNetwork.Parse(e))]),
        { DnsName: { } name } => new Plan.Peer.DnsName(name),
        _ => new Plan.Peer.Group(GroupOf(peer)!),
    };

    private static Plan.Service Service(PolicyService service) => new()
    {
        Protocol = service.Protocol switch
        {
            NetworkProtocol.Tcp => Plan.Protocol.Tcp,
            NetworkProtocol.Udp => Plan.Protocol.Udp,
            NetworkProtocol.Sctp => Plan.Protocol.Sctp,
            NetworkProtocol.Icmp => Plan.Protocol.Icmp,
            NetworkProtocol.Icmp6 => Plan.Protocol.Icmp6,
            _ => Plan.Protocol.Any,
        },
        FirstPort = (ushort?)service.FirstPort,
        LastPort = (ushort?)service.LastPort,
        IcmpType = (byte?)service.IcmpType,
    };
}

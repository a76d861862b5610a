using System.Net;
using System.Text.RegularExpressions;
using Candela.Controller.Storage;
using Candela.Model;
using Candela.Model.Networking;

namespace Candela.Controller.Networks.Policies;

/// <summary>Checks what users say of groups and policies, with every limit, before anything is done.</summary>
internal static partial class PolicyCheck
{
    private const int DnsNameLength = 253;

    [GeneratedRegex("^[a-z0-9][a-z0-9._-]*\\z", RegexOptions.CultureInvariant)]
    private static partial Regex NamePattern { get; }

    [GeneratedRegex("^(\\*\\.)?([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?\\.)+[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\\z", RegexOptions.CultureInvariant)]
    private static partial Regex DnsNamePattern { get; }

    public static void Check(SecurityGroupSpec spec)
    {
        CheckName(spec.Name, "group");
        CheckDescription(spec.Description);
        Require(spec.Labels.Count <= NetworkPolicyLimits.LabelCount, $"a group selects by at most {NetworkPolicyLimits.LabelCount} labels, not {spec.Labels.Count}");
        foreach ((string key, string value) in spec.Labels)
            Require(key.Length is > 0 and <= NetworkPolicyLimits.LabelLength && key[0] != '\0' && value is { Length: <= NetworkPolicyLimits.LabelLength },
                $"a label has a key of 1 to {NetworkPolicyLimits.LabelLength} characters and a value of at most as many");
    }

    /// <summary>Checks a policy; whether groups and segments are there is the caller's to check.</summary>
    public static void Check(NetworkPolicySpec spec, string project)
    {
        CheckName(spec.Name, "policy");
        CheckDescription(spec.Description);
        Require(spec.Priority is >= 0 and <= NetworkPolicyLimits.PriorityMaximum, $"the priority is 0 to {NetworkPolicyLimits.PriorityMaximum}, not {spec.Priority}");
        Require(spec.Subjects.Count <= NetworkPolicyLimits.PeerCount, $"a policy has at most {NetworkPolicyLimits.PeerCount} subjects, not {spec.Subjects.Count}");
        Require(spec.Peers.Count <= NetworkPolicyLimits.PeerCount, $"a policy has at most {NetworkPolicyLimits.PeerCount} peers, not {spec.Peers.Count}");
        Require(spec.Services.Count <= NetworkPolicyLimits.ServiceCount, $"a policy has at most {NetworkPolicyLimits.ServiceCount} services, not {spec.Services.Count}");
        foreach (NetworkPeer subject in spec.Subjects)
        {
            CheckEnd(subject, project);
            Require(subject.Cidr is null && subject.DnsName is null, "whom a policy is about is said by group, segment or workload; addresses and DNS names are for peers");
        }

        foreach (NetworkPeer peer in spec.Peers)
        {
            CheckEnd(peer, project);
            Require(peer.DnsName is null || spec.Direction == TrafficDirection.Egress, "a DNS name is for peers of egress only: who sends is not known by name");
        }

        foreach (PolicyService service in spec.Services)
            CheckService(service);
    }

    private static void CheckEnd(NetworkPeer end, string project)
    {
        int given = new[] { end.Group, end.Segment, end.Workload, end.Cidr, end.DnsName }.Count(v => v is not null);
        Require(given == 1, $"a subject or peer says just one of group, segment, workload, cidr and dnsName, not {given}");
        Require(end.Cidr is not null || end.Except.Count == 0, "except is for cidr only");
        if (end.Cidr is { } cidr)
            CheckCidr(cidr, end.Except);
        if (end.DnsName is { } name)
            Require(name.Length <= DnsNameLength && DnsNamePattern.IsMatch(name), $"'{name}' is no DNS name like example.org or *.example.org, in lower case");
        if (end.Workload is { } workload)
            CheckWorkload(workload, project);
    }

    private static void CheckCidr(string cidr, IReadOnlyList<string> except)
    {
        Require(except.Count <= NetworkPolicyLimits.ExceptionCount, $"a CIDR has at most {NetworkPolicyLimits.ExceptionCount} exceptions, not {except.Count}");
        IPNetwork network = Network(cidr);
        foreach (string part in except)
        {
            IPNetwork inner = Network(part);
            Require(inner.PrefixLength >= network.PrefixLength && inner.BaseAddress.AddressFamily == network.BaseAddress.AddressFamily && network.Contains(inner.BaseAddress), $"the exception {part} is not within {cidr}");
        }
    }

    private static void CheckWorkload(string workload, string project)
    {
        string[] parts = workload.Split('/');
        Require(parts.Length == 3 && parts.All(p => p.Length is > 0 and <= Limits.NameLength), $"'{workload}' is no workload: TENANT/PROJECT/NAME, NAME * for all of a project");
        // Projects are apart: no path leads from one to another, so that a policy about it would only deceive.
        Require(parts[0] == StateKeys.DefaultTenant && parts[1] == project, $"workload '{workload}' is not of this project, {StateKeys.DefaultTenant}/{project}: there is no path between projects");
    }

    private static void CheckService(PolicyService service)
    {
        bool hasPorts = service.Protocol is NetworkProtocol.Tcp or NetworkProtocol.Udp or NetworkProtocol.Sctp;
        bool isIcmp = service.Protocol is NetworkProtocol.Icmp or NetworkProtocol.Icmp6;
        Require(Enum.IsDefined(service.Protocol) && service.Protocol != NetworkProtocol.Other, "a service's protocol is any, tcp, udp, sctp, icmp or icmp6");
        Require(hasPorts || (service.FirstPort is null && service.LastPort is null), $"{service.Protocol} has no ports");
        Require(service.FirstPort is null or (>= 1 and <= ushort.MaxValue) && service.LastPort is null or (>= 1 and <= ushort.MaxValue), "a port is 1 to 65535");
        Require(service.LastPort is null || service.FirstPort is not null, "lastPort needs firstPort");
        Require(service.LastPort is null || service.LastPort >= service.FirstPort, $"the range of ports {service.FirstPort}-{service.LastPort} ends before it begins");
        Require(isIcmp || service.IcmpType is null, $"{service.Protocol} has no ICMP types");
        Require(service.IcmpType is null or (>= 0 and <= byte.MaxValue), "a type of ICMP is 0 to 255");
    }

    private static IPNetwork Network(string text) => IPNetwork.TryParse(text, out IPNetwork network) &&
        IPAddress.TryParse(text.AsSpan(0, text.IndexOf('/', StringComparison.Ordinal)), out IPAddress? address) && address.Equals(network.BaseAddress)
        ? network
        : throw new CandelaException(ErrorCode.InvalidArgument, $"'{text}' is no network like 10.0.0.0/8 or fd00::/8, without bits behind the prefix");

    private static void CheckName(string name, string what) =>
        Require(name.Length <= NetworkPolicyLimits.NameLength && NamePattern.IsMatch(name), $"'{name}' cannot name a {what}: it takes {NetworkPolicyLimits.NameRule}");

    private static void CheckDescription(string? description) =>
        Require(description is null or { Length: <= NetworkPolicyLimits.DescriptionLength }, $"a description has at most {NetworkPolicyLimits.DescriptionLength} characters");

    private static void Require(bool condition, string message)
    {
        if (!condition)
            throw new CandelaException(ErrorCode.InvalidArgument, message);
    }
}

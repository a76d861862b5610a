using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Candela.Network.Plan;

namespace Candela.Network.Firewall;

/// <summary>
/// Sorts addresses into classes that no policy tells apart: same segment, same groups, same CIDR and DNS peers. The kernel knows only
/// the number of the class (its identity). Of one set of groups, segments, policies and resolved names.
/// </summary>
internal sealed class Classifier
{
    private const string NamePrefix = "name ";
    private readonly SecurityGroup[] _groupsOfAll;
    private readonly ILookup<(string Key, string Value), SecurityGroup> _groupsByLabel;
    private readonly Dictionary<string, int> _peerNumbers = [];
    private readonly ImmutableDictionary<string, SecurityGroup> _groups;
    private readonly ImmutableDictionary<string, ImmutableArray<IPAddress>> _resolved;

    /// <param name="plan">Whose groups and policies count.</param>
    /// <param name="numbers">Keeps the numbers of peers that stay.</param>
    public Classifier(ProjectPlan plan, Numbering numbers)
    {
        // Each group under one of its labels: a port is tried with the few groups of its own labels.
        _groupsOfAll = [.. plan.Groups.Values.Where(g => g.Labels.IsEmpty)];
        _groupsByLabel = plan.Groups.Values.Where(g => !g.Labels.IsEmpty).ToLookup(g => g.Labels.OrderBy(l => l.Key, StringComparer.Ordinal).Select(l => (l.Key, l.Value)).First());
        (_groups, _resolved) = (plan.Groups, plan.Resolved);
        var peers = new List<(int, AddressPeer)>();
        foreach (Peer peer in plan.Policies.Values.SelectMany(p => p.Peers))
        {
            string key = Key(peer);
            if (key.Length == 0 || _peerNumbers.ContainsKey(key))
                continue;
            int number = (int)numbers.Of(key);
            _peerNumbers.Add(key, number);
            peers.Add((number, peer is Peer.Cidr cidr
                ? new AddressPeer(AddressRange.Of(cidr.Network), [.. cidr.Except.Select(AddressRange.Of)])
                : new AddressPeer(null, []) { Addresses = [.. ResolvedAddresses(plan, ((Peer.DnsName)peer).Name)] }));
        }

        numbers.EndRound();
        (Atoms4, Atoms6) = (Atoms.Of(peers, isIpv6: false), Atoms.Of(peers, isIpv6: true));
    }

    /// <summary>Whether a plan sorts into the same classes.</summary>
    public bool HoldsFor(ProjectPlan plan)
    {
        if (plan.Groups != _groups)
            return false;
        HashSet<string> keys = [.. plan.Policies.Values.SelectMany(p => p.Peers).Select(Key).Where(k => k.Length > 0)];
        return keys.SetEquals(_peerNumbers.Keys) && (plan.Resolved == _resolved || !keys.Any(k => k.StartsWith(NamePrefix, StringComparison.Ordinal)));
    }

    /// <summary>Ranges of IPv4 addresses that CIDR and DNS peers tell apart.</summary>
    public Atoms Atoms4 { get; }

    /// <summary>Ranges of IPv6 addresses that CIDR and DNS peers tell apart.</summary>
    public Atoms Atoms6 { get; }

    /// <summary>Number of a CIDR or DNS peer.</summary>
    public int NumberOf(Peer peer) => _peerNumbers[Key(peer)];

    /// <summary>The class of a port's address.</summary>
    public EndpointClass ClassOf(PortSpec port, IPAddress address)
    {
        string[] groups = [.. port.Labels.SelectMany(l => _groupsByLabel[(l.Key, l.Value)]).Where(g => g.Has(port.Labels)).Concat(_groupsOfAll).Select(g => g.Id).Order(StringComparer.Ordinal)];
        return new EndpointClass(port.SegmentId, groups, PeersOf(address));
    }

    /// <summary>Numbers of the CIDR and DNS peers that have an address.</summary>
    public int[] PeersOf(IPAddress address) => (address.AddressFamily == AddressFamily.InterNetwork ? Atoms4 : Atoms6).PeersOf(address);

    // Empty for peers that are no addresses.
    private static string Key(Peer peer) => peer switch
    {
        Peer.Cidr cidr => $"{cidr.Network}!{string.Join('!', cidr.Except)}",
        Peer.DnsName name => NamePrefix + name.Name,
        _ => "",
    };

    private static IEnumerable<IPAddress> ResolvedAddresses(ProjectPlan plan, string name)
    {
        if (!name.StartsWith("*.", StringComparison.Ordinal))
            return plan.Resolved.TryGetValue(name, out var addresses) ? addresses : [];
        return plan.Resolved.Where(r => r.Key.EndsWith(name[1..], StringComparison.Ordinal)).SelectMany(r => r.Value);
    }
}

/// <summary>What policies can know of a port's address. Equal by content.</summary>
internal sealed class EndpointClass : IEquatable<EndpointClass>
{
    private readonly string _key;

    public EndpointClass(string segmentId, string[] groups, int[] peers)
    {
        (SegmentId, Groups, Peers) = (segmentId, groups, peers);
        _key = new StringBuilder(segmentId).Append('|').AppendJoin(',', groups).Append('|').AppendJoin(',', peers).ToString();
    }

    public string SegmentId { get; }

    public string[] Groups { get; }

    /// <summary>Numbers of the CIDR and DNS peers that have the address.</summary>
    public int[] Peers { get; }

    public bool Equals(EndpointClass? other) => other is not null && other._key == _key;

    public override bool Equals(object? obj) => Equals(obj as EndpointClass);

    public override int GetHashCode() => _key.GetHashCode(StringComparison.Ordinal);
}

/// <summary>A CIDR peer as ranges of numbers, or a DNS peer as the addresses that its name has.</summary>
internal sealed record AddressPeer(AddressRange? Range, AddressRange[] Except)
{
    public IPAddress[] Addresses { get; init; } = [];
}

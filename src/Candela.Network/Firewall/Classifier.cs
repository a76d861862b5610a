using System.Net;
using System.Text;
using Candela.Network.Plan;

namespace Candela.Network.Firewall;

/// <summary>
/// Sorts addresses into classes that no policy tells apart: same segment, same groups, same CIDR and DNS peers. The kernel knows only
/// the number of the class (its identity). Of one set of groups, segments, policies and resolved names.
/// </summary>
internal sealed class Classifier
{
    private readonly SecurityGroup[] _groups;
    private readonly Dictionary<string, int> _peerNumbers = [];

    /// <param name="plan">Whose groups and policies count.</param>
    /// <param name="numbers">Keeps the numbers of peers that stay.</param>
    public Classifier(ProjectPlan plan, Numbering numbers)
    {
        _groups = [.. plan.Groups.Values.OrderBy(g => g.Id, StringComparer.Ordinal)];
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

    /// <summary>Ranges of IPv4 addresses that CIDR and DNS peers tell apart.</summary>
    public Atoms Atoms4 { get; }

    /// <summary>Ranges of IPv6 addresses that CIDR and DNS peers tell apart.</summary>
    public Atoms Atoms6 { get; }

    /// <summary>Number of a CIDR or DNS peer.</summary>
    public int NumberOf(Peer peer) => _peerNumbers[Key(peer)];

    /// <summary>The class of a port's address.</summary>
    public EndpointClass ClassOf(PortSpec port, IPAddress address)
    {
        string[] groups = [.. _groups.Where(g => g.Has(port.Labels)).Select(g => g.Id)];
        int[] peers = (address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork ? Atoms4 : Atoms6).PeersOf(address);
        return new EndpointClass(port.SegmentId, groups, peers);
    }

    // Empty for peers that are no addresses.
    private static string Key(Peer peer) => peer switch
    {
        Peer.Cidr cidr => $"{cidr.Network}!{string.Join('!', cidr.Except)}",
        Peer.DnsName name => "name " + name.Name,
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

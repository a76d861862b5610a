using System.Globalization;
using Candela.Network.Flows;
using Candela.Network.Nftables;
using Candela.Network.Plan;
using static Candela.Network.Firewall.FirewallTables;

namespace Candela.Network.Firewall;

/// <summary>A chain that a verdict map leads to. One name stands for one content: what changes gets another name.</summary>
internal sealed record PolicyChain(string Name, NftRule[] Rules);

/// <summary>Keeps the numbers of contents that stay, so that what did not change is not touched.</summary>
internal sealed class Numbering(uint first)
{
    private Dictionary<object, uint> _numbers = [];
    private Dictionary<object, uint> _next = [];
    private readonly SortedSet<uint> _free = [];
    private uint _unused = first;

    /// <summary>The number that a content had before this round, or a new one.</summary>
    public uint Of(object content)
    {
        if (_next.TryGetValue(content, out uint number))
            return number;
        if (!_numbers.TryGetValue(content, out number))
        {
            number = _free.Count > 0 ? _free.Min : _unused++;
            _free.Remove(number);
        }

        _next.Add(content, number);
        return number;
    }

    /// <summary>Ends a round: numbers that were not asked for may be given away in the round after the next.</summary>
    public void EndRound()
    {
        foreach ((object content, uint number) in _numbers)
        {
            if (!_next.ContainsKey(content))
                _free.Add(number);
        }

        (_numbers, _next) = (_next, []);
    }
}

/// <summary>
/// What policies mean for the classes that there are: for each side of each pair of classes that some policy is about, the list of
/// policies that fit, in the order in which they decide; equal lists share a chain.
/// </summary>
internal sealed class PolicyMatrix
{
    private const uint AnyPeer = uint.MaxValue;
    private readonly ProjectPlan _plan;
    private readonly FlowLogOptions _log;
    private readonly Numbering _policyNumbers, _listNumbers;
    private readonly Dictionary<string, uint> _policies = [];
    private readonly Dictionary<string, string> _chains = [];
    private readonly Dictionary<(Direction Direction, uint Sender, uint Receiver), Policy[]> _lists = [];
    private readonly List<PolicyChain> _policyChains = [], _listChains = [];
    private readonly Dictionary<int, List<uint>> _identitiesOfPeer = [];
    private readonly ILookup<string, uint> _identitiesOfGroup, _identitiesOfSegment;

    public PolicyMatrix(ProjectPlan plan, FlowLogOptions log, Classifier classifier, Identities identities, Numbering policyNumbers, Numbering listNumbers)
    {
        (_plan, _log, _policyNumbers, _listNumbers) = (plan, log, policyNumbers, listNumbers);
        _identitiesOfGroup = identities.Endpoints.SelectMany(e => e.Key.Groups.Select(g => (g, e.Value))).ToLookup(e => e.g, e => e.Value);
        _identitiesOfSegment = identities.Endpoints.ToLookup(e => e.Key.SegmentId, e => e.Value);
        foreach ((int peer, uint identity) in identities.Endpoints.SelectMany(e => e.Key.Peers.Select(p => (p, e.Value)))
            .Concat(identities.Outside.SelectMany(o => o.Peers.Select(p => (p, o.Identity)))))
        {
            if (!_identitiesOfPeer.TryGetValue(peer, out List<uint>? list))
                _identitiesOfPeer.Add(peer, list = []);
            list.Add(identity);
        }

        Compile(Direction.Egress, classifier, identities, EgressPairs, EgressAny);
        Compile(Direction.Ingress, classifier, identities, IngressPairs, IngressAny);
        Counters = [.. _policies.Keys.Select(FirewallCounters.Policy)];
    }

    /// <summary>Chains of policies, then chains of lists, which refer to them.</summary>
    public IEnumerable<PolicyChain> Chains => _policyChains.Concat(_listChains);

    public HashSet<string> Counters { get; }

    public Dictionary<NftSet, HashSet<NftElement>> Elements { get; } = new()
    {
        [EgressPairs] = [],
        [IngressPairs] = [],
        [EgressAny] = [],
        [IngressAny] = [],
    };

    /// <summary>What policies say of a flow on one side; null for nothing.</summary>
    public bool? Decide(Direction direction, uint sender, uint receiver, FlowTuple flow)
    {
        if (!_lists.TryGetValue((direction, sender, receiver), out Policy[]? list) &&
            !_lists.TryGetValue((direction, direction == Direction.Egress ? sender : AnyPeer, direction == Direction.Egress ? AnyPeer : receiver), out list))
            return null;
        foreach (Policy policy in list)
        {
            if (policy.Services.IsEmpty || policy.Services.Any(s => s.Has(flow.Protocol, flow.DestinationPort, flow.IcmpType)))
                return policy.Action == PolicyAction.Allow;
        }

        return null;
    }

    private void Compile(Direction direction, Classifier classifier, Identities identities, NftSet pairs, NftSet any)
    {
        Policy[] ordered = [.. _plan.Policies.Values.Where(p => p.Direction == direction).OrderBy(p => p.Priority).ThenBy(p => p.Action == PolicyAction.Deny ? 0 : 1)
            .ThenBy(p => p.Id, StringComparer.Ordinal)];
        if (ordered.Length == 0)
            return;
        List<uint>[] peers = [.. ordered.Select(p => PeersOf(p, classifier))];
        (Dictionary<string, List<int>> byGroup, Dictionary<string, List<int>> bySegment, List<int> byAll) = SubjectsOf(ordered);

        foreach ((EndpointClass subject, uint identity) in identities.Endpoints)
        {
            int[] applicable = [.. byAll.Concat(subject.Groups.SelectMany(g => byGroup.GetValueOrDefault(g) ?? [])).Concat(bySegment.GetValueOrDefault(subject.SegmentId) ?? [])
                .Distinct().Order()];
            if (applicable.Length == 0)
                continue;

            int[] forAnyPeer = [.. applicable.Where(p => ordered[p].Peers.IsEmpty)];
            if (forAnyPeer.Length > 0)
            {
                _lists.Add(direction == Direction.Egress ? (direction, identity, AnyPeer) : (direction, AnyPeer, identity), [.. forAnyPeer.Select(p => ordered[p])]);
                Elements[any].Add(new NftElement { Key = NftKey.Of(identity), Verdict = NftVerdict.Goto(ChainOf(direction, ordered, forAnyPeer)) });
            }

            var listOfPeer = new Dictionary<uint, List<int>>();
            foreach (int policy in applicable)
            {
                foreach (uint peer in peers[policy])
                {
                    if (!listOfPeer.TryGetValue(peer, out List<int>? list))
                        listOfPeer.Add(peer, list = []);
                    if (list.Count == 0 || list[^1] != policy)
                        list.Add(policy);
                }
            }

            foreach ((uint peer, List<int> specific) in listOfPeer)
            {
                int[] list = forAnyPeer.Length == 0 ? [.. specific] : [.. specific.Concat(forAnyPeer).Order()];
                (uint sender, uint receiver) = direction == Direction.Egress ? (identity, peer) : (peer, identity);
                _lists.Add((direction, sender, receiver), [.. list.Select(p => ordered[p])]);
                Elements[pairs].Add(new NftElement { Key = NftKey.Of(sender, receiver), Verdict = NftVerdict.Goto(ChainOf(direction, ordered, list)) });
            }
        }
    }

    private List<uint> PeersOf(Policy policy, Classifier classifier)
    {
        var identities = new HashSet<uint>();
        foreach (Peer peer in policy.Peers)
        {
            identities.UnionWith(peer switch
            {
                Peer.Group group => _identitiesOfGroup[group.GroupId],
                Peer.Segment segment => _identitiesOfSegment[segment.SegmentId],
                _ => _identitiesOfPeer.GetValueOrDefault(classifier.NumberOf(peer)) ?? [],
            });
        }

        return [.. identities];
    }

    private static (Dictionary<string, List<int>> ByGroup, Dictionary<string, List<int>> BySegment, List<int> ByAll) SubjectsOf(Policy[] ordered)
    {
        Dictionary<string, List<int>> byGroup = [], bySegment = [];
        List<int> byAll = [];
        for (int i = 0; i < ordered.Length; i++)
        {
            foreach (string group in ordered[i].Groups)
                Add(byGroup, group, i);
            foreach (string segment in ordered[i].Segments)
                Add(bySegment, segment, i);
            if (ordered[i].Groups.IsEmpty && ordered[i].Segments.IsEmpty)
                byAll.Add(i);
        }

        return (byGroup, bySegment, byAll);

        static void Add(Dictionary<string, List<int>> index, string key, int policy)
        {
            if (!index.TryGetValue(key, out List<int>? list))
                index.Add(key, list = []);
            list.Add(policy);
        }
    }

    // The chain that tries the policies of a list, in order, and leaves the rest to the default.
    private string ChainOf(Direction direction, Policy[] ordered, int[] list)
    {
        int decisive = Array.FindIndex(list, p => ordered[p].Services.IsEmpty);
        if (decisive >= 0)
            list = list[..(decisive + 1)];
        string key = (direction == Direction.Egress ? "e " : "i ") + string.Join(' ', list.Select(p => NumberOf(ordered[p])));
        if (_chains.TryGetValue(key, out string? name))
            return name;
        if (decisive == 0)
        {
            name = Name('p', NumberOf(ordered[list[0]]));
        }
        else
        {
            name = Name('l', _listNumbers.Of(key));
            var rules = new List<NftRule>();
            foreach (Policy policy in list.Select(p => ordered[p]))
            {
                NftVerdict verdict = NftVerdict.Goto(Name('p', NumberOf(policy)));
                if (policy.Services.IsEmpty)
                    rules.Add(new NftRule().Verdict(verdict));
                else
                    rules.AddRange(policy.Services.Select(s => Match(s).Verdict(verdict)));
            }

            if (decisive < 0)
                rules.Add(new NftRule().Verdict(NftVerdict.Goto(direction == Direction.Egress ? FirewallChains.EgressDefaultChain : FirewallChains.IngressDefaultChain)));
            _listChains.Add(new PolicyChain(name, [.. rules]));
        }

        _chains.Add(key, name);
        return name;
    }

    private uint NumberOf(Policy policy)
    {
        if (_policies.TryGetValue(policy.Id, out uint number))
            return number;
        string services = string.Join(';', policy.Services.Select(s => $"{s.Protocol}:{s.FirstPort}-{s.LastPort}/{s.IcmpType}"));
        number = _policyNumbers.Of($"{policy.Id}|{policy.Action}|{policy.IsLogged}|{services}");
        _policies.Add(policy.Id, number);

        NftRule counted = new NftRule().Count(FirewallCounters.Policy(policy.Id));
        if (policy.IsLogged)
        {
            counted = policy.Action == PolicyAction.Allow ? counted.State(NftRule.StateNew).OneOf(_log.OneOf) : counted.AtMost(_log.DeniedPerSecond, _log.DeniedPerSecond);
            counted.Log(_log.Group, FlowLogPrefix.Policy(policy), _log.SnapBytes);
        }

        _policyChains.Add(new PolicyChain(Name('p', number), policy.Action == PolicyAction.Allow ? [counted] : [counted, new NftRule().Verdict(NftVerdict.Drop)]));
        return number;
    }

    private static string Name(char kind, uint number) => kind + number.ToString(CultureInfo.InvariantCulture);

    private static NftRule Match(Service service)
    {
        var rule = new NftRule();
        if (service.Protocol == Protocol.Any)
            return rule;
        rule.L4((byte)service.Protocol);
        if (service.IcmpType is { } type)
            return rule.Payload(NftRule.TransportHeader, 0, 1).Equal([type]);
        if (service.FirstPort is not { } first)
            return rule;
        rule.Payload(NftRule.TransportHeader, 2, 2);
        return service.LastPort is { } last && last != first
            ? rule.InRange(NftRule.BigEndian(first), NftRule.BigEndian(last))
            : rule.Equal(NftRule.BigEndian(first));
    }
}

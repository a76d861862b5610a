using System.Net;
using Candela.Network.Flows;
using Candela.Network.Nftables;
using Candela.Network.Plan;
using static Candela.Network.Firewall.FirewallTables;

namespace Candela.Network.Firewall;

/// <summary>
/// The firewall in a project's namespace. It keeps what the kernel has, and changes just what differs: a port is a handful of
/// elements; a policy a chain and the pairs that it is about. Every change is one transaction.
/// </summary>
/// <remarks>Not for several threads at once.</remarks>
internal sealed class ProjectFirewall(NftSocket socket, FlowLogOptions log)
{
    private State? _state;

    /// <summary>Makes the kernel's tables anew, whatever they were, in one transaction; counters go on from where they were.</summary>
    public void Rebuild(ProjectPlan plan)
    {
        Dictionary<string, Traffic> bridge = socket.HasTable(Bridge) ? socket.Counters(Bridge) : [], inet = socket.HasTable(Inet) ? socket.Counters(Inet) : [];
        var state = new State(log);
        var batch = new NftBatch();
        foreach (NftTable table in (ReadOnlySpan<NftTable>)[Bridge, Inet])
        {
            batch.DeleteTable(table);
            batch.AddTable(table);
        }

        foreach (string counter in FirewallCounters.OfBridge)
            batch.AddCounter(Bridge, counter, bridge.GetValueOrDefault(counter).Packets, bridge.GetValueOrDefault(counter).Bytes);
        foreach (string counter in FirewallCounters.OfInet)
            batch.AddCounter(Inet, counter, inet.GetValueOrDefault(counter).Packets, inet.GetValueOrDefault(counter).Bytes);
        foreach (NftSet set in Sets)
            batch.AddSet(set);
        FirewallChains.Add(batch, log);
        state.Change(plan, batch, inet);
        socket.Execute(batch);
        _state = state;
    }

    /// <summary>Changes what differs from the plan that holds. After a failure the old plan goes on to hold.</summary>
    /// <exception cref="Netlink.NetlinkException">The kernel refused; the message says what.</exception>
    public void Apply(ProjectPlan plan)
    {
        if (_state is null)
        {
            Rebuild(plan);
            return;
        }

        ProjectPlan before = _state.Plan;
        var batch = new NftBatch();
        try
        {
            _state.Change(plan, batch, []);
            socket.Execute(batch);
        }
        catch
        {
            // The state is ahead of the kernel: the next change starts from nothing.
            _state = null;
            Rebuild(before);
            throw;
        }
    }

    /// <summary>Whether the first packet of a flow would pass now, addresses and ports as they are behind translation.</summary>
    public bool Passes(FlowTuple flow) => _state?.Passes(flow) ?? true;

    /// <summary>Packets and bytes by counter, of both tables.</summary>
    public Dictionary<string, Traffic> Counters()
    {
        Dictionary<string, Traffic> counters = socket.Counters(Inet);
        foreach ((string name, Traffic traffic) in socket.Counters(Bridge))
            counters[name] = counters.GetValueOrDefault(name) + traffic;
        return counters;
    }

    /// <summary>Removes the tables.</summary>
    public void Remove()
    {
        _state = null;
        socket.Execute(batch =>
        {
            batch.DeleteTable(Bridge);
            batch.DeleteTable(Inet);
        });
    }

    /// <summary>What the kernel has, as far as it changes.</summary>
    private sealed class State(FlowLogOptions log)
    {
        private readonly Dictionary<string, PortEntry> _ports = [];
        private readonly Dictionary<IPAddress, PortSpec> _portOfAddress = [];
        private readonly Identities _identities = new();
        private readonly Numbering _policyNumbers = new(1), _listNumbers = new(1), _peerNumbers = new(1);
        private Classifier? _classifier;
        private PolicyMatrix? _matrix;
        private int _matrixVersion = -1;
        private Dictionary<NftSet, HashSet<NftElement>> _structure = [];
        private Dictionary<NftSet, HashSet<NftElement>> _outside = [];

        public ProjectPlan Plan { get; private set; } = new() { Id = "" };

        public void Change(ProjectPlan plan, NftBatch batch, Dictionary<string, Traffic> counters)
        {
            var changes = new ElementChanges();
            bool rulesChanged = _classifier is null || plan.Groups != Plan.Groups || plan.Policies != Plan.Policies || plan.Segments != Plan.Segments ||
                plan.Resolved != Plan.Resolved;
            List<PortEntry> goneEntries = [], newEntries = [];
            bool classesChanged = _classifier is null || (rulesChanged && !_classifier.HoldsFor(plan));
            if (classesChanged)
            {
                _classifier = new Classifier(plan, _peerNumbers);
                Dictionary<NftSet, HashSet<NftElement>> outside = Outside(_classifier);
                changes.Differ(_outside, outside);
                _outside = outside;
            }

            ChangePorts(plan, classesChanged, changes, goneEntries, newEntries);
            Dictionary<NftSet, HashSet<NftElement>> structure = Structure.Of(plan);
            changes.Differ(_structure, structure);
            _structure = structure;

            PolicyMatrix? old = _matrix;
            if (rulesChanged || _identities.Version != _matrixVersion)
            {
                _matrix = new PolicyMatrix(plan, log, _classifier!, _identities, _policyNumbers, _listNumbers);
                _policyNumbers.EndRound();
                _listNumbers.EndRound();
                _matrixVersion = _identities.Version;
                changes.Differ(old?.Elements ?? [], _matrix.Elements);
            }

            Emit(batch, old, changes, goneEntries, newEntries, counters);
            Plan = plan;
        }

        public bool Passes(FlowTuple flow)
        {
            if (LinkOf(flow.Source) is not { } from || LinkOf(flow.Destination) is not { } to)
                return IsGateway(flow.Source) || IsGateway(flow.Destination);
            var path = new NftElement { Key = NftKey.Of(from, to) };
            if (!_structure[Paths].Contains(path))
                return false;
            (uint sender, uint receiver) = (IdentityOf(flow.Source), IdentityOf(flow.Destination));
            bool leaves = _matrix!.Decide(Direction.Egress, sender, receiver, flow) ?? _structure[EgressDefault].Contains(path);
            return leaves && (_matrix.Decide(Direction.Ingress, sender, receiver, flow) ??
                (_structure[IngressDefault].Contains(path) || (flow.IsPublished && _structure[PublishedDefault].Contains(path))));
        }

        // Where packets of an address come from; null for an address of a segment that no port has.
        private string? LinkOf(IPAddress address)
        {
            if (_portOfAddress.TryGetValue(address, out PortSpec? port))
                return LinkNames.Bridge(port.SegmentId);
            return Plan.Segments.Values.Any(s => s.Ipv4?.Contains(address) == true || s.Ipv6?.Contains(address) == true) ? null : LinkNames.Uplink;
        }

        private bool IsGateway(IPAddress address) => Plan.Segments.Values.Any(s => address.Equals(s.Gateway4) || address.Equals(s.Gateway6));

        private uint IdentityOf(IPAddress address) => _portOfAddress.TryGetValue(address, out PortSpec? port)
            ? _identities.Endpoints[_classifier!.ClassOf(port, address)]
            : _identities.OutsideOf(_classifier!.PeersOf(address));

        private void ChangePorts(ProjectPlan plan, bool all, ElementChanges changes, List<PortEntry> gone, List<PortEntry> added)
        {
            // Classes that are still used keep their numbers: take the new ones before the old are released.
            if (all || !ReferenceEquals(plan.Ports, Plan.Ports))
            {
                foreach ((string id, PortEntry entry) in _ports)
                {
                    if (all || !plan.Ports.TryGetValue(id, out PortSpec? port) || !ReferenceEquals(port, entry.Port))
                        gone.Add(entry);
                }

                var goneIds = gone.Select(e => e.Port.Id).ToHashSet();
                foreach ((string id, PortSpec port) in plan.Ports)
                {
                    if (goneIds.Contains(id) || !_ports.ContainsKey(id))
                        added.Add(new PortEntry(port, _classifier!, _identities));
                }

                foreach (PortEntry entry in gone)
                {
                    changes.Delete(entry.Elements);
                    entry.Release(_identities);
                    foreach (IPAddress address in entry.Port.Addresses)
                        _portOfAddress.Remove(address);
                    _ports.Remove(entry.Port.Id);
                }

                foreach (PortEntry entry in added)
                {
                    changes.Add(entry.Elements);
                    _ports.Add(entry.Port.Id, entry);
                    foreach (IPAddress address in entry.Port.Addresses)
                        _portOfAddress[address] = entry.Port;
                }
            }
        }

        private Dictionary<NftSet, HashSet<NftElement>> Outside(Classifier classifier)
        {
            uint[] numbers = _identities.NumberOutside(classifier.Atoms4.All.Concat(classifier.Atoms6.All));
            Dictionary<NftSet, HashSet<NftElement>> elements = new() { [Outside4] = [], [Outside6] = [] };
            int next = 0;
            foreach ((Atoms atoms, NftSet set) in new[] { (classifier.Atoms4, Outside4), (classifier.Atoms6, Outside6) })
            {
                foreach (Atoms.Atom atom in atoms.All)
                {
                    elements[set].Add(new NftElement
                    {
                        Key = AddressRange.Bytes(atom.First, atoms.IsIpv6),
                        Last = AddressRange.Bytes(atom.Last, atoms.IsIpv6),
                        Value = NftKey.Of(numbers[next++]),
                    });
                }
            }

            return elements;
        }

        private void Emit(NftBatch batch, PolicyMatrix? old, ElementChanges changes, List<PortEntry> gone, List<PortEntry> added, Dictionary<string, Traffic> counters)
        {
            Dictionary<string, PolicyChain> oldChains = ReferenceEquals(old, _matrix) ? [] : old?.Chains.ToDictionary(c => c.Name) ?? [];
            IEnumerable<PolicyChain> chains = ReferenceEquals(old, _matrix) ? [] : _matrix!.Chains;
            IEnumerable<string> oldCounters = ReferenceEquals(old, _matrix) ? [] : (IEnumerable<string>?)old?.Counters ?? [];
            PolicyChain[] newChains = [.. chains.Where(c => !oldChains.Remove(c.Name))];

            foreach (string counter in ReferenceEquals(old, _matrix) ? [] : _matrix!.Counters.Except(oldCounters))
                batch.AddCounter(Inet, counter, counters.GetValueOrDefault(counter).Packets, counters.GetValueOrDefault(counter).Bytes);
            foreach (PolicyChain chain in newChains)
                batch.AddChain(Inet, chain.Name);
            foreach (PolicyChain chain in newChains)
            {
                foreach (NftRule rule in chain.Rules)
                    batch.AddRule(Inet, chain.Name, rule);
            }

            changes.EmitDeletions(batch);
            foreach (string limit in gone.SelectMany(e => e.Limits).Select(l => l.Name))
                batch.DeleteObject(Bridge, NftObjects.LimitType, limit);
            foreach ((string name, long bytesPerSecond) in added.SelectMany(e => e.Limits))
                batch.AddLimit(Bridge, name, (ulong)bytesPerSecond, PortEntry.BurstBytes(bytesPerSecond));
            changes.EmitAdditions(batch);

            // Lists refer to policies: lists go first.
            foreach (string chain in oldChains.Keys.OrderBy(n => n[0]))
                batch.DeleteChain(Inet, chain);
            foreach (string counter in ReferenceEquals(old, _matrix) ? [] : oldCounters.Except(_matrix!.Counters))
                batch.DeleteObject(Inet, NftObjects.CounterType, counter);
        }
    }
}

using System.Net;
using System.Net.Sockets;
using Candela.Network.Firewall;
using Candela.Network.Nftables;
using Candela.Network.Plan;
using static Candela.Network.Nftables.NftRule;
using static Candela.Network.Nftables.NftType;

namespace Candela.Network.Host;

/// <summary>
/// The one table in the host's namespace: published ports to the projects' ways out, their source address on the way to the outside,
/// and what may come from and go to the ways out. Packets that are not Candela's are left to the host's own rules.
/// </summary>
internal sealed class HostFirewall
{
    private const uint IPS_DST_NAT = 32;
    private readonly NftSocket _socket;
    private readonly HostOptions _options;
    private readonly bool _dropsForeignForwarding;
    private readonly NftTable _table;
    private readonly NftSet _published4, _published6, _everywhere4, _everywhere6, _hostAccess, _machines4, _machines6;
    private Dictionary<NftSet, HashSet<NftElement>>? _elements;

    /// <param name="socket">Of the host's namespace.</param>
    /// <param name="options">Names.</param>
    /// <param name="dropsForeignForwarding">Forwarding was off before Candela: what it did not forward before, it does not forward now.</param>
    public HostFirewall(NftSocket socket, HostOptions options, bool dropsForeignForwarding)
    {
        (_socket, _options, _dropsForeignForwarding) = (socket, options, dropsForeignForwarding);
        _table = new NftTable(NftFamily.Inet, options.Table);
        _published4 = new NftSet(_table, "published4", [Ipv4, NftType.Protocol, Port]) { Value = [Ipv4, Port] };
        _published6 = new NftSet(_table, "published6", [Ipv6, NftType.Protocol, Port]) { Value = [Ipv6, Port] };
        _everywhere4 = new NftSet(_table, "published-everywhere4", [NftType.Protocol, Port]) { Value = [Ipv4, Port] };
        _everywhere6 = new NftSet(_table, "published-everywhere6", [NftType.Protocol, Port]) { Value = [Ipv6, Port] };
        _hostAccess = new NftSet(_table, "host-access", [InterfaceName]);
        _machines4 = new NftSet(_table, "machines4", [Ipv4]);
        _machines6 = new NftSet(_table, "machines6", [Ipv6]);
    }

    private NftSet[] Sets => [_published4, _published6, _everywhere4, _everywhere6, _hostAccess, _machines4, _machines6];

    private string Ours => _options.LinkPrefix + "*";

    public void Apply(NetworkPlan plan, Func<ProjectPlan, Uplink> uplinkOf)
    {
        Dictionary<NftSet, HashSet<NftElement>> elements = ElementsOf(plan, uplinkOf);
        var batch = new NftBatch();
        if (_elements is null)
        {
            batch.DeleteTable(_table);
            batch.AddTable(_table);
            foreach (NftSet set in Sets)
                batch.AddSet(set);
            AddChains(batch);
        }

        var changes = new ElementChanges();
        changes.Differ(_elements ?? [], elements);
        changes.EmitDeletions(batch);
        changes.EmitAdditions(batch);
        _elements = null;
        _socket.Execute(batch);
        _elements = elements;
    }

    public void Remove()
    {
        _elements = null;
        _socket.Execute(batch => batch.DeleteTable(_table));
    }

    private Dictionary<NftSet, HashSet<NftElement>> ElementsOf(NetworkPlan plan, Func<ProjectPlan, Uplink> uplinkOf)
    {
        Dictionary<NftSet, HashSet<NftElement>> elements = Sets.ToDictionary(s => s, _ => new HashSet<NftElement>());
        foreach (ProjectPlan project in plan.Projects.Values.Where(Uplink.IsNeeded))
        {
            Uplink uplink = uplinkOf(project);
            if (project.HasHostAccess)
                elements[_hostAccess].Add(new NftElement { Key = new NftKey().Name(uplink.HostLink).Build() });
            foreach ((PublishedPort published, ushort transitPort) in TransitPorts.Of(project))
            {
                PortSpec port = project.Ports[published.PortId];
                if (port.Ipv4 is not null && published.HostAddress?.AddressFamily is null or AddressFamily.InterNetwork)
                    elements[published.HostAddress is null ? _everywhere4 : _published4].Add(Element(published, transitPort, uplink.Inside4));
                if (port.Ipv6 is not null && published.HostAddress?.AddressFamily is null or AddressFamily.InterNetworkV6)
                    elements[published.HostAddress is null ? _everywhere6 : _published6].Add(Element(published, transitPort, uplink.Inside6));
            }
        }

        foreach (IPAddress machine in plan.Machines)
            elements[machine.AddressFamily == AddressFamily.InterNetwork ? _machines4 : _machines6].Add(new NftElement { Key = NftKey.Of(machine) });
        return elements;
    }

    private static NftElement Element(PublishedPort published, ushort transitPort, IPAddress inside)
    {
        NftKey key = published.HostAddress is { } address ? new NftKey().Address(address) : default;
        return new NftElement
        {
            Key = key.Protocol((byte)published.Protocol).Port(published.HostPort).Build(),
            Value = new NftKey().Address(inside).Port(transitPort).Build(),
        };
    }

    private void AddChains(NftBatch batch)
    {
        const int dstnat = -100, srcnat = 100;
        batch.AddChain(_table, "prerouting", new NftBaseChain("nat", NftHook.Prerouting, dstnat, NftVerdict.Accept));
        batch.AddChain(_table, "output", new NftBaseChain("nat", NftHook.Output, dstnat, NftVerdict.Accept));
        batch.AddChain(_table, "postrouting", new NftBaseChain("nat", NftHook.Postrouting, srcnat, NftVerdict.Accept));
        batch.AddChain(_table, "forward", new NftBaseChain("filter", NftHook.Forward, 0, NftVerdict.Accept));
        batch.AddChain(_table, "input", new NftBaseChain("filter", NftHook.Input, 0, NftVerdict.Accept));

        foreach (string chain in (ReadOnlySpan<string>)["prerouting", "output"])
        {
            void In(NftRule rule) => batch.AddRule(_table, chain, rule);
            In(new NftRule().Family(Version4).Payload(NetworkHeader, 16, 4).Meta(MetaL4Proto, 1).Payload(TransportHeader, 2, 2, 2).Look(_published4, 0, 8)
                .TranslateDestination(Version4, 8, 9));
            In(new NftRule().Family(Version4).DestinationKind().Equal(NftKey.Of(2u)).Meta(MetaL4Proto).Payload(TransportHeader, 2, 2, 1).Look(_everywhere4, 0, 8)
                .TranslateDestination(Version4, 8, 9));
            In(new NftRule().Family(Version6).Payload(NetworkHeader, 24, 16).Meta(MetaL4Proto, 4).Payload(TransportHeader, 2, 2, 5).Look(_published6, 0, 8)
                .TranslateDestination(Version6, 8, 12));
            In(new NftRule().Family(Version6).DestinationKind().Equal(NftKey.Of(2u)).Meta(MetaL4Proto).Payload(TransportHeader, 2, 2, 1).Look(_everywhere6, 0, 8)
                .TranslateDestination(Version6, 8, 12));
        }

        // To the outside with the host's address; from one way out to another (or back into the same) and from the host's loopback with
        // that of the way, so that the answer comes back the same way. Other sources stay what they are.
        foreach ((byte family, int offset, IPNetwork sources) in new[]
        {
            (Version4, 12, _options.TransitIpv4!.Value), (Version6, 8, _options.TransitIpv6!.Value), (Version4, 12, IPNetwork.Parse("127.0.0.0/8")),
        })
        {
            AddressRange range = AddressRange.Of(sources);
            NftRule rule = new NftRule().Family(family).Payload(NetworkHeader, offset, family == Version4 ? 4 : 16)
                .InRange(AddressRange.Bytes(range.First, range.IsIpv6), AddressRange.Bytes(range.Last, range.IsIpv6));
            batch.AddRule(_table, "postrouting", sources.BaseAddress.Equals(IPAddress.Parse("127.0.0.0")) ? rule.ToLink(Ours).Masquerade() : rule.Masquerade());
        }

        AddForward(batch);
        AddInput(batch);
    }

    private void AddForward(NftBatch batch)
    {
        void In(NftRule rule) => batch.AddRule(_table, "forward", rule);
        In(new NftRule().FromLink(Ours).State(StateEstablished | StateRelated).Verdict(NftVerdict.Accept));
        In(new NftRule().ToLink(Ours).State(StateEstablished | StateRelated).Verdict(NftVerdict.Accept));
        In(new NftRule().ToLink(Ours).Ct(CtStatus).AnyBit(IPS_DST_NAT).Verdict(NftVerdict.Accept));
        In(new NftRule().ToLink(Ours).Verdict(NftVerdict.Drop));
        // To other machines a container has this host's address: it must not be able to make up segments' packets.
        In(new NftRule().FromLink(Ours).L4((byte)Plan.Protocol.Udp).Payload(TransportHeader, 2, 2).Equal(BigEndian(_options.VxlanPort)).Verdict(NftVerdict.Drop));
        In(new NftRule().FromLink(Ours).Verdict(NftVerdict.Accept));
        if (!_dropsForeignForwarding)
            return;
        // What is another instance's, that one decides.
        In(new NftRule().FromLink(HostOptions.LinkFamily + "*").Verdict(NftVerdict.Accept));
        In(new NftRule().ToLink(HostOptions.LinkFamily + "*").Verdict(NftVerdict.Accept));
        In(new NftRule().Verdict(NftVerdict.Drop));
    }

    private void AddInput(NftBatch batch)
    {
        void In(NftRule rule) => batch.AddRule(_table, "input", rule);
        In(new NftRule().FromLink(Ours).State(StateEstablished | StateRelated).Verdict(NftVerdict.Accept));
        In(new NftRule().FromLink(Ours).L4((byte)Plan.Protocol.Icmp).Payload(TransportHeader, 0, 1).Equal([8]).Verdict(NftVerdict.Accept));
        In(new NftRule().FromLink(Ours).L4((byte)Plan.Protocol.Icmp6).Payload(TransportHeader, 0, 1).InRange([135], [136]).Verdict(NftVerdict.Accept));
        In(new NftRule().FromLink(Ours).L4((byte)Plan.Protocol.Icmp6).Payload(TransportHeader, 0, 1).Equal([128]).Verdict(NftVerdict.Accept));
        In(new NftRule().FromLink(Ours).L4((byte)Plan.Protocol.Udp).Payload(TransportHeader, 2, 2).Equal(BigEndian(_options.VxlanPort)).Verdict(NftVerdict.Drop));
        In(new NftRule().Meta(MetaIifName).InSet(_hostAccess).Verdict(NftVerdict.Accept));
        In(new NftRule().FromLink(Ours).Verdict(NftVerdict.Drop));
        In(new NftRule().L4((byte)Plan.Protocol.Udp).Payload(TransportHeader, 2, 2).Equal(BigEndian(_options.VxlanPort)).Family(Version4).Payload(NetworkHeader, 12, 4)
            .InSet(_machines4, not: true).Verdict(NftVerdict.Drop));
        In(new NftRule().L4((byte)Plan.Protocol.Udp).Payload(TransportHeader, 2, 2).Equal(BigEndian(_options.VxlanPort)).Family(Version6).Payload(NetworkHeader, 8, 16)
            .InSet(_machines6, not: true).Verdict(NftVerdict.Drop));
    }
}

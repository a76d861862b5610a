using System.Net;
using Candela.Network.Nftables;
using Candela.Network.Plan;
using static Candela.Network.Firewall.FirewallTables;
using static Candela.Network.Nftables.NftRule;

namespace Candela.Network.Firewall;

/// <summary>
/// The rules of the port firewall. A packet passes, in this order: <em>prerouting</em> of the bridge (is the sender who it says it is?);
/// <em>forward</em> of inet, also for packets that are bridged (br_netfilter): connection tracking, the path, the identities of both
/// sides (sender in the packet's mark, receiver in the connection's), the sender's egress and the receiver's ingress;
/// <em>postrouting</em> of the bridge (is the receiver who the packet is for?).
/// </summary>
internal static class FirewallChains
{
    public const string Egress = "egress", Ingress = "ingress";
    public const string EgressDefaultChain = "egress-by-default", IngressDefaultChain = "ingress-by-default";
    private const string Allowed = "allowed-by-default", Denied = "denied-by-default", Spoofed = "spoofed", Unrouted = "unrouted";
    private const string Ip6 = "ip6", NeighbourDiscovery = "neighbour-discovery", Solicitation = "solicitation", Advertisement = "advertisement", Arp = "arp";
    private const string Identify4 = "identify4", Identify6 = "identify6";
    private const byte EchoRequest = 8, EchoRequest6 = 128, RouterSolicitation = 133, RouterAdvertisement = 134, NeighbourSolicitation = 135,
        NeighbourAdvertisement = 136, Redirect = 137, FirstMulticastListener = 130, MulticastListenerReport2 = 143;
    private const uint IPS_DST_NAT = 32; // linux/netfilter/nf_conntrack_common.h
    private const ushort DnsPort = 53;
    private static readonly byte[] s_ip4 = [0x08, 0x00], s_ip6 = [0x86, 0xdd], s_arp = [0x08, 0x06];

    public static void Add(NftBatch batch, FlowLogOptions log)
    {
        AddBridge(batch, log);
        AddForward(batch, log);
        AddInput(batch);
        AddNat(batch);
    }

    private static void AddBridge(NftBatch batch, FlowLogOptions log)
    {
        foreach (string chain in (ReadOnlySpan<string>)[Spoofed, Ip6, NeighbourDiscovery, Solicitation, Advertisement, Arp])
            batch.AddChain(Bridge, chain);
        const int dstnat = -300, srcnat = 300; // priorities of the bridge family; br_netfilter comes between
        batch.AddChain(Bridge, "prerouting", new NftBaseChain("filter", NftHook.Prerouting, dstnat, NftVerdict.Drop));
        batch.AddChain(Bridge, "postrouting", new NftBaseChain("filter", NftHook.Postrouting, srcnat, NftVerdict.Drop));

        void In(string chain, NftRule rule) => batch.AddRule(Bridge, chain, rule);
        NftVerdict spoofed = NftVerdict.Goto(Spoofed);

        In(Spoofed, new NftRule().Count(FirewallCounters.Spoofed).AtMost(log.DeniedPerSecond, log.DeniedPerSecond).Log(log.Group, FlowLogPrefix.Spoofed, log.SnapBytes));
        In(Spoofed, new NftRule().Verdict(NftVerdict.Drop));

        // The type is read from the frame, not from the packet's description, so that a VLAN tag is seen as what it is.
        In("prerouting", new NftRule().Meta(MetaIifName).ApplyLimit(EgressLimits).Count(FirewallCounters.Limited).Verdict(NftVerdict.Drop));
        In("prerouting", Ethernet(s_ip4).Meta(MetaIifName).Payload(LinkHeader, 6, 6, 4).Payload(NetworkHeader, 12, 4, 6).InSet(Binding4).Verdict(NftVerdict.Accept));
        In("prerouting", Ethernet(s_ip6).Verdict(NftVerdict.Goto(Ip6)));
        In("prerouting", Ethernet(s_arp).Verdict(NftVerdict.Goto(Arp)));
        In("prerouting", new NftRule().Verdict(spoofed));

        In(Ip6, new NftRule().L4((byte)Protocol.Icmp6).Verdict(NftVerdict.Goto(NeighbourDiscovery)));
        In(Ip6, Sender6().Verdict(NftVerdict.Accept));
        In(Ip6, new NftRule().Verdict(spoofed));

        // Listener reports and router solicitations are of no use here and no offence either.
        In(NeighbourDiscovery, IcmpType().InRange([FirstMulticastListener], [RouterSolicitation]).Verdict(NftVerdict.Drop));
        In(NeighbourDiscovery, IcmpType().Equal([MulticastListenerReport2]).Verdict(NftVerdict.Drop));
        In(NeighbourDiscovery, IcmpType().Equal([RouterAdvertisement]).Verdict(spoofed));
        In(NeighbourDiscovery, IcmpType().Equal([Redirect]).Verdict(spoofed));
        In(NeighbourDiscovery, IcmpType().Equal([NeighbourSolicitation]).Verdict(NftVerdict.Goto(Solicitation)));
        In(NeighbourDiscovery, IcmpType().Equal([NeighbourAdvertisement]).Verdict(NftVerdict.Goto(Advertisement)));
        In(NeighbourDiscovery, Sender6().Verdict(NftVerdict.Accept));
        In(NeighbourDiscovery, new NftRule().Verdict(spoofed));

        // RFC 4861, sections 4.3 and 4.4: the target is 8 bytes into the message, one option of 8 bytes may follow at 24.
        In(Solicitation, new NftRule().Payload(NetworkHeader, 6, 1).Equal([(byte)Protocol.Icmp6], not: true).Verdict(spoofed));
        In(Solicitation, new NftRule().Payload(NetworkHeader, 8, 16).Equal(IPAddress.IPv6Any.GetAddressBytes()).Meta(MetaIifName).Payload(LinkHeader, 6, 6, 4)
            .Payload(TransportHeader, 8, 16, 6).InSet(Binding6).Verdict(NftVerdict.Accept));
        In(Solicitation, Sender6(not: true).Verdict(spoofed));
        In(Solicitation, Length6(24).Verdict(NftVerdict.Accept));
        In(Solicitation, Length6(32).Payload(TransportHeader, 24, 2).Equal([1, 1]).Meta(MetaIifName).Payload(TransportHeader, 26, 6, 4)
            .Payload(NetworkHeader, 8, 16, 6).InSet(Binding6).Verdict(NftVerdict.Accept));
        In(Solicitation, new NftRule().Verdict(spoofed));

        In(Advertisement, new NftRule().Payload(NetworkHeader, 6, 1).Equal([(byte)Protocol.Icmp6], not: true).Verdict(spoofed));
        In(Advertisement, Sender6(not: true).Verdict(spoofed));
        In(Advertisement, new NftRule().Meta(MetaIifName).Payload(LinkHeader, 6, 6, 4).Payload(TransportHeader, 8, 16, 6).InSet(Binding6, not: true).Verdict(spoofed));
        In(Advertisement, Length6(24).Verdict(NftVerdict.Accept));
        In(Advertisement, Length6(32).Payload(TransportHeader, 24, 2).Equal([2, 1]).Meta(MetaIifName).Payload(TransportHeader, 26, 6, 4)
            .Payload(TransportHeader, 8, 16, 6).InSet(Binding6).Verdict(NftVerdict.Accept));
        In(Advertisement, new NftRule().Verdict(spoofed));

        // RFC 826: hardware and protocol are Ethernet and IPv4; the operation is a request or a reply; the sender's addresses follow at 8.
        In(Arp, new NftRule().Payload(NetworkHeader, 0, 6).Equal([0, 1, 8, 0, 6, 4], not: true).Verdict(spoofed));
        In(Arp, new NftRule().Payload(NetworkHeader, 6, 2).InRange([0, 1], [0, 2]).Meta(MetaIifName).Payload(LinkHeader, 6, 6, 4).Payload(NetworkHeader, 14, 4, 6).InSet(Binding4)
            .Meta(MetaIifName).Payload(NetworkHeader, 8, 6, 4).Payload(NetworkHeader, 14, 4, 6).InSet(Binding4).Verdict(NftVerdict.Accept));
        In(Arp, new NftRule().Verdict(spoofed));

        In("postrouting", new NftRule().Meta(MetaOifName).ApplyLimit(IngressLimits).Count(FirewallCounters.Limited).Verdict(NftVerdict.Drop));
        In("postrouting", Ethernet(s_ip4).Meta(MetaOifName).Payload(LinkHeader, 0, 6, 4).Payload(NetworkHeader, 16, 4, 6).InSet(Binding4).Verdict(NftVerdict.Accept));
        In("postrouting", Ethernet(s_arp).Verdict(NftVerdict.Accept));
        In("postrouting", Ethernet(s_ip6).Meta(MetaOifName).Payload(LinkHeader, 0, 6, 4).Payload(NetworkHeader, 24, 16, 6).InSet(Binding6).Verdict(NftVerdict.Accept));
        In("postrouting", Ethernet(s_ip6).L4((byte)Protocol.Icmp6).Payload(TransportHeader, 0, 1).InRange([NeighbourSolicitation], [NeighbourAdvertisement]).Verdict(NftVerdict.Accept));
        In("postrouting", new NftRule().Payload(LinkHeader, 0, 1).AnyBit(1).Meta(MetaOifName).InSet(Multicast).Verdict(NftVerdict.Accept));
        In("postrouting", new NftRule().Count(FirewallCounters.Misdelivered).Verdict(NftVerdict.Drop));
    }

    private static void AddForward(NftBatch batch, FlowLogOptions log)
    {
        foreach (string chain in (ReadOnlySpan<string>)[Allowed, Denied, Unrouted, Identify4, Identify6, EgressDefaultChain, IngressDefaultChain, Egress, Ingress])
            batch.AddChain(Inet, chain);
        batch.AddChain(Inet, "forward", new NftBaseChain("filter", NftHook.Forward, 0, NftVerdict.Drop));

        void In(string chain, NftRule rule) => batch.AddRule(Inet, chain, rule);

        In(Allowed, new NftRule().Count(FirewallCounters.AllowedByDefault).State(StateNew).OneOf(log.OneOf).Log(log.Group, FlowLogPrefix.AllowedByDefault, log.SnapBytes));
        In(Denied, new NftRule().Count(FirewallCounters.DeniedByDefault).AtMost(log.DeniedPerSecond, log.DeniedPerSecond).Log(log.Group, FlowLogPrefix.DeniedByDefault, log.SnapBytes));
        In(Denied, new NftRule().Verdict(NftVerdict.Drop));
        In(Unrouted, new NftRule().Count(FirewallCounters.Unrouted).AtMost(log.DeniedPerSecond, log.DeniedPerSecond).Log(log.Group, FlowLogPrefix.Unrouted, log.SnapBytes));
        In(Unrouted, new NftRule().Verdict(NftVerdict.Drop));

        // Only answers pass by virtue of their connection; what goes the way of the first packet is decided each time, so that a
        // change of policy holds for open connections, too.
        In("forward", new NftRule().State(StateInvalid).Count(FirewallCounters.Invalid).Verdict(NftVerdict.Drop));
        In("forward", new NftRule().Ct(CtDirection).Equal([1]).State(StateEstablished).Verdict(NftVerdict.Accept));
        In("forward", new NftRule().State(StateRelated).L4((byte)Protocol.Icmp).Verdict(NftVerdict.Accept));
        In("forward", new NftRule().State(StateRelated).L4((byte)Protocol.Icmp6).Verdict(NftVerdict.Accept));
        In("forward", new NftRule().L4((byte)Protocol.Icmp6).Payload(TransportHeader, 0, 1).InRange([NeighbourSolicitation], [NeighbourAdvertisement]).Verdict(NftVerdict.Accept));
        In("forward", Path().InSet(Paths, not: true).Verdict(NftVerdict.Goto(Unrouted)));
        // DHCP servers are none of a container's business.
        In("forward", new NftRule().L4((byte)Protocol.Udp).Payload(TransportHeader, 2, 2).Equal(BigEndian(68)).Verdict(NftVerdict.Goto(Unrouted)));
        In("forward", new NftRule().L4((byte)Protocol.Udp).Payload(TransportHeader, 2, 2).Equal(BigEndian(546)).Verdict(NftVerdict.Goto(Unrouted)));
        In("forward", new NftRule().Constant(new byte[4]).SetMeta(MetaMark).SetCt(CtMark));
        In("forward", new NftRule().Family(Version4).Verdict(NftVerdict.Jump(Identify4)));
        In("forward", new NftRule().Family(Version6).Verdict(NftVerdict.Jump(Identify6)));
        In("forward", new NftRule().Verdict(NftVerdict.Jump(Egress)));
        In("forward", new NftRule().Verdict(NftVerdict.Jump(Ingress)));
        In("forward", new NftRule().Verdict(NftVerdict.Accept));

        Identify(Identify4, 12, 16, 4, Endpoints4, Outside4);
        Identify(Identify6, 8, 24, 16, Endpoints6, Outside6);

        In(Egress, new NftRule().Meta(MetaMark, 0).Ct(CtMark, 1).VerdictFrom(EgressPairs));
        In(Egress, new NftRule().Meta(MetaMark).VerdictFrom(EgressAny));
        In(Egress, new NftRule().Verdict(NftVerdict.Goto(EgressDefaultChain)));
        In(EgressDefaultChain, Path().InSet(EgressDefault, not: true).Verdict(NftVerdict.Goto(Denied)));

        In(Ingress, new NftRule().Meta(MetaMark, 0).Ct(CtMark, 1).VerdictFrom(IngressPairs));
        In(Ingress, new NftRule().Ct(CtMark).VerdictFrom(IngressAny));
        In(Ingress, new NftRule().Verdict(NftVerdict.Goto(IngressDefaultChain)));
        In(IngressDefaultChain, Path().InSet(IngressDefault).Verdict(NftVerdict.Goto(Allowed)));
        In(IngressDefaultChain, new NftRule().Ct(CtStatus).AnyBit(IPS_DST_NAT).Meta(MetaIifName).Meta(MetaOifName, 4).InSet(PublishedDefault).Verdict(NftVerdict.Goto(Allowed)));
        In(IngressDefaultChain, new NftRule().Verdict(NftVerdict.Goto(Denied)));

        void Identify(string chain, int source, int destination, int length, NftSet endpoints, NftSet outside)
        {
            In(chain, new NftRule().Payload(NetworkHeader, source, length).Look(endpoints, 0, 8).SetMeta(MetaMark, 8));
            In(chain, new NftRule().Meta(MetaMark).Equal(new byte[4]).Payload(NetworkHeader, source, length).Look(outside, 0, 8).SetMeta(MetaMark, 8));
            In(chain, new NftRule().Payload(NetworkHeader, destination, length).Look(endpoints, 0, 8).SetCt(CtMark, 8));
            In(chain, new NftRule().Ct(CtMark).Equal(new byte[4]).Payload(NetworkHeader, destination, length).Look(outside, 0, 8).SetCt(CtMark, 8));
        }
    }

    // What containers may ask of the gateway: names, and whether it is there.
    private static void AddInput(NftBatch batch)
    {
        batch.AddChain(Inet, "input", new NftBaseChain("filter", NftHook.Input, 0, NftVerdict.Drop));

        void In(NftRule rule) => batch.AddRule(Inet, "input", rule);

        In(new NftRule().State(StateInvalid).Count(FirewallCounters.Invalid).Verdict(NftVerdict.Drop));
        In(new NftRule().State(StateEstablished | StateRelated).Verdict(NftVerdict.Accept));
        In(new NftRule().FromLink("lo").Verdict(NftVerdict.Accept));
        In(new NftRule().L4((byte)Protocol.Icmp6).Payload(TransportHeader, 0, 1).InRange([NeighbourSolicitation], [NeighbourAdvertisement]).Verdict(NftVerdict.Accept));
        foreach (Protocol protocol in (ReadOnlySpan<Protocol>)[Protocol.Udp, Protocol.Tcp])
            In(new NftRule().FromLink("b-*").L4((byte)protocol).Payload(TransportHeader, 2, 2).Equal(BigEndian(DnsPort)).Verdict(NftVerdict.Accept));
        In(new NftRule().FromLink("b-*").L4((byte)Protocol.Icmp).Payload(TransportHeader, 0, 1).Equal([EchoRequest]).Verdict(NftVerdict.Accept));
        In(new NftRule().FromLink("b-*").L4((byte)Protocol.Icmp6).Payload(TransportHeader, 0, 1).Equal([EchoRequest6]).Verdict(NftVerdict.Accept));
        In(new NftRule().Count(FirewallCounters.RefusedByGateway).Verdict(NftVerdict.Drop));
    }

    private static void AddNat(NftBatch batch)
    {
        const int dstnat = -100, srcnat = 100; // priorities of the IP families
        batch.AddChain(Inet, "prerouting", new NftBaseChain("nat", NftHook.Prerouting, dstnat, NftVerdict.Accept));
        batch.AddChain(Inet, "postrouting", new NftBaseChain("nat", NftHook.Postrouting, srcnat, NftVerdict.Accept));
        batch.AddRule(Inet, "prerouting", new NftRule().Family(Version4).FromLink(LinkNames.Uplink).Meta(MetaL4Proto).Payload(TransportHeader, 2, 2, 1)
            .Look(Published4, 0, 4).TranslateDestination(Version4, 4, 5));
        batch.AddRule(Inet, "prerouting", new NftRule().Family(Version6).FromLink(LinkNames.Uplink).Meta(MetaL4Proto).Payload(TransportHeader, 2, 2, 1)
            .Look(Published6, 0, 4).TranslateDestination(Version6, 4, 8));
        batch.AddRule(Inet, "postrouting", new NftRule().ToLink(LinkNames.Uplink).Masquerade());
    }

    private static NftRule Ethernet(byte[] type) => new NftRule().Payload(LinkHeader, 12, 2).Equal(type);

    private static NftRule Sender6(bool not = false) =>
        new NftRule().Meta(MetaIifName).Payload(LinkHeader, 6, 6, 4).Payload(NetworkHeader, 8, 16, 6).InSet(Binding6, not: not);

    private static NftRule IcmpType() => new NftRule().Payload(TransportHeader, 0, 1);

    private static NftRule Length6(ushort bytes) => new NftRule().Payload(NetworkHeader, 4, 2).Equal(BigEndian(bytes));

    private static NftRule Path() => new NftRule().Meta(MetaIifName).Meta(MetaOifName, 4);
}

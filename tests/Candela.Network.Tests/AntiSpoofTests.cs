using System.Net;
using Candela.Network.Plan;
using Candela.Network.Tests.Lab;
using static Candela.Network.Tests.Lab.Frames;

namespace Candela.Network.Tests;

/// <summary>A hostile guest writes what it likes to its tap.</summary>
public sealed class AntiSpoofTests : IDisposable
{
    private readonly ProjectLab _lab = new();
    private readonly TapEndpoint _evil, _victim, _third;
    private readonly SegmentSpec _segment;

    public AntiSpoofTests()
    {
        _segment = _lab.AddSegment("a", 1, hasMulticast: true);
        _evil = _lab.Connect(_lab.AddPort("evil", _segment));
        _victim = _lab.Connect(_lab.AddPort("victim", _segment));
        _third = _lab.Connect(_lab.AddPort("third", _segment));
    }

    private static MacAddress GatewayMac => LinkNames.GatewayMac("a");

    public void Dispose() => _lab.Dispose();

    [Fact]
    public void What_is_true_passes()
    {
        PortSpec me = _evil.Port, you = _victim.Port;
        Assert.True(_evil.Reaches(_victim, _evil.Packet(you.Mac, you.Ipv4!, Protocol.Tcp, Tcp(1, 2, Syn))));
        Assert.True(_evil.Reaches(_victim, _evil.Packet(you.Mac, you.Ipv6!, Protocol.Udp, Udp(1, 2, "x"u8))));
        Assert.True(_evil.Reaches(_victim, Arp(me.Mac, Broadcast, 1, me.Mac, me.Ipv4!, you.Ipv4!)));
        Assert.True(_evil.Reaches(_victim, Arp(me.Mac, you.Mac, 2, me.Mac, me.Ipv4!, you.Ipv4!)));
        Assert.True(_evil.Reaches(_victim, Nd(135, me.Mac, me.Ipv6!, you.Ipv6!, you.Ipv6!, me.Mac)));
        Assert.True(_evil.Reaches(_victim, Nd(136, me.Mac, me.Ipv6!, you.Ipv6!, me.Ipv6!, me.Mac)));
        Assert.True(_evil.Reaches(_victim, Nd(136, me.Mac, me.Mac.LinkLocal, you.Ipv6!, me.Mac.LinkLocal, null)));
        Assert.True(_evil.Reaches(_victim, Nd(135, me.Mac, IPAddress.IPv6Any, IPAddress.Parse("ff02::1"), me.Ipv6!, null)));
        Assert.Equal(0UL, _lab.Network.Counters()["spoofed"].Packets);
    }

    [Theory]
    [InlineData("MAC of another")]
    [InlineData("MAC of the gateway")]
    [InlineData("IPv4 of another")]
    [InlineData("IPv4 of nobody")]
    [InlineData("IPv4 of the gateway")]
    [InlineData("IPv6 of another")]
    [InlineData("IPv6 of the gateway")]
    [InlineData("ARP request in another's name")]
    [InlineData("ARP reply in another's name")]
    [InlineData("ARP reply in the gateway's name")]
    [InlineData("ARP reply with another's MAC inside")]
    [InlineData("ARP for another protocol")]
    [InlineData("advertisement of another's address")]
    [InlineData("advertisement of the gateway's address")]
    [InlineData("advertisement from another's address")]
    [InlineData("advertisement with another's MAC inside")]
    [InlineData("solicitation from another's address")]
    [InlineData("solicitation with another's MAC inside")]
    [InlineData("detection of another's address as duplicate")]
    [InlineData("router advertisement")]
    [InlineData("redirect")]
    [InlineData("VLAN tag")]
    [InlineData("unknown protocol")]
    [InlineData("bridge protocol")]
    public void What_is_false_is_dropped_and_counted(string kind)
    {
        PortSpec me = _evil.Port, you = _victim.Port, third = _third.Port;
        IPAddress allNodes = IPAddress.Parse("ff02::1");
        byte[] syn = Tcp(1, 2, Syn);
        byte[] frame = kind switch
        {
            "MAC of another" => Ip(third.Mac, you.Mac, me.Ipv4!, you.Ipv4!, Protocol.Tcp, syn),
            "MAC of the gateway" => Ip(GatewayMac, you.Mac, me.Ipv4!, you.Ipv4!, Protocol.Tcp, syn),
            "IPv4 of another" => Ip(me.Mac, you.Mac, third.Ipv4!, you.Ipv4!, Protocol.Tcp, syn),
            "IPv4 of nobody" => Ip(me.Mac, you.Mac, IPAddress.Parse("192.0.2.1"), you.Ipv4!, Protocol.Tcp, syn),
            "IPv4 of the gateway" => Ip(me.Mac, you.Mac, _segment.Gateway4!, you.Ipv4!, Protocol.Tcp, syn),
            "IPv6 of another" => Ip(me.Mac, you.Mac, third.Ipv6!, you.Ipv6!, Protocol.Tcp, syn),
            "IPv6 of the gateway" => Ip(me.Mac, you.Mac, _segment.Gateway6!, you.Ipv6!, Protocol.Tcp, syn),
            "ARP request in another's name" => Arp(me.Mac, Broadcast, 1, me.Mac, third.Ipv4!, you.Ipv4!),
            "ARP reply in another's name" => Arp(me.Mac, you.Mac, 2, me.Mac, third.Ipv4!, you.Ipv4!),
            "ARP reply in the gateway's name" => Arp(me.Mac, you.Mac, 2, me.Mac, _segment.Gateway4!, you.Ipv4!),
            "ARP reply with another's MAC inside" => Arp(me.Mac, you.Mac, 2, third.Mac, me.Ipv4!, you.Ipv4!),
            "ARP for another protocol" => Arp(me.Mac, you.Mac, 8, me.Mac, me.Ipv4!, you.Ipv4!),
            "advertisement of another's address" => Nd(136, me.Mac, me.Ipv6!, allNodes, third.Ipv6!, me.Mac),
            "advertisement of the gateway's address" => Nd(136, me.Mac, me.Ipv6!, allNodes, _segment.Gateway6!, me.Mac),
            "advertisement from another's address" => Nd(136, me.Mac, third.Ipv6!, allNodes, me.Ipv6!, me.Mac),
            "advertisement with another's MAC inside" => Nd(136, me.Mac, me.Ipv6!, allNodes, me.Ipv6!, third.Mac),
            "solicitation from another's address" => Nd(135, me.Mac, third.Ipv6!, you.Ipv6!, you.Ipv6!, me.Mac),
            "solicitation with another's MAC inside" => Nd(135, me.Mac, me.Ipv6!, you.Ipv6!, you.Ipv6!, third.Mac),
            "detection of another's address as duplicate" => Nd(135, me.Mac, IPAddress.IPv6Any, allNodes, third.Ipv6!, null),
            "router advertisement" => Ip(me.Mac, you.Mac, me.Mac.LinkLocal, allNodes, Protocol.Icmp6, Icmp(134, 0, 0, new byte[8]), 255),
            "redirect" => Ip(me.Mac, you.Mac, me.Mac.LinkLocal, you.Ipv6!, Protocol.Icmp6, Icmp(137, 0, 0, new byte[32]), 255),
            "VLAN tag" => Ethernet(me.Mac, you.Mac, 0x8100, [0, 5, 8, 0, .. Ip(me.Mac, you.Mac, me.Ipv4!, you.Ipv4!, Protocol.Tcp, syn)[14..]]),
            "unknown protocol" => Ethernet(me.Mac, you.Mac, 0x88cc, new byte[46]),
            "bridge protocol" => Ethernet(me.Mac, MacAddress.Parse("ff:ff:ff:ff:ff:ff"), 0x0027, [0x42, 0x42, 0x03, .. new byte[36]]),
            _ => throw new ArgumentException(kind, nameof(kind)),
        };

        Assert.False(_evil.Reaches(_victim, frame));
        Assert.Equal(1UL, _lab.Network.Counters()["spoofed"].Packets);
    }

    [Fact]
    public void A_packet_is_not_delivered_to_another_than_it_is_for()
    {
        // The frame's MAC is the third's, the packet's address the victim's: no way around a policy.
        Assert.False(_evil.Reaches(_third, Ip(_evil.Port.Mac, _third.Port.Mac, _evil.Port.Ipv4!, _victim.Port.Ipv4!, Protocol.Tcp, Tcp(1, 2, Syn))));
        Assert.Equal(1UL, _lab.Network.Counters()["misdelivered"].Packets);
    }

    [Theory]
    [InlineData(67, 68)]
    [InlineData(547, 546)]
    public void A_guest_is_no_DHCP_server(int from, int to)
    {
        byte[] answer = Udp((ushort)from, (ushort)to, new byte[240]);
        IPAddress destination = from == 67 ? IPAddress.Broadcast : _victim.Port.Ipv6!;
        Assert.False(_evil.Reaches(_victim, _evil.Packet(from == 67 ? Broadcast : _victim.Port.Mac, destination, Protocol.Udp, answer)));
    }

    private static byte[] Nd(byte type, MacAddress mac, IPAddress from, IPAddress to, IPAddress target, MacAddress? option) =>
        Ip(mac, Broadcast, from, to, Protocol.Icmp6, NeighbourDiscovery(type, target, option), 255);
}

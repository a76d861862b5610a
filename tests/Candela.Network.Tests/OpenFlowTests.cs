using System.Collections.Immutable;
using System.Net;
using Candela.Network.Plan;
using Candela.Network.Tests.Lab;
using static Candela.Network.Tests.Lab.Frames;

namespace Candela.Network.Tests;

/// <summary>A change of the plan holds for flows that are open.</summary>
public sealed class OpenFlowTests : IDisposable
{
    private readonly ProjectLab _lab = new();
    private readonly TapEndpoint _client, _server, _other;

    public OpenFlowTests()
    {
        SegmentSpec segment = _lab.AddSegment("a", 1);
        _client = _lab.Connect(_lab.AddPort("client", segment));
        _server = _lab.Connect(_lab.AddPort("server", segment));
        _other = _lab.Connect(_lab.AddPort("other", segment));
        Assert.True(ToServer(_client, Tcp(1000, 80, Syn)));
        Assert.True(FromServer(_client, Tcp(80, 1000, Syn | Ack, 5000, 1001)));
        Assert.True(ToServer(_client, Tcp(1000, 80, Ack, 1001, 5001)));
        Assert.True(ToServer(_other, Tcp(1000, 80, Syn)));
        Assert.True(FromServer(_other, Tcp(80, 1000, Syn | Ack, 5000, 1001)));
        Assert.True(ToServer(_client, Udp(1000, 53, "q"u8)));
        Assert.True(FromServer(_client, Udp(53, 1000, "a"u8)));
    }

    public void Dispose() => _lab.Dispose();

    [Fact]
    public void A_policy_that_denies_ends_open_flows_in_both_directions_at_once_and_no_others()
    {
        Deny(new Peer.Cidr(new IPNetwork(_client.Port.Ipv4!, 32)));

        Assert.False(ToServer(_client, Tcp(1000, 80, Ack, 1001, 5001)));
        Assert.False(FromServer(_client, Tcp(80, 1000, Ack, 5001, 1001)));
        Assert.True(ToServer(_other, Tcp(1000, 80, Ack, 1001, 5001)));
        Assert.True(FromServer(_other, Tcp(80, 1000, Ack, 5001, 1001)));

        // Answers must not open what they answered from the other side: the server may start a flow, a forgotten one does not return.
        Assert.False(FromServer(_client, Tcp(80, 1000, Ack, 5001, 1001)));
    }

    [Fact]
    public void Flows_go_on_when_a_policy_changes_nothing_for_them()
    {
        Deny(new Peer.Cidr(IPNetwork.Parse("192.0.2.0/24")));
        Assert.True(ToServer(_client, Tcp(1000, 80, Ack, 1001, 5001)));
        Assert.True(FromServer(_client, Tcp(80, 1000, Ack, 5001, 1001)));
        Assert.True(FromServer(_client, Udp(53, 1000, "b"u8)));
    }

    [Fact]
    public void Flows_go_on_over_a_restart()
    {
        _lab.Restart();
        _lab.Apply();
        Assert.True(ToServer(_client, Tcp(1000, 80, Ack, 1001, 5001)));
        Assert.True(FromServer(_client, Tcp(80, 1000, Ack, 5001, 1001)));
    }

    [Fact]
    public void An_address_that_has_another_holder_has_none_of_the_old_ones_flows()
    {
        PortSpec heir = _client.Port with { Id = "heir", Mac = new MacAddress(0x02cd_0000_0099) };
        _lab.Apply(p => p with { Ports = p.Ports.Remove("client") });
        using TapEndpoint end = Connect(heir);

        Assert.False(ToServer(end, Tcp(1000, 80, Ack, 1001, 5001)));
        _server.Receive();
        _server.Send(_server.Packet(heir.Mac, heir.Ipv4!, Protocol.Tcp, Tcp(80, 1000, Ack, 5001, 1001)));
        Assert.Empty(end.Receive());
    }

    [Fact]
    public void Counters_say_what_a_policy_did()
    {
        Deny(new Peer.Cidr(new IPNetwork(_client.Port.Ipv4!, 32)));
        ToServer(_client, Tcp(1001, 80, Syn));
        ToServer(_client, Tcp(1002, 80, Syn));
        Assert.Equal(2UL, _lab.Network.Counters()["policy-deny"].Packets);

        _lab.Restart();
        _lab.Apply();
        Assert.Equal(2UL, _lab.Network.Counters()["policy-deny"].Packets);
    }

    private TapEndpoint Connect(PortSpec port)
    {
        _lab.Plan = _lab.Plan with { Ports = _lab.Plan.Ports.SetItem(port.Id, port) };
        return _lab.Connect(port);
    }

    private void Deny(Peer peer) => _lab.Apply(p => p with
    {
        Policies = ImmutableDictionary<string, Policy>.Empty.Add("deny", new Policy { Id = "deny", Direction = Direction.Ingress, Action = PolicyAction.Deny, Peers = [peer] }),
    });

    private bool ToServer(TapEndpoint from, byte[] payload) => from.Reaches(_server, from.Packet(_server.Port.Mac, _server.Port.Ipv4!, payload.Length == 20 ? Protocol.Tcp : Protocol.Udp, payload));

    private bool FromServer(TapEndpoint to, byte[] payload) => _server.Reaches(to, _server.Packet(to.Port.Mac, to.Port.Ipv4!, payload.Length == 20 ? Protocol.Tcp : Protocol.Udp, payload));
}

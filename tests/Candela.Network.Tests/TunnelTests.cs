using System.Collections.Immutable;
using System.Net;
using Candela.Network.Namespaces;
using Candela.Network.Netlink;
using Candela.Network.Plan;
using Candela.Network.Tests.Lab;
using Candela.Tests.Shared;

namespace Candela.Network.Tests;

/// <summary>Segments that are on several machines, each a namespace, on one wire.</summary>
public sealed class TunnelTests : IDisposable
{
    private readonly NetworkNamespace _wire = NetworkNamespace.CreateAnonymous();
    private readonly List<Node> _nodes = [];

    public TunnelTests()
    {
        using var wire = new RouteSocket(_wire);
        wire.Execute(b => b.AddBridge("wire", new MacAddress(0x02ff_0000_0000), 1600));
        int bridge = wire.FindLink("wire")!.Index;
        wire.Execute(b => b.SetLink(bridge, "set wire up", up: true));
        for (int i = 1; i <= 3; i++)
            _nodes.Add(new Node(_wire, bridge, i));
    }

    public void Dispose()
    {
        foreach (Node node in _nodes)
            node.Dispose();
        _wire.Dispose();
    }

    [Fact]
    public void Ports_of_one_segment_on_several_machines_reach_each_other()
    {
        PortSpec[] ports = Place(1, 2, 3);
        HostEndpoint[] ends = Connect(ports);

        Assert.True(ends[0].Pings(ports[1].Ipv4!));
        Assert.True(ends[0].Pings(ports[2].Ipv6!));
        Assert.True(ends[2].Pings(ports[1].Ipv4!));
        Assert.True(ends[1].Pings(Segment.Gateway4!));
        // The largest packet passes without fragments.
        Assert.Equal(0, ends[0].Run("ping", "-c", "1", "-W", "2", "-M", "do", "-s", (Segment.Mtu - 28).ToString(System.Globalization.CultureInfo.InvariantCulture), ports[1].Ipv4!.ToString()).ExitCode);
    }

    [Fact]
    public void A_policy_holds_across_machines()
    {
        PortSpec[] ports = Place(1, 2);
        HostEndpoint[] ends = Connect(ports);
        Assert.True(ends[0].Pings(ports[1].Ipv4!));

        var deny = new Policy { Id = "deny", Direction = Direction.Ingress, Action = PolicyAction.Deny, Peers = [new Peer.Cidr(new IPNetwork(ports[0].Ipv4!, 32))] };
        _nodes[1].Change(p => p with { Policies = p.Policies.SetItem("deny", deny) });
        Assert.False(ends[0].Pings(ports[1].Ipv4!));
    }

    [Fact]
    public void A_port_that_moves_is_found_and_one_that_goes_is_forgotten()
    {
        PortSpec[] ports = Place(1, 2);
        HostEndpoint[] ends = Connect(ports);
        Assert.True(ends[0].Pings(ports[1].Ipv4!));
        ends[1].Dispose();

        // From machine 2 to machine 3.
        for (int i = 0; i < 3; i++)
            _nodes[i].Change(p => p with { Ports = p.Ports.SetItem(ports[1].Id, ports[1] with { Machine = i == 2 ? null : Node.AddressOf(3) }) });
        using HostEndpoint moved = HostEndpoint.Connect(_nodes[2].Network.Project("p"), ports[1], Segment);
        Assert.True(ends[0].Pings(ports[1].Ipv4!));

        _nodes[0].Change(p => p with { Ports = p.Ports.Remove(ports[1].Id) });
        using var route = new RouteSocket(_nodes[0].Network.Project("p").Namespace);
        Assert.DoesNotContain(route.Forwarding(), e => e.Mac == ports[1].Mac);
        Assert.DoesNotContain(route.Neighbours(), n => ports[1].Ipv4!.Equals(n.Destination));
    }

    [Fact]
    public async Task Machines_come_and_go_while_others_talk()
    {
        PortSpec[] ports = Place(1, 2);
        HostEndpoint[] ends = Connect(ports);
        Assert.True(ends[0].Pings(ports[1].Ipv4!));
        Task<(int ExitCode, string Output)> talk = Task.Run(() => ends[0].Run("ping", "-c", "100", "-i", "0.05", "-W", "10", ports[1].Ipv4!.ToString()));
        var third = new PortSpec { Id = "port3", SegmentId = "a", Mac = new MacAddress(0x02cd_0000_0003), Ipv4 = IPAddress.Parse("10.1.0.13"), Ipv6 = IPAddress.Parse("fd00:1::13") };
        ProjectPlan elsewhere = _nodes[2].Plan.Projects["p"];

        for (int round = 0; round < 3; round++)
        {
            foreach (Node node in _nodes[..2])
            {
                node.Apply(p => p with { Machines = p.Machines.Add(Node.AddressOf(3)) });
                node.Change(p => p with { Ports = p.Ports.SetItem(third.Id, third with { Machine = Node.AddressOf(3) }) });
            }

            _nodes[2].Apply(p => p with { Projects = p.Projects.SetItem("p", elsewhere with { Ports = elsewhere.Ports.SetItem(third.Id, third) }) });
            using (HostEndpoint end = HostEndpoint.Connect(_nodes[2].Network.Project("p"), third, Segment))
            {
                Assert.True(end.Pings(ports[0].Ipv4!));
                Assert.True(end.Pings(ports[1].Ipv6!));
            }

            _nodes[2].Apply(p => p with { Projects = p.Projects.Clear() });
            foreach (Node node in _nodes[..2])
            {
                node.Change(p => p with { Ports = p.Ports.Remove(third.Id) });
                node.Apply(p => p with { Machines = p.Machines.Remove(Node.AddressOf(3)) });
            }
        }

        Assert.Contains(" 0% packet loss", (await talk).Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Tunnels_go_on_over_a_restart_and_what_is_stale_goes()
    {
        PortSpec[] ports = Place(1, 2, 3);
        HostEndpoint[] ends = Connect(ports);
        Assert.True(ends[0].Pings(ports[1].Ipv4!));

        _nodes[0].Restart();
        _nodes[0].Change(p => p with { Ports = p.Ports.Remove(ports[2].Id) });
        Assert.True(ends[0].Pings(ports[1].Ipv4!));
        using var route = new RouteSocket(_nodes[0].Network.Project("p").Namespace);
        Assert.DoesNotContain(route.Forwarding(), e => e.Mac == ports[2].Mac);
    }

    [Fact]
    public void Packets_of_a_stranger_are_not_taken()
    {
        PortSpec[] ports = Place(1, 2);
        HostEndpoint[] ends = Connect(ports);
        Assert.True(ends[0].Pings(ports[1].Ipv4!));

        // Machine 2 is no longer one of machine 1's: what it sends does not come in.
        _nodes[0].Apply(p => p with { Machines = [] });
        Assert.False(ends[1].Pings(ports[0].Ipv4!));
    }

    private static SegmentSpec Segment => MachineLab.Segment("a", 1) with { Vni = 4711, Mtu = 1600 - SegmentSpec.TunnelOverheadBytes };

    // One port on each of some machines; every machine knows all.
    private PortSpec[] Place(params int[] machines)
    {
        PortSpec[] ports = [.. machines.Select(m => new PortSpec
        {
            Id = $"port{m}", SegmentId = "a", Mac = new MacAddress(0x02cd_0000_0000 + (ulong)m), Ipv4 = IPAddress.Parse($"10.1.0.{10 + m}"), Ipv6 = IPAddress.Parse($"fd00:1::{10 + m}"),
        })];
        for (int i = 0; i < _nodes.Count; i++)
        {
            int number = i + 1;
            _nodes[i].Apply(p => p with
            {
                TunnelAddress = Node.AddressOf(number),
                Machines = [.. new[] { 1, 2, 3 }.Where(m => m != number).Select(Node.AddressOf)],
                Projects = p.Projects.SetItem("p", new ProjectPlan
                {
                    Id = "p",
                    Segments = ImmutableDictionary<string, SegmentSpec>.Empty.Add("a", Segment),
                    Ports = ports.Select((port, n) => port with { Machine = machines[n] == number ? null : Node.AddressOf(machines[n]) }).ToImmutableDictionary(port => port.Id),
                }),
            });
        }

        return ports;
    }

    private HostEndpoint[] Connect(PortSpec[] ports) => [.. ports.Select((p, i) => HostEndpoint.Connect(_nodes[i].Network.Project("p"), p, Segment))];

    private sealed class Node : IDisposable
    {
        private readonly TemporaryFolder _folder = new();
        private readonly NetworkNamespace _space = NetworkNamespace.CreateAnonymous();
        private NetworkPlan _plan = new();

        public Node(NetworkNamespace wire, int bridge, int number)
        {
            using var route = new RouteSocket(_space);
            using var other = new RouteSocket(wire);
            other.Execute(b => b.AddVeth($"m{number}", "eth0", _space, mtu: 1600));
            other.Execute(b => b.SetLink(other.FindLink($"m{number}")!.Index, "connect", up: true, master: bridge));
            route.Execute(b =>
            {
                b.SetLink(route.FindLink("lo")!.Index, "set lo up", up: true);
                b.SetLink(route.FindLink("eth0")!.Index, "set eth0 up", up: true);
                b.AddAddress(route.FindLink("eth0")!.Index, AddressOf(number), 24);
            });
            Network = Open();
        }

        public MachineNetwork Network { get; private set; }

        public NetworkPlan Plan => _plan;

        public static IPAddress AddressOf(int number) => IPAddress.Parse($"192.0.2.{number}");

        public void Apply(Func<NetworkPlan, NetworkPlan> change)
        {
            _plan = change(_plan);
            Network.Apply(_plan);
        }

        public void Change(Func<ProjectPlan, ProjectPlan> change) => Apply(p => p with { Projects = p.Projects.SetItem("p", change(p.Projects["p"])) });

        public void Restart()
        {
            Network.Dispose();
            Network = Open();
        }

        public void Dispose()
        {
            Network.Remove();
            Network.Dispose();
            _space.Dispose();
            _folder.Dispose();
        }

        private MachineNetwork Open() => MachineNetwork.Open(new NetworkOptions { RunFolder = _folder.File("run"), StateFolder = _folder.File("state"), Host = _space });
    }
}

using System.Net;
using System.Net.Sockets;
using Candela.Model;
using Candela.Network.Netlink;
using Candela.Network.Nftables;
using Candela.Network.Plan;
using Candela.Network.Tests.Lab;

namespace Candela.Network.Tests;

public sealed class MachineNetworkTests : IDisposable
{
    private readonly MachineLab _lab = new();

    public void Dispose() => _lab.Dispose();

    [Fact]
    public void A_container_reaches_the_outside_with_the_address_of_the_machine()
    {
        _lab.AddProject("p", MachineLab.Segment("a", 1));
        HostEndpoint one = _lab.ConnectHost("p", "a", "one");
        using Socket server4 = Sockets.Listen(_lab.Outside, MachineLab.OutsideAddress, 80), server6 = Sockets.Listen(_lab.Outside, MachineLab.OutsideAddress6, 80);

        Assert.Equal(MachineLab.MachineAddress, Sockets.SourceSeen(one.Namespace, MachineLab.OutsideAddress, 80, server4));
        Assert.Equal(MachineLab.MachineAddress6, Sockets.SourceSeen(one.Namespace, MachineLab.OutsideAddress6, 80, server6));
    }

    [Fact]
    public void A_container_of_an_internal_segment_does_not_reach_the_outside()
    {
        _lab.AddProject("p", MachineLab.Segment("a", 1, isInternal: true), MachineLab.Segment("b", 2));
        HostEndpoint one = _lab.ConnectHost("p", "a", "one"), two = _lab.ConnectHost("p", "a", "two");
        using Socket server = Sockets.Listen(_lab.Outside, MachineLab.OutsideAddress, 80);

        Assert.True(one.Pings(two.Port.Ipv4!));
        Assert.True(Sockets.IsUnreachable(one.Namespace, MachineLab.OutsideAddress, 80));
    }

    [Fact]
    public void Two_projects_with_the_same_subnet_work_at_the_same_time_and_apart()
    {
        _lab.AddProject("p", MachineLab.Segment("pa", 1));
        _lab.AddProject("q", MachineLab.Segment("qa", 1));
        HostEndpoint p = _lab.ConnectHost("p", "pa", "p1", 10), q = _lab.ConnectHost("q", "qa", "q1", 10), other = _lab.ConnectHost("q", "qa", "q2", 11);
        using Socket outside = Sockets.Listen(_lab.Outside, MachineLab.OutsideAddress, 80);
        using Socket inside = Sockets.Listen(other.Namespace, other.Port.Ipv4!, 80);

        Assert.NotNull(Sockets.SourceSeen(p.Namespace, MachineLab.OutsideAddress, 80, outside));
        Assert.NotNull(Sockets.SourceSeen(q.Namespace, MachineLab.OutsideAddress, 80, outside));
        Assert.NotNull(Sockets.SourceSeen(q.Namespace, other.Port.Ipv4!, 80, inside));
        Assert.True(Sockets.IsUnreachable(p.Namespace, other.Port.Ipv4!, 80));
    }

    [Fact]
    public void A_published_port_answers_from_outside_with_the_source_address_kept()
    {
        HostEndpoint web = Publish(new PublishedPort { PortId = "web", Protocol = Protocol.Tcp, HostPort = 8080, ContainerPort = 80 });
        using Socket server4 = Sockets.Listen(web.Namespace, IPAddress.Any, 80), server6 = Sockets.Listen(web.Namespace, web.Port.Ipv6!, 80);

        Assert.Equal(MachineLab.OutsideAddress, Sockets.SourceSeen(_lab.Outside, MachineLab.MachineAddress, 8080, server4));
        Assert.Equal(MachineLab.OutsideAddress6, Sockets.SourceSeen(_lab.Outside, MachineLab.MachineAddress6, 8080, server6));
    }

    [Fact]
    public void A_published_port_answers_on_the_host_itself()
    {
        HostEndpoint web = Publish(new PublishedPort { PortId = "web", Protocol = Protocol.Tcp, HostPort = 8080, ContainerPort = 80 });
        using Socket server = Sockets.Listen(web.Namespace, IPAddress.Any, 80);

        Assert.NotNull(Sockets.SourceSeen(_lab.Machine, IPAddress.Loopback, 8080, server));
        Assert.NotNull(Sockets.SourceSeen(_lab.Machine, MachineLab.MachineAddress, 8080, server));
    }

    [Fact]
    public void A_published_port_answers_other_containers_through_the_address_of_the_host()
    {
        HostEndpoint web = Publish(new PublishedPort { PortId = "web", Protocol = Protocol.Tcp, HostPort = 8080, ContainerPort = 80 });
        _lab.AddProject("q", MachineLab.Segment("qa", 1));
        HostEndpoint sibling = _lab.ConnectHost("p", "a", "sibling"), stranger = _lab.ConnectHost("q", "qa", "stranger");
        using Socket server = Sockets.Listen(web.Namespace, IPAddress.Any, 80);

        Assert.NotNull(Sockets.SourceSeen(sibling.Namespace, MachineLab.MachineAddress, 8080, server));
        Assert.NotNull(Sockets.SourceSeen(web.Namespace, MachineLab.MachineAddress, 8080, server));
        Assert.NotNull(Sockets.SourceSeen(stranger.Namespace, MachineLab.MachineAddress, 8080, server));
    }

    [Fact]
    public void One_port_of_two_addresses_leads_to_two_containers()
    {
        using (var route = new RouteSocket(_lab.Machine))
            route.Execute(b => b.AddAddress(route.FindLink("eth0")!.Index, IPAddress.Parse("192.0.2.3"), 24));
        HostEndpoint web = Publish(
            new PublishedPort { PortId = "web", Protocol = Protocol.Tcp, HostAddress = MachineLab.MachineAddress, HostPort = 80, ContainerPort = 8000 },
            new PublishedPort { PortId = "web", Protocol = Protocol.Tcp, HostAddress = IPAddress.Parse("192.0.2.3"), HostPort = 80, ContainerPort = 8001 });
        using Socket first = Sockets.Listen(web.Namespace, IPAddress.Any, 8000), second = Sockets.Listen(web.Namespace, IPAddress.Any, 8001);

        Assert.NotNull(Sockets.SourceSeen(_lab.Outside, MachineLab.MachineAddress, 80, first));
        Assert.NotNull(Sockets.SourceSeen(_lab.Outside, IPAddress.Parse("192.0.2.3"), 80, second));
    }

    [Fact]
    public void UDP_is_published_too()
    {
        HostEndpoint dns = Publish(new PublishedPort { PortId = "web", Protocol = Protocol.Udp, HostPort = 5353, ContainerPort = 53 });
        using Socket server = dns.Namespace.Run(() => new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp));
        server.Bind(new IPEndPoint(IPAddress.Any, 53));
        server.ReceiveTimeout = 5000;
        using Socket client = _lab.Outside.Run(() => new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp));
        client.ReceiveTimeout = 5000;

        EndPoint from = new IPEndPoint(IPAddress.Any, 0);
        byte[] buffer = new byte[16];
        SendUntilReceived(client, server, buffer, ref from);
        Assert.Equal(MachineLab.OutsideAddress, ((IPEndPoint)from).Address);
        server.SendTo("answer"u8, from);
        EndPoint back = new IPEndPoint(IPAddress.Any, 0);
        Assert.Equal(6, client.ReceiveFrom(buffer, ref back));
        Assert.Equal(new IPEndPoint(MachineLab.MachineAddress, 5353), back);
    }

    [Fact]
    public void A_port_that_the_host_uses_cannot_be_published()
    {
        using Socket taken = Sockets.Listen(_lab.Machine, IPAddress.Any, 8080);
        var exception = Assert.Throws<PortTakenException>(() => Publish(new PublishedPort { PortId = "web", Protocol = Protocol.Tcp, HostPort = 8080, ContainerPort = 80 }));
        Assert.Equal((ErrorCode.Conflict, Protocol.Tcp, IPAddress.Any, (ushort)8080), (exception.Code, exception.Protocol, exception.Address, exception.Port));
        Assert.Contains("8080/tcp", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_port_cannot_be_published_twice_and_is_free_again_afterwards()
    {
        var published = new PublishedPort { PortId = "web", Protocol = Protocol.Tcp, HostPort = 8080, ContainerPort = 80 };
        Publish(published);
        var exception = Assert.Throws<PortTakenException>(() => _lab.Change("p", p => p with { Published = [published, published with { ContainerPort = 81 }] }));
        Assert.Equal(ErrorCode.Conflict, exception.Code);
        Assert.Throws<SocketException>(() => Sockets.Listen(_lab.Machine, IPAddress.Any, 8080));

        _lab.Change("p", p => p with { Published = [] });
        Sockets.Listen(_lab.Machine, IPAddress.Any, 8080).Dispose();
    }

    [Fact]
    public void Services_of_the_host_are_out_of_reach_unless_the_project_may()
    {
        _lab.AddProject("p", MachineLab.Segment("a", 1));
        HostEndpoint one = _lab.ConnectHost("p", "a", "one");
        using Socket service = Sockets.Listen(_lab.Machine, IPAddress.Any, 22);

        Assert.True(Sockets.IsUnreachable(one.Namespace, MachineLab.MachineAddress, 22));
        _lab.Change("p", p => p with { HasHostAccess = true });
        Assert.NotNull(Sockets.SourceSeen(one.Namespace, MachineLab.MachineAddress, 22, service));
    }

    [Fact]
    public void After_a_restart_everything_goes_on()
    {
        HostEndpoint web = Publish(new PublishedPort { PortId = "web", Protocol = Protocol.Tcp, HostPort = 8080, ContainerPort = 80 });
        using Socket server = Sockets.Listen(web.Namespace, IPAddress.Any, 80);
        using Socket? open = Sockets.Connect(_lab.Outside, MachineLab.MachineAddress, 8080);
        using Socket accepted = server.Accept();

        _lab.Restart();
        Assert.Equal(MachineLab.OutsideAddress, Sockets.SourceSeen(_lab.Outside, MachineLab.MachineAddress, 8080, server)); // the kernel carries on by itself
        _lab.Apply(p => p);
        Assert.Equal(MachineLab.OutsideAddress, Sockets.SourceSeen(_lab.Outside, MachineLab.MachineAddress, 8080, server));

        byte[] buffer = new byte[8];
        open!.Send("still"u8);
        accepted.ReceiveTimeout = 5000;
        Assert.Equal(5, accepted.Receive(buffer));
    }

    [Fact]
    public void What_a_killed_daemon_left_is_removed_by_the_next_plan()
    {
        Publish(new PublishedPort { PortId = "web", Protocol = Protocol.Tcp, HostPort = 8080, ContainerPort = 80 });
        _lab.AddProject("q", MachineLab.Segment("qa", 1));
        _lab.Apply(p => p);
        _lab.Restart();
        _lab.Apply(p => p with { Projects = p.Projects.Remove("p") });

        using var route = new RouteSocket(_lab.Machine);
        Assert.Equal(["cnd-1", "eth0", "lo"], route.Links().Select(l => l.Name).Order());
        Assert.Single(Directory.GetFiles(Path.Combine(_lab.RunFolder, "netns")));
        Sockets.Listen(_lab.Machine, IPAddress.Any, 8080).Dispose();
    }

    [Fact]
    public void Without_projects_nothing_of_the_host_is_touched_and_the_last_one_leaves_nothing()
    {
        _lab.Apply(p => p);
        using var nft = new NftSocket(_lab.Machine);
        Assert.False(nft.HasTable(new NftTable(NftFamily.Inet, "candela")));
        Assert.Equal("0", _lab.Machine.GetParameter("ipv4/ip_forward"));

        _lab.AddProject("p", MachineLab.Segment("a", 1));
        _lab.Apply(p => p);
        Assert.Equal("1", _lab.Machine.GetParameter("ipv4/ip_forward"));
        _lab.Apply(p => p with { Projects = p.Projects.Clear() });
        using var route = new RouteSocket(_lab.Machine);
        Assert.Equal(["eth0", "lo"], route.Links().Select(l => l.Name).Order());
        Assert.False(nft.HasTable(new NftTable(NftFamily.Inet, "candela")));
        Assert.Equal("0", _lab.Machine.GetParameter("ipv4/ip_forward"));
    }

    [Fact]
    public void A_tap_made_ahead_is_connected_later()
    {
        _lab.AddProject("p", MachineLab.Segment("a", 1));
        HostEndpoint other = _lab.ConnectHost("p", "a", "other");
        foreach (string id in (string[])["first", "second"])
        {
            (string name, Microsoft.Win32.SafeHandles.SafeFileHandle descriptor) = _lab.Network.CreateSpareTap(isWantedSoon: true);
            var port = new PortSpec { Id = id, SegmentId = "a", Mac = new MacAddress(0x02cd_0000_00ff - (ulong)id.Length), Ipv4 = IPAddress.Parse($"10.1.0.{200 + id.Length}") };
            _lab.Change("p", p => p with { Ports = p.Ports.SetItem(id, port) });
            _lab.Network.ConnectTap(name, "p", id, isTypical: true);
            using var end = new TapEndpoint(port, descriptor);
            end.Send(Frames.Arp(port.Mac, Frames.Broadcast, 1, port.Mac, port.Ipv4!, other.Port.Ipv4!));
            Assert.True(SpinWait.SpinUntil(() => end.Receive().Any(f => f is [_, _, _, _, _, _, _, _, _, _, _, _, 8, 6, ..]), TimeSpan.FromSeconds(5)));
        }
    }

    [Fact]
    public void Removal_leaves_nothing_and_the_parameters_as_they_were()
    {
        Publish(new PublishedPort { PortId = "web", Protocol = Protocol.Tcp, HostPort = 8080, ContainerPort = 80 });
        Assert.Equal("1", _lab.Machine.GetParameter("ipv4/ip_forward"));

        _lab.Network.Remove();
        using var route = new RouteSocket(_lab.Machine);
        using var nft = new NftSocket(_lab.Machine);
        Assert.Equal(["eth0", "lo"], route.Links().Select(l => l.Name).Order());
        Assert.False(nft.HasTable(new NftTable(NftFamily.Inet, "candela")));
        Assert.Equal("0", _lab.Machine.GetParameter("ipv4/ip_forward"));
        Assert.False(Directory.Exists(Path.Combine(_lab.RunFolder, "netns")));
        _lab.Restart();
    }

    // A link that has just come up may lose packets.
    private static void SendUntilReceived(Socket client, Socket server, byte[] buffer, ref EndPoint from)
    {
        for (int tries = 0; tries < 50; tries++)
        {
            client.SendTo("ask"u8, new IPEndPoint(MachineLab.MachineAddress, 5353));
            if (!server.Poll(TimeSpan.FromMilliseconds(200), SelectMode.SelectRead))
                continue;
            Assert.Equal(3, server.ReceiveFrom(buffer, ref from));
            return;
        }

        Assert.Fail("no datagram came through");
    }

    private HostEndpoint Publish(params PublishedPort[] published)
    {
        _lab.AddProject("p", MachineLab.Segment("a", 1));
        HostEndpoint web = _lab.ConnectHost("p", "a", "web");
        _lab.Change("p", p => p with { Published = [.. published] });
        return web;
    }
}

using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using Candela.Network.Host;
using Candela.Network.Netlink;
using Candela.Network.Plan;
using Candela.Network.Tests.Lab;
using Candela.Tests.Shared;

namespace Candela.Network.Tests;

/// <summary>Several instances on one host.</summary>
public sealed class InstancesTests : IDisposable
{
    private readonly MachineLab _lab = new();
    private readonly TemporaryFolder _folder = new();

    public void Dispose()
    {
        _lab.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void Two_instances_work_at_the_same_time_and_either_may_go()
    {
        _lab.AddProject("p", MachineLab.Segment("a", 1));
        HostEndpoint first = _lab.ConnectHost("p", "a", "one");
        SegmentSpec segment = MachineLab.Segment("b", 1);
        var port = new PortSpec { Id = "two", SegmentId = "b", Mac = new MacAddress(0x02cd_0000_00ff), Ipv4 = IPAddress.Parse("10.1.0.9"), Ipv6 = IPAddress.Parse("fd00:1::9") };
        var project = new ProjectPlan
        {
            Id = "q",
            Segments = ImmutableDictionary<string, SegmentSpec>.Empty.Add("b", segment),
            Ports = ImmutableDictionary<string, PortSpec>.Empty.Add("two", port),
        };
        using var other = MachineNetwork.Open(new NetworkOptions
        {
            RunFolder = _folder.File("run"),
            StateFolder = _folder.File("state"),
            Host = _lab.Machine,
            HostOptions = new HostOptions { Table = "candela2", LinkPrefix = "cnd2-" },
        });
        other.Apply(new NetworkPlan { Projects = ImmutableDictionary<string, ProjectPlan>.Empty.Add("q", project) });
        using HostEndpoint second = HostEndpoint.Connect(other.Project("q"), port, segment);
        using Socket server4 = Sockets.Listen(_lab.Outside, MachineLab.OutsideAddress, 80), server6 = Sockets.Listen(_lab.Outside, MachineLab.OutsideAddress6, 80);
        foreach (HostEndpoint end in (HostEndpoint[])[first, second])
        {
            Assert.Equal(MachineLab.MachineAddress, Sockets.SourceSeen(end.Namespace, MachineLab.OutsideAddress, 80, server4));
            Assert.Equal(MachineLab.MachineAddress6, Sockets.SourceSeen(end.Namespace, MachineLab.OutsideAddress6, 80, server6));
        }

        // The one that switched forwarding on goes first; the last one sets it back.
        _lab.Apply(p => p with { Projects = p.Projects.Clear() });
        Assert.Equal("1", _lab.Machine.GetParameter("ipv4/ip_forward"));
        Assert.Equal(MachineLab.MachineAddress, Sockets.SourceSeen(second.Namespace, MachineLab.OutsideAddress, 80, server4));
        other.Remove();
        Assert.Equal("0", _lab.Machine.GetParameter("ipv4/ip_forward"));
        using var route = new RouteSocket(_lab.Machine);
        Assert.Equal(["eth0", "lo"], route.Links().Select(l => l.Name).Order());
    }
}

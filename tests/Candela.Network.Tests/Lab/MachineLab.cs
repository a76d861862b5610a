using System.Collections.Immutable;
using System.Net;
using Candela.Network.Dns;
using Candela.Network.Host;
using Candela.Network.Namespaces;
using Candela.Network.Netlink;
using Candela.Network.Plan;
using Candela.Tests.Shared;

namespace Candela.Network.Tests.Lab;

/// <summary>
/// A machine (a namespace with the network of Candela in it) on a wire to the outside (another). The machine is 192.0.2.1 and
/// 2001:db8::1, the outside .2 and ::2 on the same wire.
/// </summary>
internal sealed class MachineLab : IDisposable
{
    public static readonly IPAddress MachineAddress = IPAddress.Parse("192.0.2.1"), OutsideAddress = IPAddress.Parse("192.0.2.2"), MachineAddress6 = IPAddress.Parse("2001:db8::1"),
        OutsideAddress6 = IPAddress.Parse("2001:db8::2");

    private readonly TemporaryFolder _folder = new();
    private readonly List<IDisposable> _ends = [];
    private int _lastHost = 10;

    public MachineLab(bool forwardsIpv6 = true)
    {
        Machine = NetworkNamespace.CreateAnonymous();
        Outside = NetworkNamespace.CreateAnonymous();
        Machine.SetParameter("ipv4/ip_forward", "0"); // else as the host's
        if (forwardsIpv6)
            Machine.SetParameter("ipv6/conf/all/forwarding", "1");
        using var machine = new RouteSocket(Machine);
        using var outside = new RouteSocket(Outside);
        machine.Execute(b => b.AddVeth("eth0", "eth0", Outside));
        foreach ((NetworkNamespace space, RouteSocket route, IPAddress address, IPAddress address6) in new[]
        {
            (Machine, machine, MachineAddress, MachineAddress6), (Outside, outside, OutsideAddress, OutsideAddress6),
        })
        {
            space.SetParameter("ipv6/conf/eth0/accept_dad", "0");
            route.Execute(b =>
            {
                b.SetLink(route.FindLink("lo")!.Index, "set lo up", up: true);
                b.SetLink(route.FindLink("eth0")!.Index, "set eth0 up", up: true);
                b.AddAddress(route.FindLink("eth0")!.Index, address, 24);
                b.AddAddress(route.FindLink("eth0")!.Index, address6, 64);
            });
        }

        File.WriteAllText(_folder.File("resolv.conf"), $"nameserver {OutsideAddress}\n");
        Network = Open();
    }

    public NetworkNamespace Machine { get; }

    public NetworkNamespace Outside { get; }

    public MachineNetwork Network { get; private set; }

    public NetworkPlan Plan { get; private set; } = new();

    public string RunFolder => _folder.File("run");

    public void Restart()
    {
        Network.Dispose();
        File.WriteAllText(_folder.File("resolv.conf"), $"nameserver {OutsideAddress}\n");
        Network = Open();
    }

    public ProjectPlan AddProject(string id, params SegmentSpec[] segments)
    {
        var project = new ProjectPlan { Id = id, Number = Plan.Projects.Count, Segments = segments.ToImmutableDictionary(s => s.Id) };
        Plan = Plan with { Projects = Plan.Projects.SetItem(id, project) };
        return project;
    }

    public void Change(string id, Func<ProjectPlan, ProjectPlan> change)
    {
        NetworkPlan next = Plan with { Projects = Plan.Projects.SetItem(id, change(Plan.Projects[id])) };
        Network.Apply(next);
        Plan = next;
    }

    public void Apply(Func<NetworkPlan, NetworkPlan> change)
    {
        Plan = change(Plan);
        Network.Apply(Plan);
    }

    public static SegmentSpec Segment(string id, int number, bool isInternal = false) => new()
    {
        Id = id,
        Ipv4 = IPNetwork.Parse($"10.{number}.0.0/24"),
        Gateway4 = IPAddress.Parse($"10.{number}.0.1"),
        Ipv6 = IPNetwork.Parse($"fd00:{number:x}::/64"),
        Gateway6 = IPAddress.Parse($"fd00:{number:x}::1"),
        IsInternal = isInternal,
    };

    public HostEndpoint ConnectHost(string projectId, string segmentId, string portId, int? host = null)
    {
        SegmentSpec segment = Plan.Projects[projectId].Segments[segmentId];
        int number = host ?? _lastHost++;
        byte[] ipv4 = segment.Ipv4!.Value.BaseAddress.GetAddressBytes(), ipv6 = segment.Ipv6!.Value.BaseAddress.GetAddressBytes();
        ipv4[3] = ipv6[15] = (byte)number;
        var port = new PortSpec { Id = portId, SegmentId = segmentId, Mac = new MacAddress(0x02cd_0000_0000 + (ulong)number), Ipv4 = new IPAddress(ipv4), Ipv6 = new IPAddress(ipv6) };
        Change(projectId, p => p with { Ports = p.Ports.SetItem(portId, port) });
        var end = HostEndpoint.Connect(Network.Project(projectId), port, segment);
        _ends.Add(end);
        return end;
    }

    public void Dispose()
    {
        foreach (IDisposable end in _ends)
            end.Dispose();
        Network.Remove();
        Network.Dispose();
        Machine.Dispose();
        Outside.Dispose();
        _folder.Dispose();
    }

    private MachineNetwork Open() => MachineNetwork.Open(new NetworkOptions { RunFolder = RunFolder, StateFolder = _folder.File("state"), Host = Machine, HostOptions = new HostOptions(), Resolvers = new HostResolvers(_folder.File("resolv.conf")) });
}

using System.Collections.Immutable;
using System.Net;
using Candela.Network.Firewall;
using Candela.Network.Plan;
using Candela.Tests.Shared;

namespace Candela.Network.Tests.Lab;

/// <summary>A project's network in a namespace of the test's own, which goes when the test ends.</summary>
internal sealed class ProjectLab : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly List<IDisposable> _ends = [];
    private int _lastHost = 10;

    public ProjectLab(DefaultStance stance = DefaultStance.Open, FlowLogOptions? log = null)
    {
        Network = ProjectNetwork.Open(Path, log ?? new FlowLogOptions(), TimeProvider.System, null);
        Plan = new ProjectPlan { Id = "project", Stance = stance };
    }

    public string Path => System.IO.Path.Combine(_folder.Path, "namespace");

    public ProjectNetwork Network { get; private set; }

    /// <summary>The plan as it will be applied next.</summary>
    public ProjectPlan Plan { get; set; }

    /// <summary>As after kill -9: a new one over what the kernel has.</summary>
    public void Restart()
    {
        Network.Dispose();
        Network = ProjectNetwork.Open(Path, new FlowLogOptions(), TimeProvider.System, null);
    }

    public void Apply() => Network.Apply(Plan);

    public void Apply(Func<ProjectPlan, ProjectPlan> change)
    {
        Plan = change(Plan);
        Apply();
    }

    public SegmentSpec AddSegment(string id, int number, bool isInternal = false, bool hasMulticast = false)
    {
        var segment = new SegmentSpec
        {
            Id = id,
            Ipv4 = IPNetwork.Parse($"10.{number}.0.0/24"),
            Gateway4 = IPAddress.Parse($"10.{number}.0.1"),
            Ipv6 = IPNetwork.Parse($"fd00:{number:x}::/64"),
            Gateway6 = IPAddress.Parse($"fd00:{number:x}::1"),
            IsInternal = isInternal,
            HasMulticast = hasMulticast,
        };
        Plan = Plan with { Segments = Plan.Segments.SetItem(id, segment) };
        return segment;
    }

    public PortSpec AddPort(string id, SegmentSpec segment, params (string Key, string Value)[] labels)
    {
        int host = _lastHost++;
        var port = new PortSpec
        {
            Id = id,
            SegmentId = segment.Id,
            Mac = new MacAddress(0x02cd_0000_0000 + (ulong)host),
            Ipv4 = At(segment.Ipv4!.Value, host),
            Ipv6 = At(segment.Ipv6!.Value, host),
            Labels = labels.ToImmutableDictionary(l => l.Key, l => l.Value),
        };
        Plan = Plan with { Ports = Plan.Ports.SetItem(id, port) };
        return port;
    }

    /// <summary>Applies the plan and plays the container of a port.</summary>
    public TapEndpoint Connect(PortSpec port)
    {
        Apply();
        var end = new TapEndpoint(port, Network.CreateTap(port.Id));
        _ends.Add(end);
        return end;
    }

    /// <summary>Applies the plan and makes a small host, with a kernel's network of its own, the container of a port.</summary>
    public HostEndpoint ConnectHost(PortSpec port)
    {
        Apply();
        var end = HostEndpoint.Connect(Network, port, Plan.Segments[port.SegmentId]);
        _ends.Add(end);
        return end;
    }

    public void Dispose()
    {
        foreach (IDisposable end in _ends)
            end.Dispose();
        Network.Remove();
        Network.Dispose();
        _folder.Dispose();
    }

    private static IPAddress At(IPNetwork network, int host)
    {
        byte[] bytes = network.BaseAddress.GetAddressBytes();
        bytes[^1] = (byte)host;
        bytes[^2] |= (byte)(host >> 8);
        return new IPAddress(bytes);
    }
}

using System.Collections.Immutable;
using System.Net;
using Candela.Network.Netlink;
using Candela.Network.Plan;
using Candela.Network.Tests.Lab;
using Candela.Network.Tests.Policies;

namespace Candela.Network.Tests;

/// <summary>A machine with a thousand ports, each with a tap.</summary>
public sealed class ManyPortsTests
{
    private const int Ports = 1000, Groups = 20, Probes = 300;

    [Fact]
    public void A_thousand_ports_talk_as_policies_say_and_half_of_them_go_without_a_trace()
    {
        using var lab = new ProjectLab();
        SegmentSpec segment = lab.AddSegment("a", 1) with { Ipv4 = IPNetwork.Parse("10.1.0.0/16") };
        lab.Plan = lab.Plan with
        {
            Segments = lab.Plan.Segments.SetItem("a", segment),
            Groups = Enumerable.Range(0, Groups).Select(g => new SecurityGroup { Id = $"g{g}", Labels = ImmutableDictionary<string, string>.Empty.Add("g", $"{g}") }).ToImmutableDictionary(g => g.Id),
        };
        PortSpec[] ports = [.. Enumerable.Range(0, Ports).Select(i => lab.AddPort($"port{i}", segment, ("g", $"{i % Groups}")))];
        var generator = new PlanGenerator(1000);
        lab.Apply(p => p with { Policies = generator.Policies(p, 200) });
        Dictionary<string, TapEndpoint> ends = [];
        try
        {
            foreach (PortSpec port in ports)
                ends.Add(port.Id, new TapEndpoint(port, lab.Network.CreateTap(port.Id)));
            Compare(lab, generator, ends, 2000);

            lab.Apply(p => p with { Ports = p.Ports.RemoveRange(ports.Where((_, i) => i % 2 == 1).Select(port => port.Id)) });
            using var route = new RouteSocket(lab.Network.Namespace);
            Assert.Equal(Ports / 2, route.Links().Count(l => l.Name.StartsWith(LinkNames.PortPrefix, StringComparison.Ordinal)));
            Assert.DoesNotContain(route.Neighbours(), n => ports[1].Ipv4!.Equals(n.Destination));
            Compare(lab, generator, ends, 2000 + Probes);
        }
        finally
        {
            foreach (TapEndpoint end in ends.Values)
                end.Dispose();
        }
    }

    private static void Compare(ProjectLab lab, PlanGenerator generator, Dictionary<string, TapEndpoint> ends, int firstSource)
    {
        int passed = 0, source = firstSource;
        foreach (Flow flow in generator.Flows(lab.Plan, Probes))
        {
            bool expected = FlowModel.Passes(lab.Plan, flow);
            byte[] payload = flow.Protocol switch
            {
                Protocol.Tcp => Frames.Tcp((ushort)source++, flow.Port, Frames.Syn),
                Protocol.Udp => Frames.Udp((ushort)source++, flow.Port, "probe"u8),
                _ => Frames.Icmp(flow.IcmpType, 0, (ushort)source++, new byte[16]),
            };
            TapEndpoint from = ends[flow.From.Id], to = ends[flow.To.Id];
            byte[] packet = from.Packet(flow.To.Mac, flow.Destination, flow.Protocol, payload);
            bool actual = expected ? from.ReachesInTime(to, packet) : from.Reaches(to, packet);
            Assert.True(expected == actual, $"{flow}: the model says {expected}");
            passed += actual ? 1 : 0;
        }

        Assert.InRange(passed, 10, Probes - 10);
    }
}

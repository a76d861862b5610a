using System.Collections.Immutable;
using Candela.Network.Flows;
using Candela.Network.Nftables;
using Candela.Network.Plan;
using Candela.Network.Tests.Lab;

namespace Candela.Network.Tests.Policies;

/// <summary>Generated policies and flows: what the kernel does with a flow's first packet is what the model says, in every cell.</summary>
public sealed class TruthTableTests
{
    private const int FlowsOfPlan = 250;

    [Theory]
    [InlineData(1, DefaultStance.Open, 3)]
    [InlineData(2, DefaultStance.Open, 10)]
    [InlineData(3, DefaultStance.Closed, 20)]
    [InlineData(4, DefaultStance.Closed, 30)]
    [InlineData(5, DefaultStance.Open, 30)]
    [InlineData(6, DefaultStance.Open, 60)]
    [InlineData(7, DefaultStance.Closed, 60)]
    [InlineData(8, DefaultStance.Open, 100)]
    public void Kernel_and_model_agree(int seed, DefaultStance stance, int policies)
    {
        using var lab = new ProjectLab(stance);
        var generator = new PlanGenerator(seed);
        Dictionary<string, TapEndpoint> ends = Populate(lab, generator);
        lab.Apply(p => p with { Policies = generator.Policies(p, policies) });

        Compare(lab, generator, ends, FlowsOfPlan, seed);
    }

    [Fact]
    public void Kernel_and_model_agree_after_each_of_many_changes()
    {
        using var lab = new ProjectLab();
        var generator = new PlanGenerator(99);
        Dictionary<string, TapEndpoint> ends = Populate(lab, generator);
        lab.Apply(p => p with { Policies = generator.Policies(p, 15) });
        for (int step = 0; step < 60; step++)
        {
            lab.Apply(plan => Changed(plan, generator, step));
            Compare(lab, generator, ends, 25, step);
        }

        // What a chain of changes led to is what a restart makes from the plan alone.
        lab.Restart();
        lab.Apply();
        Compare(lab, generator, ends, FlowsOfPlan, -1);
    }

    private static ProjectPlan Changed(ProjectPlan plan, PlanGenerator generator, int step)
    {
        string some = generator.Pick([.. plan.Policies.Keys.Order()]);
        PortSpec port = generator.Pick([.. plan.Ports.Values.OrderBy(p => p.Id, StringComparer.Ordinal)]);
        return generator.Pick(0, 1, 2, 3, 4, 5) switch
        {
            0 => plan with { Policies = plan.Policies.SetItem($"new{step}", generator.Policy(plan, $"new{step}")) },
            1 when plan.Policies.Count > 5 => plan with { Policies = plan.Policies.Remove(some) },
            2 => plan with { Policies = plan.Policies.SetItem(some, generator.Policy(plan, some)) },
            3 => plan with { Ports = plan.Ports.SetItem(port.Id, port with { Labels = Labels(generator) }) },
            4 => plan with { Stance = generator.Pick(DefaultStance.Open, DefaultStance.Closed) },
            _ => plan with { Resolved = plan.Resolved.SetItem("a.example", [port.Ipv4!, port.Ipv6!]) },
        };
    }

    private static Dictionary<string, TapEndpoint> Populate(ProjectLab lab, PlanGenerator generator)
    {
        SegmentSpec[] segments = [lab.AddSegment("a", 1), lab.AddSegment("b", 2), lab.AddSegment("c", 3)];
        lab.Plan = lab.Plan with
        {
            Routes = [new SegmentRoute("a", "b")],
            Groups = new[] { ("tier", "web"), ("tier", "db"), ("env", "prod"), ("env", "test") }
                .Select(l => new SecurityGroup { Id = l.Item2, Labels = ImmutableDictionary<string, string>.Empty.Add(l.Item1, l.Item2) })
                .Append(new SecurityGroup { Id = "prod-web", Labels = ImmutableDictionary<string, string>.Empty.Add("tier", "web").Add("env", "prod") })
                .ToImmutableDictionary(g => g.Id),
        };
        PortSpec[] ports = [.. Enumerable.Range(0, 9).Select(i => lab.AddPort($"port{i}", segments[i % 3]))];
        lab.Plan = lab.Plan with
        {
            Ports = ports.Select(p => p with { Labels = Labels(generator) }).ToImmutableDictionary(p => p.Id),
            Resolved = ImmutableDictionary<string, ImmutableArray<System.Net.IPAddress>>.Empty.Add("b.example", [ports[4].Ipv4!, ports[5].Ipv6!]),
        };
        return lab.Plan.Ports.Values.ToDictionary(p => p.Id, lab.Connect);
    }

    private static ImmutableDictionary<string, string> Labels(PlanGenerator generator)
    {
        var labels = ImmutableDictionary<string, string>.Empty;
        if (generator.Chance(70))
            labels = labels.Add("tier", generator.Pick("web", "db", "cache"));
        return generator.Chance(70) ? labels.Add("env", generator.Pick("prod", "test")) : labels;
    }

    private static void Compare(ProjectLab lab, PlanGenerator generator, Dictionary<string, TapEndpoint> ends, int count, int step)
    {
        // No source port twice in a test, so that no step meets a connection of another.
        ushort source = (ushort)(2000 + ((step + 1) * 300));
        int passed = 0, wrong = 0;
        IReadOnlyDictionary<string, Traffic> before = lab.Network.Counters();
        string? first = null;
        foreach (Flow flow in generator.Flows(lab.Plan, count))
        {
            bool expected = FlowModel.Passes(lab.Plan, flow);
            bool actual = Probe(ends[flow.From.Id], ends[flow.To.Id], flow, source++, expected);
            passed += actual ? 1 : 0;
            var tuple = new FlowTuple(flow.Source, flow.Destination, flow.Protocol, 0, flow.Port, flow.IcmpType, false);
            Assert.Equal(expected, lab.Network.Passes(tuple)); // what ends open flows must agree, too
            if (expected == actual)
                continue;
            wrong++;
            first ??= $"{flow.From.Id} ({flow.Source}) to {flow.To.Id} ({flow.Destination}), {flow.Protocol} {flow.Port} type {flow.IcmpType}: the model says {expected}; " +
                $"since the step began: {Grown(before, lab.Network.Counters())}";
        }

        Assert.True(wrong == 0, $"{wrong} of {count} flows differ after step {step}, first: {first}");
        Assert.True(count < FlowsOfPlan || (passed > 5 && passed < count), $"{passed} of {count} passed: the table says nothing");
    }

    // Which rule took what was lost.
    private static string Grown(IReadOnlyDictionary<string, Traffic> before, IReadOnlyDictionary<string, Traffic> now) =>
        string.Join(", ", now.Where(c => c.Value.Packets != before.GetValueOrDefault(c.Key).Packets).Select(c => $"{c.Key} +{c.Value.Packets - before.GetValueOrDefault(c.Key).Packets}"));

    private static bool Probe(TapEndpoint from, TapEndpoint to, Flow flow, ushort source, bool isExpected)
    {
        byte[] payload = flow.Protocol switch
        {
            Protocol.Tcp => Frames.Tcp(source, flow.Port, Frames.Syn),
            Protocol.Udp => Frames.Udp(source, flow.Port, "probe"u8),
            _ => Frames.Icmp(flow.IcmpType, 0, source, new byte[16]),
        };
        MacAddress next = flow.From.SegmentId == flow.To.SegmentId ? flow.To.Mac : LinkNames.GatewayMac(flow.From.SegmentId);
        byte[] packet = from.Packet(next, flow.Destination, flow.Protocol, payload);
        bool reached = isExpected ? from.ReachesInTime(to, packet) : from.Reaches(to, packet);
        if (reached && flow.Protocol is Protocol.Tcp or Protocol.Udp)
        {
            // Answers of what may pass, pass, whatever the policies say of the other direction.
            byte[] answer = flow.Protocol == Protocol.Tcp ? Frames.Tcp(flow.Port, source, Frames.Syn | Frames.Ack, 5000, 1001) : Frames.Udp(flow.Port, source, "reply"u8);
            MacAddress back = flow.From.SegmentId == flow.To.SegmentId ? flow.From.Mac : LinkNames.GatewayMac(flow.To.SegmentId);
            Assert.True(to.ReachesInTime(from, to.Packet(back, flow.Source, flow.Protocol, answer)), "an answer was dropped");
        }

        return reached;
    }
}

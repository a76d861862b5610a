using System.Diagnostics;
using System.Text.Json.Nodes;
using Candela.Bench.Networks;
using Candela.Cli.Output;
using Candela.Network.Plan;

namespace Candela.Bench.Sections;

/// <summary>Network policies: from a change to its enforcement, and what a packet costs. In network namespaces of the bench's own.</summary>
internal static class PolicySection
{
    private const int PacketsOfRound = 5000, Rounds = 20;
    private static readonly int[] s_ports = [10, 1000, 10_000];

    public static void Measure(BenchOptions options, Report report)
    {
        var table = new Table("PORTS AND POLICIES", "LOAD ms", "POLICY DENIES: MEDIAN ms", "MAX ms", "POLICY GOES: MEDIAN ms", "MAX ms", "PORT COMES: MEDIAN ms", "MAX ms");
        var json = new JsonObject();
        foreach (int ports in s_ports)
        {
            long begun = Stopwatch.GetTimestamp();
            using var lab = new PolicyLab(ports, ports);
            double load = Stopwatch.GetElapsedTime(begun).TotalMilliseconds;
            Samples denies = new(), goes = new(), comes = new();
            for (int run = 0; run < options.Runs; run++)
            {
                ProjectPlan plan = lab.Plan;
                denies.Add(Timed(() => lab.Apply(plan with { Policies = plan.Policies.Add(PolicyLab.DenyAll.Id, PolicyLab.DenyAll) })));
                Check(!lab.Reaches(), "a packet came that a policy denies");
                goes.Add(Timed(() => lab.Apply(plan)));
                Check(lab.Reaches(), "a packet did not come that nothing denies");
                PortSpec port = PolicyLab.PortOf(ports + 1, ports);
                comes.Add(Timed(() => lab.Apply(plan with { Ports = plan.Ports.Add(port.Id, port) })));
                lab.Apply(plan);
            }

            table.Add($"{ports}", Report.Ms(load), Report.Ms(denies.Median), Report.Ms(denies.Maximum), Report.Ms(goes.Median), Report.Ms(goes.Maximum), Report.Ms(comes.Median), Report.Ms(comes.Maximum));
            json[$"{ports}"] = new JsonObject { ["loadMs"] = Report.Rounded(load), ["policyDenies"] = Report.Json(denies), ["policyGoes"] = Report.Json(goes), ["portComes"] = Report.Json(comes) };
        }

        report.Section("policies", "From a change of policy to its enforcement (each checked with a packet), and a port that comes", table, json);
        MeasurePackets(report);
    }

    private static void MeasurePackets(Report report)
    {
        using PolicyLab few = new(10, 1), many = new(10_000, 10_000);
        Samples fewCosts = new(), manyCosts = new();
        for (int round = -2; round < Rounds; round++)
        {
            // In turn: what else happens on the machine hits both alike.
            double a = Cost(few), b = Cost(many);
            if (round < 0)
                continue;
            fewCosts.Add(a);
            manyCosts.Add(b);
        }

        var table = new Table("PORTS", "POLICIES", "MEDIAN ns", "MIN ns", "RATIO OF MEDIANS");
        table.Add("10", "1", Report.Number(fewCosts.Median, "0"), Report.Number(fewCosts.Minimum, "0"), "1.00");
        table.Add("10000", "10000", Report.Number(manyCosts.Median, "0"), Report.Number(manyCosts.Minimum, "0"), Report.Number(manyCosts.Median / fewCosts.Median));
        report.Section("packet", "CPU time of a packet from tap to tap (UDP, 106 bytes), system calls included", table, new JsonObject
        {
            ["fewNs"] = Report.Rounded(fewCosts.Median),
            ["manyNs"] = Report.Rounded(manyCosts.Median),
            ["ratioOfMedians"] = Report.Rounded(manyCosts.Median / fewCosts.Median),
        });
    }

    private static double Cost(PolicyLab lab)
    {
        TimeSpan begun = Environment.CpuUsage.TotalTime;
        int lost = 0;
        for (int i = 0; i < PacketsOfRound; i++)
            lost += lab.Reaches() ? 0 : 1;
        // A busy host may take a packet on later than its write returns.
        Check(lost < PacketsOfRound / 10, $"{lost} of {PacketsOfRound} packets were lost");
        return (Environment.CpuUsage.TotalTime - begun).TotalNanoseconds / PacketsOfRound;
    }

    private static double Timed(Action action)
    {
        long begun = Stopwatch.GetTimestamp();
        action();
        return Stopwatch.GetElapsedTime(begun).TotalMilliseconds;
    }

    private static void Check(bool holds, string otherwise)
    {
        if (!holds)
            throw new InvalidOperationException(otherwise);
    }
}

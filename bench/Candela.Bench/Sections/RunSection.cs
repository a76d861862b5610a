using System.Text.Json.Nodes;
using Candela.Cli.Output;

namespace Candela.Bench.Sections;

/// <summary>End to end: <c>docker run --rm --network none IMAGE true</c> on each side, in turn.</summary>
internal static class RunSection
{
    public static void Measure(IReadOnlyList<Engine> engines, BenchOptions options, Report report)
    {
        var samples = engines.ToDictionary(engine => engine, _ => new Samples());
        for (int run = -options.WarmUps; run < options.Runs; run++)
        {
            // In turn, and each side first every other time: what else happens on the machine hits both alike.
            foreach (var engine in run % 2 == 0 ? engines : engines.Reverse())
            {
                double milliseconds = engine.TimeRun();
                if (run >= 0)
                    samples[engine].Add(milliseconds);
            }
        }
        var table = new Table("SIDE", "RUNS", "MEDIAN ms", "P95 ms", "MIN ms", "MAX ms", "RATIO OF MEDIANS");
        var json = new JsonObject();
        double reference = samples[engines[^1]].Median;
        foreach (var engine in engines)
        {
            var side = samples[engine];
            table.Add(engine.Name, side.Count.ToString(), Report.Ms(side.Median), Report.Ms(side.P95), Report.Ms(side.Minimum), Report.Ms(side.Maximum),
                engines.Count > 1 ? Report.Number(side.Median / reference) : "-");
            json[engine.Name] = Report.Json(side);
        }
        if (engines.Count > 1)
            json["ratioOfMedians"] = Report.Rounded(samples[engines[0]].Median / reference);
        report.Section("run", "docker run --rm --network none IMAGE true, end to end", table, json);
    }
}

using System.Diagnostics;
using System.Text.Json.Nodes;
using Candela.Cli.Api;
using Candela.Cli.Output;

namespace Candela.Bench.Sections;

/// <summary>Fork of a running container: the whole call, and how long the original stood still.</summary>
internal static class ForkSection
{
    private static readonly int[] Counts = [1, 4];

    public static void Measure(CandelaEngine engine, BenchOptions options, Report report)
    {
        var table = new Table("FORKS A CALL", "CALLS", "MEDIAN ms", "P95 ms", "PAUSE MEDIAN ms", "PAUSE P95 ms");
        var json = new JsonObject();
        using var client = engine.Connect();
        var source = CandelaEngine.CreateAndStart(client, "sleep", "1000000");
        int runs = Math.Max(3, options.Runs / 3);
        foreach (int count in Counts)
        {
            var whole = new Samples();
            var pause = new Samples();
            for (int run = -1; run < runs; run++)
            {
                long begun = Stopwatch.GetTimestamp();
                var answer = client.Post(Routes.Container(source.Id, "fork"), new ForkRequest(count, null), Wire.Default.ForkRequest, Wire.Default.ForkAnswer);
                double milliseconds = Stopwatch.GetElapsedTime(begun).TotalMilliseconds;
                if (run >= 0)
                {
                    whole.Add(milliseconds);
                    pause.Add(answer.SourcePauseMilliseconds);
                }
                foreach (var fork in answer.Forks)
                    CandelaEngine.Remove(client, fork.Id);
            }
            table.Add(count.ToString(), whole.Count.ToString(), Report.Ms(whole.Median), Report.Ms(whole.P95), Report.Ms(pause.Median), Report.Ms(pause.P95));
            json[count.ToString()] = new JsonObject { ["call"] = Report.Json(whole), ["pause"] = Report.Json(pause) };
        }
        CandelaEngine.Remove(client, source.Id);
        report.Section("fork", "Fork of a running container (processes and memory included)", table, json);
    }
}

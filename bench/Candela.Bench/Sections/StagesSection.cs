using System.Diagnostics;
using System.Text.Json.Nodes;
using Candela.Cli.Api;
using Candela.Cli.Output;
using Candela.Model;

namespace Candela.Bench.Sections;

/// <summary>Where the time of a start goes: the calls as the client sees them, and the stages that the daemon measured.</summary>
internal static class StagesSection
{
    public static void Measure(CandelaEngine engine, BenchOptions options, Report report)
    {
        var calls = new Dictionary<string, Samples>();
        var stages = new Dictionary<string, Samples>();
        static void Add(Dictionary<string, Samples> all, string name, double milliseconds)
        {
            if (!all.TryGetValue(name, out var samples))
                all[name] = samples = new Samples();
            samples.Add(milliseconds);
        }

        using var client = engine.Connect();
        for (int run = -options.WarmUps; run < options.Runs; run++)
        {
            void Timed(string name, Action action)
            {
                long begun = Stopwatch.GetTimestamp();
                action();
                if (run >= 0)
                    Add(calls, name, Stopwatch.GetElapsedTime(begun).TotalMilliseconds);
            }

            var request = new CreateRequest(null, new ContainerSpec { Image = Engine.Image, Command = ["true"] });
            Container container = null!;
            Timed("create", () => container = client.Post(Routes.Containers, request, Wire.Default.CreateRequest, Wire.Default.Container));
            Timed("start", () => client.Post(Routes.Container(container.Id, "start")));
            Timed("wait", () => client.Post(Routes.Container(container.Id, "wait")));
            if (run >= 0)
            {
                foreach (var stage in client.Get(Routes.Container(container.Id), Wire.Default.Container).Status.StartStages)
                    Add(stages, stage.Stage, stage.Milliseconds);
            }
            Timed("remove", () => CandelaEngine.Remove(client, container.Id));
        }

        var table = new Table("CALL OR STAGE", "MEDIAN ms", "P95 ms");
        var json = new JsonObject();
        foreach (var (call, samples) in calls)
        {
            table.Add(call, Report.Ms(samples.Median), Report.Ms(samples.P95));
            json[call] = Report.Json(samples);
            if (call != "start")
                continue;
            foreach (var (stage, inner) in stages)
            {
                table.Add("  " + stage, Report.Ms(inner.Median), Report.Ms(inner.P95));
                json["start: " + stage] = Report.Json(inner);
            }
        }
        report.Section("stages", "Where the time goes (REST calls of one container, and the stages of its start)", table, json);
    }
}

using System.Diagnostics;
using System.Text.Json.Nodes;
using Candela.Cli.Output;

namespace Candela.Bench.Sections;

/// <summary>Containers a second: <c>docker run --rm … true</c>, several at a time.</summary>
internal static class ThroughputSection
{
    private static readonly int[] Concurrencies = [1, 2, 4, 8];

    public static void Measure(IReadOnlyList<Engine> engines, BenchOptions options, Report report)
    {
        var table = new Table(["SIDE", .. Concurrencies.Select(concurrency => $"{concurrency} AT A TIME")]);
        var json = new JsonObject();
        foreach (var engine in engines)
        {
            var cells = new List<string> { engine.Name };
            var figures = new JsonObject();
            foreach (int concurrency in Concurrencies)
            {
                double perSecond = PerSecond(engine, concurrency, options.ThroughputContainers);
                cells.Add(Report.Number(perSecond, "0.0") + "/s");
                figures[concurrency.ToString()] = Report.Rounded(perSecond);
            }
            table.Add([.. cells]);
            json[engine.Name] = figures;
        }
        report.Section("throughput", $"Containers a second (docker run --rm … true, {options.ThroughputContainers} a cell)", table, json);
    }

    private static double PerSecond(Engine engine, int concurrency, int containers)
    {
        int left = containers;
        Exception? failure = null;
        long begun = Stopwatch.GetTimestamp();
        // Threads, not tasks: each waits for a process.
        var workers = Enumerable.Range(0, concurrency).Select(_ => new Thread(() =>
        {
            try
            {
                while (Interlocked.Decrement(ref left) >= 0)
                    engine.TimeRun();
            }
            catch (Exception exception)
            {
                failure = exception;
                Interlocked.Exchange(ref left, 0);
            }
        })).ToList();
        workers.ForEach(worker => worker.Start());
        workers.ForEach(worker => worker.Join());
        if (failure is not null)
            throw new InvalidOperationException($"{engine.Name}, {concurrency} at a time: {failure.Message}", failure);
        return containers / Stopwatch.GetElapsedTime(begun).TotalSeconds;
    }
}

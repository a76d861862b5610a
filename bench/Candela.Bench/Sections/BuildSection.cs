using System.Diagnostics;
using System.Text.Json.Nodes;
using Candela.Cli.Output;

namespace Candela.Bench.Sections;

/// <summary>Wall time of <c>docker build</c> of the Dockerfiles that the acceptance tests compare, without a cache and from it, in turn on each side.</summary>
internal static class BuildSection
{
    private const string Base = "candela/base";
    private const string Dockerfiles = "tests/Candela.Acceptance/Builds";
    private const int RunsMaximum = 5;

    public static void Measure(IReadOnlyList<Engine> engines, CandelaEngine candela, BenchOptions options, Report report)
    {
        Environment.SetEnvironmentVariable("DOCKER_BUILDKIT", "0"); // the classic builder on both sides
        ShareBase(engines, candela);
        int runs = Math.Min(options.Runs, RunsMaximum);
        string[] folders = [.. Directory.EnumerateDirectories(Dockerfiles).Order(StringComparer.Ordinal)];
        var fresh = engines.ToDictionary(static engine => engine, static _ => new Samples());
        var cached = engines.ToDictionary(static engine => engine, static _ => new Samples());
        for (int run = 0; run <= runs; run++)
        {
            foreach (var engine in engines)
            {
                double all = folders.Sum(folder => Time(engine, folder, "--no-cache"));
                double again = folders.Sum(folder => Time(engine, folder));
                if (run == 0)
                    continue; // the first round warms up
                fresh[engine].Add(all);
                cached[engine].Add(again);
            }
        }

        var table = new Table(["SIDE", "WITHOUT CACHE", "FROM THE CACHE"]);
        var json = new JsonObject();
        foreach (var engine in engines)
        {
            table.Add([engine.Name, Report.Ms(fresh[engine].Median) + " ms", Report.Ms(cached[engine].Median) + " ms"]);
            json[engine.Name] = new JsonObject { ["fresh"] = Report.Json(fresh[engine]), ["cached"] = Report.Json(cached[engine]) };
        }

        report.Section("build", $"docker build of {folders.Length} Dockerfiles one after another (median of {runs} rounds)", table, json);
    }

    private static double Time(Engine engine, string folder, params string[] more)
    {
        long begun = Stopwatch.GetTimestamp();
        string[] target = folder.EndsWith("20-target", StringComparison.Ordinal) ? ["--target", "wanted"] : [];
        engine.Docker(["build", "--network", "none", "-t", "bench/" + Path.GetFileName(folder), .. more, .. target, folder]);
        return Stopwatch.GetElapsedTime(begun).TotalMilliseconds;
    }

    private static void ShareBase(IReadOnlyList<Engine> engines, CandelaEngine candela)
    {
        string archive = Path.Combine(candela.Folder, "base.tar");
        candela.Docker("save", "-o", archive, Base);
        foreach (var engine in engines)
            engine.Docker("load", "-i", archive);
        File.Delete(archive);
    }
}

using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using Candela.Cli.Api;
using Candela.Cli.Http;
using Candela.Cli.Output;
using Candela.Model;

namespace Candela.Bench.Sections;

/// <summary>Idle containers: what the Nth one costs in memory, what all cost in CPU, and how many there can be.</summary>
internal static class IdleSection
{
    private const double MiB = 1024 * 1024;
    private static readonly int[] Marks = [1, 10, 50, 100, 200, 300, 400, 500];

    public static void Measure(CandelaEngine engine, BenchOptions options, Report report)
    {
        using var client = engine.Connect();
        var ids = new List<string>();
        var marks = new List<(int Count, ContainerStatistics Figures, long AvailableBytes)>();
        long availableBefore = HostMemory.AvailableBytes();
        long begun = Stopwatch.GetTimestamp();
        string end;
        try
        {
            while (true)
            {
                if (ids.Count >= options.IdleContainers && (options.UntilAvailableBytes == 0 || HostMemory.AvailableBytes() < options.UntilAvailableBytes))
                {
                    end = options.UntilAvailableBytes == 0 ? "as many as asked for" : "the host's memory was used up to the limit given";
                    break;
                }
                try
                {
                    ids.Add(CandelaEngine.CreateAndStart(client, "sleep", "1000000").Id);
                }
                catch (ApiException exception)
                {
                    end = "the next one failed: " + exception.Message;
                    break;
                }
                if (Marks.Contains(ids.Count))
                    marks.Add((ids.Count, Figures(client, ids[^1]), HostMemory.AvailableBytes()));
            }
            double startSeconds = Stopwatch.GetElapsedTime(begun).TotalSeconds;
            var (perContainer, daemon) = IdleCpu(client, ids, options.IdleSeconds);
            Print(client, ids, marks, availableBefore, startSeconds, perContainer, daemon, end, options, report);
        }
        finally
        {
            foreach (string id in ids)
                CandelaEngine.Remove(client, id);
        }
    }

    private static void Print(
        DaemonClient client, List<string> ids, List<(int Count, ContainerStatistics Figures, long AvailableBytes)> marks, long availableBefore,
        double startSeconds, double idleCpu, double daemonCpu, string end, BenchOptions options, Report report)
    {
        var memory = new Table("NTH IDLE CONTAINER", "PRIVATE MiB AT ITS START", "PSS MiB", "PRIVATE MiB IN THE END", "HOST MEMORY A CONTAINER MiB");
        var marksJson = new JsonArray();
        foreach (var (count, figures, available) in marks)
        {
            var later = Figures(client, ids[count - 1]);
            double host = (availableBefore - available) / MiB / count;
            memory.Add(count.ToString(CultureInfo.InvariantCulture), Mib(figures.VmmPrivateBytes), Mib(figures.VmmProportionalBytes), Mib(later.VmmPrivateBytes), Report.Number(host, "0.0"));
            marksJson.Add(new JsonObject
            {
                ["nth"] = count,
                ["privateMiB"] = Report.Rounded(figures.VmmPrivateBytes / MiB),
                ["pssMiB"] = Report.Rounded(figures.VmmProportionalBytes / MiB),
                ["privateMiBInTheEnd"] = Report.Rounded(later.VmmPrivateBytes / MiB),
                ["hostMiBPerContainer"] = Report.Rounded(host),
            });
        }
        report.Section("idleMemory", "Memory of idle containers", memory, marksJson);

        var all = new Table("IDLE CONTAINERS", "CONTAINERS/s AT START", "CPU A CONTAINER %", "CPU OF CANDELAD %", "MEMORY AVAILABLE GiB", "WHY NO MORE");
        long availableNow = HostMemory.AvailableBytes();
        all.Add(ids.Count.ToString(CultureInfo.InvariantCulture), Report.Number(ids.Count / startSeconds, "0.0"), Report.Number(idleCpu * 100), Report.Number(daemonCpu * 100),
            Report.Number(availableNow / MiB / 1024, "0.0"), end);
        report.Section("idle", $"How far it goes, and what idling costs (CPU over {options.IdleSeconds} s, of one core)", all, new JsonObject
        {
            ["containers"] = ids.Count,
            ["startsPerSecond"] = Report.Rounded(ids.Count / startSeconds),
            ["cpuPerContainer"] = Report.Rounded(idleCpu * 100),
            ["cpuOfDaemon"] = Report.Rounded(daemonCpu * 100),
            ["availableBytes"] = availableNow,
            ["end"] = end,
        });
    }

    private static (double PerContainer, double Daemon) IdleCpu(DaemonClient client, List<string> ids, int seconds)
    {
        if (ids.Count == 0)
            return (double.NaN, double.NaN);
        int daemon = client.Get(Routes.Status, Wire.Default.StatusAnswer).Pid;
        // Pids are read first, so that asking the guests for figures does not count as their idle use.
        var vmms = ids.ConvertAll(id => client.Get(Routes.Container(id), Wire.Default.Container).Status.Pid);
        TimeSpan Sum() => vmms.Aggregate(TimeSpan.Zero, (sum, pid) => sum + ProcessCpu.Of(pid));
        using var timer = new ManualResetEventSlim();
        timer.Wait(TimeSpan.FromSeconds(2));
        var (before, daemonBefore) = (Sum(), ProcessCpu.Of(daemon));
        long begun = Stopwatch.GetTimestamp();
        timer.Wait(TimeSpan.FromSeconds(seconds));
        double elapsed = Stopwatch.GetElapsedTime(begun).TotalSeconds;
        return ((Sum() - before).TotalSeconds / elapsed / ids.Count, (ProcessCpu.Of(daemon) - daemonBefore).TotalSeconds / elapsed);
    }

    private static ContainerStatistics Figures(DaemonClient client, string id) =>
        client.Get(Routes.Container(id, "stats"), Wire.Default.ContainerStatistics);

    private static string Mib(long bytes) => Report.Number(bytes / MiB, "0.0");
}

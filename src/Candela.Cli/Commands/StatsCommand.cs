using System.Globalization;
using System.Runtime.InteropServices;
using Candela.Cli.Api;
using Candela.Cli.CommandLine;
using Candela.Cli.Http;
using Candela.Cli.Output;
using Candela.Cli.Terminal;
using Candela.Model;

namespace Candela.Cli.Commands;

/// <summary>stats: what containers and their VMMs use.</summary>
internal static class StatsCommand
{
    private const int IntervalMs = 1000;

    /// <summary>Between the two readings that CPU use needs, when there is only one screen.</summary>
    private const int FirstIntervalMs = 250;

    public static readonly Command Stats = new("stats", "Show what containers use, and what their VMMs use of the host")
    {
        Arguments = "[CONTAINER...]",
        ArgumentCompletes = [Completes.RunningContainers],
        Options = [new("no-stream", "Only once"), CommandContext.OutputOption],
        Description = "MEM is the container's own use within its VM; PRIVATE and PSS are what its VMM costs the host.",
        Examples = [("stats", ""), ("stats --no-stream web", ""), ("stats --output json", "one reading, for programs")],
        Run = Run,
    };

    private static int Run(Invocation invocation)
    {
        using var client = invocation.Connect();
        bool once = invocation.Flag("no-stream") || !StandardStream.Output.IsTerminal;
        if (invocation.WantsJson())
        {
            Writer.Out(string.Concat(Running(client, invocation.Arguments).Select(container =>
                $"{{\"id\":\"{container.Id}\",\"name\":\"{container.Name}\",\"statistics\":{System.Text.Encoding.UTF8.GetString(client.GetJson(Routes.Container(container.Id, "stats")))}}}\n")));
            return 0;
        }
        using var ended = new ManualResetEventSlim();
        using var signals = new SignalSet();
        signals.Add(PosixSignal.SIGINT, context =>
        {
            context.Cancel = true;
            ended.Set();
        });
        var before = Read(client, invocation.Arguments);
        int interval = FirstIntervalMs;
        while (!ended.Wait(interval))
        {
            var now = Read(client, invocation.Arguments);
            string table = Render(before, now);
            // Home, and clear what is below: the table is drawn over the former one.
            Writer.Out(once ? table : "\e[H\e[J" + table);
            if (once)
                return 0;
            before = now;
            interval = IntervalMs;
        }
        return 0;
    }

    private static List<Container> Running(DaemonClient client, List<string> references) => references.Count > 0
        ? references.ConvertAll(reference => client.Get(Routes.Container(reference), Wire.Default.Container))
        : [.. client.Get(Routes.Containers, Wire.Default.IReadOnlyListContainer).Where(container => container.Status.State is ContainerState.Running or ContainerState.Paused)];

    private static Dictionary<string, (Container Container, ContainerStatistics Figures)> Read(DaemonClient client, List<string> references)
    {
        var all = new Dictionary<string, (Container, ContainerStatistics)>();
        foreach (var container in Running(client, references))
        {
            try
            {
                all[container.Id] = (container, client.Get(Routes.Container(container.Id, "stats"), Wire.Default.ContainerStatistics));
            }
            catch (ApiException exception) when (references.Count == 0 && (exception.Is(ErrorCode.NotFound) || exception.Is(ErrorCode.Conflict)))
            {
                // It ended between the two calls.
            }
        }
        return all;
    }

    private static string Render(
        Dictionary<string, (Container Container, ContainerStatistics Figures)> before,
        Dictionary<string, (Container Container, ContainerStatistics Figures)> now)
    {
        var table = new Table("CONTAINER ID", "NAME", "CPU %", "MEM / LIMIT", "BLOCK I/O", "PIDS", "VMM CPU %", "PRIVATE", "PSS");
        foreach (var (id, (container, figures)) in now)
        {
            string cpu = "--", vmmCpu = "--";
            if (before.TryGetValue(id, out var former) && figures.ReadAt > former.Figures.ReadAt)
            {
                double elapsed = (figures.ReadAt - former.Figures.ReadAt).TotalSeconds;
                cpu = Percent((figures.CpuTotalNanoseconds - former.Figures.CpuTotalNanoseconds) / 1e9 / elapsed);
                vmmCpu = Percent((figures.VmmCpuTime - former.Figures.VmmCpuTime).TotalSeconds / elapsed);
            }
            table.Add(Human.ShortId(id), container.Name, cpu,
                $"{Human.Memory(figures.MemoryBytes)} / {Human.Memory(figures.MemoryLimitBytes)}",
                $"{Human.Size(figures.ReadBytes)} / {Human.Size(figures.WriteBytes)}",
                figures.Pids.ToString(CultureInfo.InvariantCulture), vmmCpu,
                Human.Memory(figures.VmmPrivateBytes), Human.Memory(figures.VmmProportionalBytes));
        }
        return table.ToString();
    }

    private static string Percent(double share) => (Math.Max(0, share) * 100).ToString("0.00", CultureInfo.InvariantCulture) + "%";
}

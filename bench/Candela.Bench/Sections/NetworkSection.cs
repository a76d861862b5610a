using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Candela.Bench.Networks;
using Candela.Cli.Output;

namespace Candela.Bench.Sections;

/// <summary>Networks of containers: throughput, latency, and what a network adds to a start. Each daemon is in a network namespace of the bench's own.</summary>
internal static partial class NetworkSection
{
    private const string Network = "bench", Port = "5000", PublishedPort = "5001";
    private const int BlockKibibytes = 64, SmallBlockKibibytes = 1, FirstKibibytes = 4096;

    private const string Receiver = "read count size; dd of=/dev/null bs=${size}k count=$count iflag=fullblock 2>/dev/null; echo done";
    private static readonly TimeSpan s_enough = TimeSpan.FromSeconds(2);

    [GeneratedRegex("= [0-9.]+/([0-9.]+)/")]
    private static partial Regex Average { get; }

    public static void Measure(BenchOptions options, string folder, string tar, Report report)
    {
        using BenchHost candelaHost = new(), dockerHost = new();
        using var candela = new CandelaEngine(Path.Combine(folder, "candela"), options.Programs, candelaHost);
        using var docker = new DockerEngine(Path.Combine(folder, "docker"), dockerHost);
        (Engine Engine, BenchHost Host)[] sides = [(candela, candelaHost), (docker, dockerHost)];
        Dictionary<Engine, Figures> figures = [];
        foreach ((Engine engine, BenchHost host) in sides)
        {
            engine.ImportImage(tar);
            figures.Add(engine, Traffic(engine, host));
        }

        var starts = sides.ToDictionary(s => s.Engine, _ => (None: new Samples(), Connected: new Samples()));
        for (int run = -options.WarmUps; run < options.Runs; run++)
        {
            foreach ((Engine engine, _) in sides)
            {
                double none = engine.TimeRun("none"), connected = engine.TimeRun(Network);
                if (run < 0)
                    continue;
                starts[engine].None.Add(none);
                starts[engine].Connected.Add(connected);
            }
        }

        var table = new Table("SIDE", "CONTAINER TO CONTAINER MiB/s", "IN WRITES OF 1 KiB MiB/s", "TO OUTSIDE MiB/s", "THROUGH A PUBLISHED PORT MiB/s", "ROUND TRIP ms", "RUN WITHOUT NETWORK ms", "RUN WITH ONE ms");
        var json = new JsonObject();
        foreach ((Engine engine, _) in sides)
        {
            (Figures f, (Samples none, Samples connected)) = (figures[engine], starts[engine]);
            table.Add(engine.Name, Report.Number(f.Between, "0.0"), Report.Number(f.Small, "0.0"), Report.Number(f.Outside, "0.0"), Report.Number(f.Published, "0.0"), Report.Number(f.RoundTrip), Report.Ms(none.Median), Report.Ms(connected.Median));
            json[engine.Name] = new JsonObject
            {
                ["betweenMebibytesPerSecond"] = Report.Rounded(f.Between),
                ["smallWritesMebibytesPerSecond"] = Report.Rounded(f.Small),
                ["outsideMebibytesPerSecond"] = Report.Rounded(f.Outside),
                ["publishedMebibytesPerSecond"] = Report.Rounded(f.Published),
                ["roundTripMs"] = Report.Rounded(f.RoundTrip),
                ["runWithoutNetwork"] = Report.Json(none),
                ["runWithNetwork"] = Report.Json(connected),
            };
        }

        report.Section("network", "Networks of containers: TCP throughput, ping's round trip, docker run --rm IMAGE true", table, json);
    }

    private sealed record Figures(double Between, double Small, double Outside, double Published, double RoundTrip);

    private static Figures Traffic(Engine engine, BenchHost host)
    {
        engine.Docker("network", "create", Network);
        string[] sink = ["nc", "-ll", "-p", Port, "-e", "sh", "-c", Receiver];
        engine.Docker(["run", "-d", "--network", Network, "--name", "server", "-p", $"{PublishedPort}:{Port}", Engine.Image, .. sink]);
        engine.Docker("run", "-d", "--network", Network, "--name", "client", Engine.Image, "sleep", "100000");
        using Process outside = Process.Start(new ProcessStartInfo("nsenter", [.. host.EnterOutside, "busybox", .. sink]))!;
        try
        {
            string[] Send(string address, string port, int blocks, int size) =>
                ["nc", address, port, "-e", "sh", "-c", Sender(blocks, size)];
            double Rate(string address, int size) => RateOf(size, blocks => engine.Docker(["exec", "client", .. Send(address, Port, blocks, size)]));

            double between = Rate("server", BlockKibibytes), small = Rate("server", SmallBlockKibibytes), out_ = Rate(BenchHost.Outside, BlockKibibytes);
            double published = RateOf(BlockKibibytes, blocks => Engine.Execute("nsenter", [.. host.Enter, "busybox", .. Send("127.0.0.1", PublishedPort, blocks, BlockKibibytes)]));
            string ping = engine.Docker("exec", "client", "ping", "-q", "-c", "20", "-i", "0.2", "server");
            Match average = Average.Match(ping);
            return new Figures(between, small, out_, published, average.Success ? double.Parse(average.Groups[1].Value, CultureInfo.InvariantCulture) : throw new InvalidOperationException($"ping says no average: {ping}"));
        }
        finally
        {
            outside.Kill(entireProcessTree: true);
            outside.WaitForExit();
            engine.Docker("rm", "-f", "server", "client");
        }
    }

    // Says so many blocks of so many KiB are to come, sends them, and waits for the answer that all have come.
    private static string Sender(int blocks, int kibibytes) =>
        string.Create(CultureInfo.InvariantCulture, $"echo {blocks} {kibibytes}; dd if=/dev/zero bs={kibibytes}k count={blocks} 2>/dev/null; read answer");

    // MiB a second, of a transfer that is long enough for the start of its programs not to count.
    private static double RateOf(int blockKibibytes, Action<int> send)
    {
        send(1);
        for (int kibibytes = FirstKibibytes; ; kibibytes *= 4)
        {
            long begun = Stopwatch.GetTimestamp();
            send(kibibytes / blockKibibytes);
            TimeSpan took = Stopwatch.GetElapsedTime(begun);
            if (took > s_enough)
                return kibibytes / 1024.0 / took.TotalSeconds;
        }
    }
}

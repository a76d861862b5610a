using System.Globalization;
using System.Text.Json.Nodes;
using Candela.Bench.Sections;
using Candela.Cli.CommandLine;
using Candela.Cli.Http;

namespace Candela.Bench;

/// <summary>Runs the chosen sections, all in one go on one machine.</summary>
internal static class Program
{
    private static int Main(string[] arguments)
    {
        CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
        var command = BenchOptions.Command(Run);
        try
        {
            var invocation = Parser.Parse(command, arguments);
            if (!invocation.HelpRequested)
                return command.Run!(invocation);
            Console.Write(HelpText.Of(command, command.Name).Replace("candela run", "bench/run run", StringComparison.Ordinal).Replace("candela idle", "bench/run idle", StringComparison.Ordinal).Replace("candela churn", "bench/run churn", StringComparison.Ordinal));
            return 0;
        }
        catch (UsageException exception)
        {
            Console.Error.WriteLine($"error: {exception.Message} (see bench/run --help)");
            return 2;
        }
        catch (Exception exception) when (exception is ApiException or DaemonUnreachableException or InvalidOperationException or IOException or TimeoutException)
        {
            Console.Error.WriteLine("error: " + exception.Message);
            return 1;
        }
    }

    private static int Run(BenchOptions options)
    {
        var report = new Report();
        string folder = options.Folder ?? Directory.CreateTempSubdirectory("candela-bench-").FullName;
        Directory.CreateDirectory(folder);
        var engines = new List<Engine>();
        try
        {
            string tar = Path.Combine(folder, "rootfs.tar");
            RootFileSystem.Write(tar);
            var candela = options.WithoutCandela || options.Sections.All(section => section is "identity" or "policies" or "network") ? null : new CandelaEngine(Path.Combine(folder, "candela"), options.Programs);
            if (candela is not null)
                engines.Add(candela);
            bool compares = options.Sections.Any(section => section is "run" or "throughput" or "build");
            if (compares && !options.WithoutDocker)
                engines.Add(new DockerEngine(Path.Combine(folder, "docker")));
            foreach (var engine in engines)
                engine.ImportImage(tar);
            Describe(engines, report);
            bool passed = true;
            foreach (string section in options.Sections)
                passed &= Measure(section, folder, candela, engines, options, report);
            if (options.JsonFile is not null)
                report.Write(options.JsonFile);
            return passed ? 0 : 1;
        }
        finally
        {
            foreach (var engine in engines.AsEnumerable().Reverse())
                engine.Dispose();
            if (options.Folder is null)
                Directory.Delete(folder, recursive: true);
        }
    }

    /// <returns>False: the section has found a defect.</returns>
    private static bool Measure(string section, string folder, CandelaEngine? candela, IReadOnlyList<Engine> engines, BenchOptions options, Report report)
    {
        switch (section)
        {
            case "run":
                RunSection.Measure(engines, options, report);
                break;
            case "throughput":
                ThroughputSection.Measure(engines, options, report);
                break;
            case "build" when candela is not null:
                BuildSection.Measure(engines, candela, options, report);
                break;
            case "stages" when candela is not null:
                StagesSection.Measure(candela, options, report);
                break;
            case "fork" when candela is not null:
                ForkSection.Measure(candela, options, report);
                break;
            case "idle" when candela is not null:
                IdleSection.Measure(candela, options, report);
                break;
            case "identity" when !options.WithoutCandela:
                IdentitySection.Measure(options, Path.Combine(folder, "identity"), report);
                break;
            case "policies":
                PolicySection.Measure(options, report);
                break;
            case "network" when !options.WithoutCandela && !options.WithoutDocker:
                NetworkSection.Measure(options, Path.Combine(folder, "network"), Path.Combine(folder, "rootfs.tar"), report);
                break;
            case BenchOptions.Churn when candela is not null:
                return ChurnSection.Run(candela, options, report);
        }
        return true;
    }

    private static void Describe(IReadOnlyList<Engine> engines, Report report)
    {
        string kernel = File.ReadAllText("/proc/sys/kernel/osrelease").Trim();
        string host = $"{Environment.ProcessorCount} CPUs, {HostMemory.TotalBytes() / 1024.0 / 1024 / 1024:0.0} GiB of memory, Linux {kernel}";
        string docker = Engine.Execute("docker", "--version").Trim();
        Console.WriteLine(host);
        Console.WriteLine("client: " + docker);
        foreach (var engine in engines)
            Console.WriteLine($"{engine.Name}: {engine.Version}");
        report.Note("host", JsonValue.Create(host));
        report.Note("client", JsonValue.Create(docker));
        report.Note("at", JsonValue.Create(TimeProvider.System.GetUtcNow().ToString("O")));
    }
}

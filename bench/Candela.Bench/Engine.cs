using System.Diagnostics;
using System.Globalization;

namespace Candela.Bench;

/// <summary>A Docker Engine endpoint under test, driven by the stock docker command.</summary>
internal abstract class Engine(string name, string folder) : IDisposable
{
    public const string Image = "candela-bench/busybox:latest";

    private static readonly TimeSpan CommandTimeout = TimeSpan.FromMinutes(2);

    public string Name { get; } = name;

    public string Folder { get; } = folder;

    public abstract string DockerSocket { get; }

    public abstract string Version { get; }

    /// <summary>Imports the common root file system.</summary>
    public void ImportImage(string tar) => Docker("import", tar, Image);

    /// <summary>Runs docker with these arguments and returns its output; throws when it fails.</summary>
    public string Docker(params string[] arguments) => Execute("docker", ["-H", "unix://" + DockerSocket, .. arguments]);

    /// <summary>Wall time of a whole <c>docker run</c>, from the start of the command to its end.</summary>
    public double TimeRun(string network = "none")
    {
        long begun = Stopwatch.GetTimestamp();
        Docker("run", "--rm", "--network", network, Image, "true");
        return Stopwatch.GetElapsedTime(begun).TotalMilliseconds;
    }

    public abstract void Dispose();

    public static string Execute(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
        })!;
        process.StandardInput.Close();
        var error = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        if (!process.WaitForExit(CommandTimeout))
        {
            process.Kill();
            throw new TimeoutException($"{program} {string.Join(' ', arguments)} did not end within {CommandTimeout.TotalSeconds} s");
        }
        return process.ExitCode == 0
            ? output
            : throw new InvalidOperationException(string.Create(CultureInfo.InvariantCulture, $"{program} {string.Join(' ', arguments)} ended with {process.ExitCode}: {error.Result.Trim()} {output.Trim()}"));
    }

    /// <summary>Waits until something holds, asking again every 20 ms.</summary>
    protected static void WaitUntil(Func<bool> condition, TimeSpan limit, Func<string> onTimeout)
    {
        const int IntervalMs = 20;
        using var timer = new ManualResetEventSlim();
        long begun = Stopwatch.GetTimestamp();
        while (!condition())
        {
            if (Stopwatch.GetElapsedTime(begun) > limit)
                throw new TimeoutException(onTimeout());
            timer.Wait(IntervalMs);
        }
    }
}

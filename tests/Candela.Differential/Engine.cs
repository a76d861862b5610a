using System.Diagnostics;

namespace Candela.Differential;

/// <summary>What a command did.</summary>
internal sealed record Outcome(int ExitCode, string Output, string Error);

/// <summary>An engine with folders of its own, spoken to by the docker CLI.</summary>
internal sealed class Engine : IDisposable
{
    /// <summary>The image that scenarios run.</summary>
    public const string Image = "differential/base:1";

    private static readonly TimeSpan StartLimit = TimeSpan.FromMinutes(5), StepLimit = TimeSpan.FromMinutes(2);

    private readonly string _folder;
    private readonly Action<Engine> _stop;

    private Engine(string name, string folder, string socket, Action<Engine> stop)
    {
        Name = name;
        _folder = folder;
        Socket = socket;
        _stop = stop;
    }

    public string Name { get; }

    public string Socket { get; }

    /// <summary>dockerd in a network namespace of its own, without a bridge.</summary>
    public static Engine StartDocker(string folder)
    {
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, "daemon.json"), "{}");
        string socket = Path.Combine(folder, "d.sock"), log = Path.Combine(folder, "log");
        string command =
            $"exec unshare --net dockerd --config-file {folder}/daemon.json --host unix://{socket} --data-root {folder}/data --exec-root {folder}/exec --pidfile {folder}/pid "
            + "--iptables=false --ip6tables=false --bridge=none --storage-driver overlay2 --exec-opt native.cgroupdriver=cgroupfs --cgroup-parent /candela-differential --log-level warn "
            + $"> {log} 2>&1";
        Process daemon = Start("/bin/sh", ["-c", command], new Dictionary<string, string> { ["PATH"] = "/usr/sbin:/sbin:/usr/bin:/bin" });
        var engine = new Engine("docker", folder, socket, _ =>
        {
            using Process kill = Process.Start("/bin/kill", ["-TERM", $"{daemon.Id}"]);
            kill.WaitForExit();
            daemon.WaitForExit(TimeSpan.FromSeconds(30));
            foreach (string root in Directory.EnumerateDirectories("/sys/fs/cgroup").Append("/sys/fs/cgroup"))
            {
                if (Directory.Exists(root + "/candela-differential"))
                    Process.Start("/bin/rmdir", [root + "/candela-differential"]).WaitForExit();
            }
        });
        engine.WaitUntilReady(() => File.Exists(log) ? File.ReadAllText(log) : "");
        return engine;
    }

    /// <summary>candelad and all its micro-VMs.</summary>
    public static Engine StartCandela(string binaries, string folder)
    {
        string run = Directory.CreateDirectory($"/tmp/cdiff-{Path.GetRandomFileName()[..8]}").FullName, state = Path.Combine(folder, "state");
        Directory.CreateDirectory(state);
        string cache = Directory.CreateDirectory(Path.Combine(binaries, "..", "guest-cache")).FullName;
        File.CreateSymbolicLink(Path.Combine(state, "guest"), cache);
        string candela = Path.Combine(binaries, "candela");
        var engine = new Engine("candela", folder, run + "/docker.sock", _ =>
        {
            using Process down = Process.Start(candela, ["down", "--run", run]);
            down.WaitForExit();
            Directory.Delete(run, recursive: true);
        });
        using Process up = Start(candela, ["up", "--state", state, "--run", run], []);
        up.WaitForExit();
        engine.WaitUntilReady(() => File.ReadAllText(state + "/log/candelad.log"));
        return engine;
    }

    /// <summary>Imports the test's image.</summary>
    public void Import(string tar)
    {
        Outcome outcome = RunAsync("docker import -c 'CMD [\"sh\"]' -c 'ENV PATH=/bin' -c 'ENV FROM_IMAGE=yes' -c 'LABEL made.by=test' $T $IMAGE", "import", tar).Result;
        if (outcome.ExitCode != 0)
            throw new InvalidOperationException($"{Name} could not import the image: {outcome.Error}");
    }

    /// <summary>Runs a shell command whose docker speaks to this engine.</summary>
    /// <param name="command">Command.</param>
    /// <param name="name"><c>$N</c>: begins the names of what it makes.</param>
    /// <param name="folder"><c>$T</c>: a folder of its own.</param>
    public async Task<Outcome> RunAsync(string command, string name, string folder)
    {
        using Process process = Start("/bin/sh", ["-c", command], new Dictionary<string, string>
        {
            ["DOCKER_HOST"] = "unix://" + Socket, ["IMAGE"] = Image, ["N"] = name, ["T"] = folder, ["DOCKER_CONFIG"] = _folder, ["DOCKER_CLI_HINTS"] = "false", ["LC_ALL"] = "C",
        });
        process.StandardInput.Close();
        Task<string> output = process.StandardOutput.ReadToEndAsync(), error = process.StandardError.ReadToEndAsync();
        using var limit = new CancellationTokenSource(StepLimit);
        try
        {
            await process.WaitForExitAsync(limit.Token);
            return new Outcome(process.ExitCode, await output, await error);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            return new Outcome(-1, "", $"did not end within {StepLimit.TotalSeconds} s");
        }
    }

    public void Dispose()
    {
        RunAsync("docker ps -aq | xargs -r docker rm -fv; docker volume prune -af", "end", _folder).Wait();
        _stop(this);
    }

    private static Process Start(string program, IEnumerable<string> arguments, Dictionary<string, string> environment)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach ((string name, string value) in environment)
            start.Environment[name] = value;
        return Process.Start(start)!;
    }

    private void WaitUntilReady(Func<string> log)
    {
        var clock = Stopwatch.StartNew();
        while (RunAsync("docker version", "start", _folder).Result.ExitCode != 0)
        {
            if (clock.Elapsed > StartLimit)
                throw new InvalidOperationException($"{Name} did not start: {log()}");
            Thread.Sleep(200);
        }
    }
}

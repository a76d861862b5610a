using System.Diagnostics;

namespace Candela.Differential;

/// <summary>What a command did.</summary>
internal sealed record Outcome(int ExitCode, string Output, string Error);

/// <summary>An engine with folders and a network namespace of its own, spoken to by the docker CLI, or by curl.</summary>
internal sealed class Engine : IAsyncDisposable
{
    /// <summary>The image that scenarios run.</summary>
    public const string Image = "differential/base:1";

    /// <summary>The version of the API that <c>api</c> speaks: the highest that both engines have.</summary>
    private const string ApiVersion = "v1.41";

    /// <summary><c>api METHOD PATH [BODY]</c>: the answer's body as output, its status as error.</summary>
    private const string Functions =
        "api() { curl -sS --max-time 100 --unix-socket \"$S\" -X \"$1\" -w '%{stderr}%{http_code}' -H 'Content-Type: application/json' ${3+--data-binary \"$3\"} \"http://d/" + ApiVersion + "$2\"; }\n";

    private static readonly TimeSpan StartLimit = TimeSpan.FromMinutes(5), StepLimit = TimeSpan.FromMinutes(2), EndLimit = TimeSpan.FromSeconds(30), PollInterval = TimeSpan.FromMilliseconds(20);

    private readonly string _folder;
    private readonly Func<Task> _stop;

    private Engine(string name, string folder, string socket, Func<Task> stop)
    {
        Name = name;
        _folder = folder;
        Socket = socket;
        _stop = stop;
    }

    /// <summary><c>docker</c> or <c>candela</c>.</summary>
    public string Name { get; }

    /// <summary>Path of its socket.</summary>
    public string Socket { get; }

    /// <summary>dockerd in a network namespace of its own.</summary>
    public static async Task<Engine> StartDockerAsync(string folder)
    {
        Directory.CreateDirectory(folder);
        await File.WriteAllTextAsync(Path.Combine(folder, "daemon.json"), "{}");
        string socket = Path.Combine(folder, "d.sock"), log = Path.Combine(folder, "log");
        string command =
            $"ip link set lo up; exec dockerd --config-file {folder}/daemon.json --host unix://{socket} --data-root {folder}/data --exec-root {folder}/exec --pidfile {folder}/pid "
            + "--storage-driver overlay2 --exec-opt native.cgroupdriver=cgroupfs --cgroup-parent /candela-differential --log-level warn "
            + $"> {log} 2>&1";
        Process daemon = Start("unshare", ["--net", "/bin/sh", "-c", command], new Dictionary<string, string> { ["PATH"] = "/usr/sbin:/sbin:/usr/bin:/bin" });
        var engine = new Engine("docker", folder, socket, async () =>
        {
            using Process kill = Process.Start("/bin/kill", ["-TERM", $"{daemon.Id}"]);
            await kill.WaitForExitAsync();
            await daemon.WaitForExitAsync().WaitAsync(EndLimit);
            daemon.Dispose();
            foreach (string root in Directory.EnumerateDirectories("/sys/fs/cgroup").Append("/sys/fs/cgroup"))
            {
                if (!Directory.Exists(root + "/candela-differential"))
                    continue;
                using Process remove = Process.Start("/bin/rmdir", [root + "/candela-differential"]);
                await remove.WaitForExitAsync();
            }
        });
        await engine.WaitUntilReadyAsync(() => daemon.HasExited, () => File.Exists(log) ? File.ReadAllText(log) : "");
        return engine;
    }

    /// <summary>candelad and all its micro-VMs, in a network namespace of their own.</summary>
    public static async Task<Engine> StartCandelaAsync(string binaries, string folder)
    {
        string run = Directory.CreateDirectory($"/tmp/cdiff-{Path.GetRandomFileName()[..8]}").FullName, state = Path.Combine(folder, "state");
        Directory.CreateDirectory(state);
        string cache = Directory.CreateDirectory(Path.Combine(binaries, "..", "guest-cache")).FullName;
        File.CreateSymbolicLink(Path.Combine(state, "guest"), cache);
        string candela = Path.Combine(binaries, "candela");
        var engine = new Engine("candela", folder, run + "/docker.sock", async () =>
        {
            using Process down = Process.Start(candela, ["down", "--containers", "--run", run]);
            await down.WaitForExitAsync();
            Directory.Delete(run, recursive: true);
        });
        string[] up = [candela, "up", "--state", state, "--run", run, "--scratch-size", "1"];
        if (!Directory.EnumerateFileSystemEntries(cache).Any())
        {
            // The guest's kernel is downloaded once, which cannot be done from an empty namespace.
            await CompleteAsync([.. up, "--default-network", "none"]);
            await CompleteAsync([candela, "down", "--run", run]);
        }

        await CompleteAsync(["unshare", "--net", "/bin/sh", "-c", "ip link set lo up; exec \"$@\"", "sh", .. up]);
        await engine.WaitUntilReadyAsync(static () => false, () => File.ReadAllText(state + "/log/candelad.log"));
        return engine;
    }

    /// <summary>Imports the test's image.</summary>
    public async Task ImportAsync(string tar)
    {
        Outcome outcome = await RunAsync("docker import -c 'CMD [\"sh\"]' -c 'ENV PATH=/bin' -c 'ENV FROM_IMAGE=yes' -c 'LABEL made.by=test' $T $IMAGE", "import", tar);
        if (outcome.ExitCode != 0)
            throw new InvalidOperationException($"{Name} could not import the image: {outcome.Error}");
    }

    /// <summary>Runs a shell command whose docker speaks to this engine.</summary>
    /// <param name="command">Command.</param>
    /// <param name="name"><c>$N</c>: begins the names of what it makes.</param>
    /// <param name="folder"><c>$T</c>: a folder of its own.</param>
    public async Task<Outcome> RunAsync(string command, string name, string folder)
    {
        using Process process = Start("/bin/sh", ["-c", Functions + command], new Dictionary<string, string>
        {
            ["DOCKER_HOST"] = "unix://" + Socket,
            ["S"] = Socket,
            ["IMAGE"] = Image,
            ["N"] = name,
            ["T"] = folder,
            ["DOCKER_CONFIG"] = _folder,
            ["DOCKER_CLI_HINTS"] = "false",
            ["LC_ALL"] = "C",
        });
        process.StandardInput.Close();
        Task<string> output = process.StandardOutput.ReadToEndAsync(), error = process.StandardError.ReadToEndAsync();
        using var limit = new CancellationTokenSource(StepLimit);
        try
        {
            await process.WaitForExitAsync(limit.Token);
            return new Outcome(process.ExitCode, await output.WaitAsync(limit.Token), await error.WaitAsync(limit.Token));
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            return new Outcome(-1, "", $"did not end within {StepLimit.TotalSeconds} s");
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await RunAsync("docker ps -aq | xargs -r docker rm -fv; docker volume prune -af; docker network prune -f", "end", _folder);
        await _stop();
    }

    private static Process Start(string program, IEnumerable<string> arguments, Dictionary<string, string> environment)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach ((string name, string value) in environment)
            start.Environment[name] = value;
        return Process.Start(start)!;
    }

    private static async Task CompleteAsync(string[] command)
    {
        using Process process = Start(command[0], command[1..], []);
        await process.WaitForExitAsync().WaitAsync(StartLimit);
        if (process.ExitCode != 0)
            throw new InvalidOperationException($"{string.Join(' ', command)} failed: {await process.StandardError.ReadToEndAsync()}");
    }

    /// <summary>Asks the socket until it answers.</summary>
    private async Task WaitUntilReadyAsync(Func<bool> hasEnded, Func<string> log)
    {
        var clock = Stopwatch.StartNew();
        while (!await AnswersAsync())
        {
            if (clock.Elapsed > StartLimit || hasEnded())
                throw new InvalidOperationException($"{Name} did not start: {log()}");
            await Task.Delay(PollInterval);
        }
    }

    private async Task<bool> AnswersAsync() => File.Exists(Socket) && (await RunAsync("curl -sf --max-time 10 --unix-socket $S http://d/_ping", "start", _folder)).ExitCode == 0;
}

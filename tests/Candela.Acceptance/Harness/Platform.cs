using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace Candela.Acceptance.Harness;

/// <summary>
/// A Candela instance with folders of its own, and its clients: the real programs. Tests share one, since its first start boots a parent.
/// When disposed it stops everything and fails if anything is left.
/// </summary>
public class Platform : IAsyncLifetime
{
    /// <summary>The image that every instance has.</summary>
    public const string Image = "candela/base";

    private const int SIGKILL = 9;

    /// <summary>Folder of the programs.</summary>
    public static readonly string Binaries = Environment.GetEnvironmentVariable("CANDELA_BIN") ?? FindBinaries();

    private readonly TemporaryFolder _folder = new();
    private readonly string[] _daemonOptions;
    private readonly string _dockerConfiguration;

    /// <summary>An instance with default options.</summary>
    public Platform()
        : this([])
    {
    }

    /// <summary>An instance whose daemon gets these options.</summary>
    protected Platform(params string[] daemonOptions)
    {
        _daemonOptions = daemonOptions;
        StateFolder = _folder.File("state");
        // Sockets must have short names, whatever TMPDIR is.
        RunFolder = Directory.CreateDirectory($"/tmp/ca-{Path.GetRandomFileName()[..8]}").FullName;
        _dockerConfiguration = _folder.File("docker");
        Directory.CreateDirectory(_dockerConfiguration);
        Remains = new Remains(StateFolder, RunFolder);
    }

    /// <summary>Images, disks, logs.</summary>
    public string StateFolder { get; }

    /// <summary>Sockets and VMMs.</summary>
    public string RunFolder { get; }

    /// <summary>What starts the daemon somewhere else than here; by default nothing.</summary>
    protected virtual IReadOnlyList<string> DaemonPrefix => [];

    /// <summary>Network of containers that name none; by default none, since the host's network is to be left alone. Null: as the daemon chooses.</summary>
    protected virtual string? DefaultNetwork => "none";

    /// <summary>Options of the next daemon besides the instance's; by default none.</summary>
    protected virtual IReadOnlyList<string> MoreDaemonOptions => [];

    /// <summary>The REST API's socket.</summary>
    public string ApiSocket => RunFolder + "/candela.sock";

    /// <summary>The Docker Engine API's socket.</summary>
    public string DockerSocket => RunFolder + "/docker.sock";

    /// <summary>What the host has of this instance.</summary>
    public Remains Remains { get; }

    /// <summary>Id of the daemon's process.</summary>
    public int DaemonPid => int.Parse(File.ReadAllText(RunFolder + "/candelad.pid"), CultureInfo.InvariantCulture);

    /// <summary>Starts the daemon and waits until it is ready.</summary>
    public virtual async ValueTask InitializeAsync()
    {
        ShareGuestCache();
        await StartDaemonAsync();
    }

    /// <summary>Starts the daemon again, on the folders that are there.</summary>
    public async Task StartDaemonAsync()
    {
        string[] program = [.. DaemonPrefix, Path.Combine(Binaries, "candela")];
        using var up = Client(program[0], [.. program[1..], "up", "--state", StateFolder, "--run", RunFolder, .. DefaultNetwork is null ? (string[])[] : ["--default-network", DefaultNetwork], .. _daemonOptions, .. MoreDaemonOptions]);
        var result = await up.FinishAsync(Deadlines.FirstStart);
        Assert.True(result.ExitCode == 0, $"{result.Error}\n{DaemonLog()}");
    }

    /// <summary>SIGKILL for the daemon; returns when its process is gone.</summary>
    public async Task KillDaemonAsync()
    {
        var pid = DaemonPid;
        Assert.Equal(0, Kill(pid, SIGKILL));
        await Deadlines.UntilAsync("the daemon's end", () => HostProcesses.HasEnded(pid) && HostProcesses.ThreadCount(pid) <= 1);
    }

    /// <summary>Ends the daemon in order; containers go on.</summary>
    public async Task StopDaemonAsync()
    {
        using var down = Client("candela", ["down", "--run", RunFolder]);
        _ = (await down.FinishAsync()).Text;
    }

    /// <summary>Kills the daemon and starts the next.</summary>
    public async Task RestartDaemonAsync()
    {
        await KillDaemonAsync();
        await StartDaemonAsync();
    }

    /// <summary>Sends a signal to a process of this instance.</summary>
    public static void Signal(int pid, int signal) => Assert.Equal(0, Kill(pid, signal));

    /// <summary>The end of the daemon's log.</summary>
    public string DaemonLog()
    {
        var file = StateFolder + "/log/candelad.log";
        return File.Exists(file) ? string.Join('\n', File.ReadLines(file).TakeLast(60)) : "(no log)";
    }

    /// <summary>Runs the stock docker CLI to its end; standard input is empty.</summary>
    public async Task<CommandResult> DockerAsync(params string[] arguments)
    {
        using var command = StartDocker(arguments);
        return await command.FinishAsync();
    }

    /// <summary>Runs the stock docker CLI with standard input.</summary>
    public async Task<CommandResult> DockerWithInputAsync(string input, params string[] arguments)
    {
        using var command = StartDocker(arguments);
        await command.Input.WriteAsync(Encoding.UTF8.GetBytes(input));
        return await command.FinishAsync();
    }

    /// <summary><c>docker run --rm</c> of a shell script in the built-in image.</summary>
    public Task<CommandResult> ShellAsync(string script, params string[] options)
        => DockerAsync(["run", "--rm", "--network=none", .. options, Image, "sh", "-c", script]);

    /// <summary><c>docker run -d</c>; gives the id.</summary>
    public async Task<string> StartContainerAsync(string[] options, params string[] command)
        => (await DockerAsync(["run", "-d", "--network=none", .. options, Image, .. command])).Text;

    /// <summary>Kills and removes containers.</summary>
    public async Task RemoveAsync(params string[] containers) => _ = (await DockerAsync(["rm", "-f", .. containers])).Text;

    /// <summary>Runs candela to its end; standard input is empty.</summary>
    public async Task<CommandResult> CandelaAsync(params string[] arguments)
    {
        using var command = StartCandela(arguments);
        return await command.FinishAsync();
    }

    /// <summary>Starts the stock docker CLI.</summary>
    public RunningCommand StartDocker(params string[] arguments) => Client("docker", ["-H", "unix://" + DockerSocket, .. arguments]);

    /// <summary>Starts candela.</summary>
    public RunningCommand StartCandela(params string[] arguments) => Client("candela", ["--host", "unix://" + ApiSocket, .. arguments]);

    /// <summary>Starts the stock docker CLI in a terminal.</summary>
    internal TerminalClient DockerTerminal((ushort Rows, ushort Columns) size, params string[] arguments)
        => TerminalClient.Start(size, ClientEnvironment().Select(v => $"{v.Key}={v.Value}"), ["docker", "-H", "unix://" + DockerSocket, .. arguments]);

    /// <summary>Starts candela in a terminal.</summary>
    internal TerminalClient CandelaTerminal((ushort Rows, ushort Columns) size, params string[] arguments)
        => TerminalClient.Start(size, [], [Path.Combine(Binaries, "candela"), "--host", "unix://" + ApiSocket, .. arguments]);

    /// <summary>An HTTP client of one of the sockets.</summary>
    public static HttpClient Http(string socket) => new(new SocketsHttpHandler
    {
        ConnectCallback = async (_, token) =>
        {
            var connection = new System.Net.Sockets.Socket(System.Net.Sockets.AddressFamily.Unix, System.Net.Sockets.SocketType.Stream, System.Net.Sockets.ProtocolType.Unspecified);
            await connection.ConnectAsync(new System.Net.Sockets.UnixDomainSocketEndPoint(socket), token);
            return new System.Net.Sockets.NetworkStream(connection, ownsSocket: true);
        },
    })
    {
        BaseAddress = new Uri("http://localhost/"),
        Timeout = Deadlines.Command,
    };

    /// <summary>Removes all containers and stops the daemon.</summary>
    /// <exception cref="Xunit.Sdk.XunitException">Something of the instance is left on the host.</exception>
    public async Task EndAsync()
    {
        var containers = (await DockerAsync("ps", "-aq")).Lines;
        if (containers.Length > 0)
            await RemoveAsync(containers);
        Assert.Empty(Remains.ContainerFiles());
        await StopDaemonAsync();
        Remains.AssertNothing();
    }

    /// <summary>Ends whatever is left, and deletes the folders.</summary>
    public virtual ValueTask DisposeAsync()
    {
        Remains.End();
        Directory.Delete(RunFolder, recursive: true);
        _folder.Dispose();
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }

    private RunningCommand Client(string program, IEnumerable<string> arguments)
        => new(program == "candela" ? Path.Combine(Binaries, program) : program, arguments, ClientEnvironment());

    private Dictionary<string, string> ClientEnvironment() => new()
    {
        ["DOCKER_CONFIG"] = _dockerConfiguration,
        ["DOCKER_CLI_HINTS"] = "false",
        ["DOCKER_BUILDKIT"] = "0", // there is no other builder here
    };

    /// <summary>All instances take the guest from one cache, which is made for concurrent use: the kernel is downloaded once.</summary>
    private void ShareGuestCache()
    {
        var cache = Directory.CreateDirectory(Path.Combine(Path.GetDirectoryName(Path.GetFullPath(Binaries))!, "guest-cache")).FullName;
        Directory.CreateDirectory(StateFolder);
        File.CreateSymbolicLink(StateFolder + "/guest", cache);
    }

    private static string FindBinaries()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            var candidate = Path.Combine(folder.FullName, "artifacts", "bin");
            if (File.Exists(Path.Combine(candidate, "candelad")))
                return candidate;
        }

        throw new FileNotFoundException("there is no artifacts/bin/candelad: build it with eng/build, or name its folder in CANDELA_BIN");
    }

    [DllImport("libc", EntryPoint = "kill")]
    private static extern int Kill(int pid, int signal);
}

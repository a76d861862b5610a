using System.Diagnostics;
using System.Globalization;

namespace Candela.Acceptance.Harness;

/// <summary>Debian's dockerd in folders and a network namespace of its own, to compare with. Ends with its tests.</summary>
public sealed class DockerDaemon : IAsyncLifetime
{
    private const string CgroupParent = "candela-acceptance";
    private const int SIGTERM = 15;

    private readonly TemporaryFolder _folder = new();
    private readonly string _run = Directory.CreateDirectory($"/tmp/cd-{Path.GetRandomFileName()[..8]}").FullName;
    private Process? _process;

    /// <summary>The Docker Engine API's socket.</summary>
    public string Socket => _run + "/d.sock";

    public async ValueTask InitializeAsync()
    {
        await File.WriteAllTextAsync(_folder.File("daemon.json"), "{}");
        string command = string.Create(
            CultureInfo.InvariantCulture,
            $"ip link set lo up; exec dockerd --config-file {_folder.File("daemon.json")} --host unix://{Socket} --data-root {_folder.File("data")} --exec-root {_run}/exec --pidfile {_run}/pid --storage-driver overlay2 --exec-opt native.cgroupdriver=cgroupfs --cgroup-parent /{CgroupParent} --iptables=false --ip6tables=false --bridge=none --log-level warn > {_folder.File("log")} 2>&1");
        ProcessStartInfo start = new("unshare", ["--net", "/bin/sh", "-c", command]);
        start.Environment["PATH"] = "/usr/sbin:/sbin:/usr/bin:/bin";
        _process = Process.Start(start)!;
        await Deadlines.UntilAsync("dockerd", async () => _process.HasExited
            ? throw new InvalidOperationException($"dockerd has ended: {await File.ReadAllTextAsync(_folder.File("log"))}")
            : (await DockerAsync("version")).ExitCode == 0);
    }

    /// <summary>Runs the stock docker CLI against it, to its end.</summary>
    public async Task<CommandResult> DockerAsync(params string[] arguments)
    {
        using var command = StartDocker(arguments);
        return await command.FinishAsync();
    }

    /// <summary>Starts the stock docker CLI against it.</summary>
    public RunningCommand StartDocker(params string[] arguments) => new("docker", ["-H", "unix://" + Socket, .. arguments], new Dictionary<string, string> { ["DOCKER_CONFIG"] = _folder.Path, ["DOCKER_BUILDKIT"] = "0" });

    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
        {
            Platform.Signal(_process.Id, SIGTERM);
            await _process.WaitForExitAsync();
            _process.Dispose();
        }

        foreach (string root in Directory.EnumerateDirectories("/sys/fs/cgroup").Append("/sys/fs/cgroup").Select(static root => $"{root}/{CgroupParent}").Where(Directory.Exists))
            Directory.Delete(root);
        Directory.Delete(_run, recursive: true);
        _folder.Dispose();
    }
}

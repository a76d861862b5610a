using System.Net.Sockets;
using Candela.Bench.Networks;
using Candela.Cli.Daemon;

namespace Candela.Bench;

/// <summary>
/// Debian's dockerd with runc: in folders of its own and without networks, or in a network namespace, so that nothing of the host's is touched.
/// </summary>
internal sealed class DockerEngine : Engine
{
    private const int SIGTERM = 15;
    private const int SIGKILL = 9;
    private const string CgroupParent = "candela-bench";
    private const int StopLimitMs = 30_000;

    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(60);

    private readonly DaemonProcess daemon;
    private readonly string logFile;

    /// <param name="folder">Its folder.</param>
    /// <param name="host">Where its networks are; null: it has none.</param>
    public DockerEngine(string folder, BenchHost? host = null)
        : base("dockerd + runc", folder)
    {
        Directory.CreateDirectory(folder);
        string configuration = Path.Combine(folder, "daemon.json");
        File.WriteAllText(configuration, "{}");
        logFile = Path.Combine(folder, "dockerd.log");
        daemon = DaemonProcess.Start(
            Find(host is null ? "dockerd" : "nsenter"),
            [
                .. host is null ? (string[])[] : [.. host.Enter, Find("dockerd")],
                "--config-file", configuration,
                "--host", "unix://" + DockerSocket,
                "--data-root", Path.Combine(folder, "data"),
                "--exec-root", Path.Combine(folder, "exec"),
                "--pidfile", Path.Combine(folder, "docker.pid"),
                .. host is null ? (string[])["--iptables=false", "--ip6tables=false", "--bridge=none"] : [],
                "--storage-driver", "overlay2",
                // cgroupfs works on v1, v2 and hybrid hosts, with or without systemd.
                "--exec-opt", "native.cgroupdriver=cgroupfs",
                "--cgroup-parent", "/" + CgroupParent,
                "--log-level", "warn",
            ],
            logFile);
        try
        {
            WaitUntil(Answers, StartLimit, () => $"dockerd did not start: {LogTail()}");
            Version = Docker("version", "--format", "{{.Server.Version}}").Trim() + ", " + Execute("runc", "--version").Split('\n')[0];
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public override string DockerSocket => Path.Combine(Folder, "docker.sock");

    public override string Version { get; }

    public override void Dispose()
    {
        daemon.Signal(SIGTERM);
        if (!daemon.WaitForExit(StopLimitMs))
        {
            daemon.Signal(SIGKILL);
            daemon.WaitForExit(StopLimitMs);
        }
        daemon.Dispose();
        RemoveCgroups();
    }

    /// <summary>dockerd leaves the parent of its containers' cgroups behind, in each hierarchy.</summary>
    private static void RemoveCgroups()
    {
        const string Root = "/sys/fs/cgroup";
        foreach (string folder in Directory.EnumerateDirectories(Root).Append(Root).Select(hierarchy => Path.Combine(hierarchy, CgroupParent)))
        {
            // A cgroup's files go with it; .NET would try to delete them one by one.
            if (Directory.Exists(folder))
                Execute("rmdir", folder);
        }
    }

    private bool Answers()
    {
        if (daemon.WaitForExit(0))
            throw new InvalidOperationException($"dockerd ended at its start: {LogTail()}");
        try
        {
            using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            socket.Connect(new UnixDomainSocketEndPoint(DockerSocket));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private string LogTail() => string.Join('\n', File.ReadLines(logFile).TakeLast(10));

    private static string Find(string program) =>
        ((string[])["/usr/sbin", "/usr/bin", "/usr/local/sbin", "/usr/local/bin"])
            .Select(folder => Path.Combine(folder, program))
            .FirstOrDefault(File.Exists) ?? throw new FileNotFoundException($"{program} is missing: install docker.io (eng/setup bench)");
}

using System.Diagnostics;
using System.Net.Sockets;

namespace Candela.Bench;

/// <summary>
/// Debian's dockerd with runc: in folders of its own and without networks, so that nothing of the host's is touched.
/// </summary>
internal sealed class DockerEngine : Engine
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(30);

    private readonly Process daemon;
    private readonly StreamWriter log;

    public DockerEngine(string folder)
        : base("dockerd + runc", folder)
    {
        Directory.CreateDirectory(folder);
        string configuration = Path.Combine(folder, "daemon.json");
        File.WriteAllText(configuration, "{}");
        string logFile = Path.Combine(folder, "dockerd.log");
        log = new StreamWriter(logFile) { AutoFlush = true };
        daemon = Process.Start(new ProcessStartInfo("dockerd",
        [
            "--config-file", configuration,
            "--host", "unix://" + DockerSocket,
            "--data-root", Path.Combine(folder, "data"),
            "--exec-root", Path.Combine(folder, "exec"),
            "--pidfile", Path.Combine(folder, "docker.pid"),
            "--iptables=false",
            "--ip6tables=false",
            "--bridge=none",
            "--storage-driver", "overlay2",
            // cgroupfs works on v1, v2 and hybrid hosts, with or without systemd.
            "--exec-opt", "native.cgroupdriver=cgroupfs",
            "--log-level", "warn",
        ])
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        })!;
        daemon.ErrorDataReceived += (_, line) => log.WriteLine(line.Data);
        daemon.OutputDataReceived += (_, line) => log.WriteLine(line.Data);
        daemon.BeginErrorReadLine();
        daemon.BeginOutputReadLine();
        try
        {
            WaitUntil(Answers, StartLimit, () => $"dockerd did not start; its log is {logFile}");
            Version = Docker("version", "--format", "{{.Server.Version}}").Trim() + ", " + Execute("runc", "--version").Split('\n')[0];
        }
        catch
        {
            Stop();
            throw;
        }
    }

    public override string DockerSocket => Path.Combine(Folder, "docker.sock");

    public override string Version { get; }

    public override void Dispose() => Stop();

    private void Stop()
    {
        const int SIGTERM = 15;
        if (!daemon.HasExited)
        {
            _ = Cli.Terminal.Libc.kill(daemon.Id, SIGTERM);
            if (!daemon.WaitForExit(StopLimit))
                daemon.Kill(entireProcessTree: true);
        }
        daemon.Dispose();
        log.Dispose();
    }

    private bool Answers()
    {
        if (daemon.HasExited)
            throw new InvalidOperationException($"dockerd ended with {daemon.ExitCode}; its log is {Path.Combine(Folder, "dockerd.log")}");
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
}

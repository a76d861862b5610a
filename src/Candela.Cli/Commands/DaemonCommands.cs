using System.Globalization;
using System.Text;
using Candela.Cli.Api;
using Candela.Cli.CommandLine;
using Candela.Cli.Daemon;
using Candela.Cli.Http;
using Candela.Cli.Output;
using Candela.Cli.Terminal;
using Candela.Model;

namespace Candela.Cli.Commands;

/// <summary>up, down, status: the daemon on this host.</summary>
internal static class DaemonCommands
{
    private const long LogBytesLimit = 8 * 1024 * 1024;
    private const int LogTailLines = 20;
    private const int ProbeIntervalMs = 40;
    private const int ReadyTimeoutSecondsDefault = 300;
    private const int StopTimeoutSecondsDefault = 30;

    /// <summary>Exit code of status when the daemon does not run (LSB: program is not running).</summary>
    private const int ExitStopped = 3;

    private static readonly Option RunFolder = new("run", $"Folder of sockets and pid file (default {CommandContext.DefaultRunFolder}, or that of --host)") { Value = "DIR", Completes = Completes.Files };

    public static readonly Command Up = new("up", "Start the daemon, if it does not run, and wait until it is ready")
    {
        ArgumentsMaximum = 0,
        Options =
        [
            new("state", $"Folder of images and containers (default {DaemonSettings.DefaultStateFolder})") { Value = "DIR", Completes = Completes.Files },
            RunFolder,
            new("renew", "Restart it when its program was replaced since it started; containers go on"),
            new("timeout", $"Seconds to wait until it is ready (default {ReadyTimeoutSecondsDefault})") { Value = "SECONDS" },
            new("quiet", "No progress") { Letter = 'q' },
            .. DaemonSettings.Options,
        ],
        Description = """
            The first start prepares the guest system, a parent VM and the built-in image candela/base; later starts find them. What is said here holds until the
            daemon ends: a daemon that runs already with something else is an error.
            """,
        Examples =
        [
            ("up", ""),
            ("up --state /srv/candela --run /run/candela2", "a second instance"),
            ("up --https 8443 --host-name candela.example", "with the HTTPS front door: sign-in, REST API, ACME"),
            ("up --docker-tls 2376 --host-name candela.example", "for docker --tlsverify -H tcp://candela.example:2376"),
        ],
        Run = StartDaemon,
    };

    public static readonly Command Down = new("down", "Stop the daemon; containers go on unless told otherwise")
    {
        ArgumentsMaximum = 0,
        Options =
        [
            RunFolder,
            new("containers", "Stop all containers first"),
            new("timeout", $"Seconds to wait for its end (default {StopTimeoutSecondsDefault})") { Value = "SECONDS" },
        ],
        Examples = [("down", "containers go on; 'candela up' finds them again"), ("down --containers", "stop everything")],
        Run = StopDaemon,
    };

    public static readonly Command Status = new("status", "Show whether the daemon runs and is ready")
    {
        ArgumentsMaximum = 0,
        Options = [RunFolder, CommandContext.OutputOption],
        Description = "Exit code: 0 ready, 1 it runs but is not ready, 3 it does not run.",
        Run = ShowStatus,
    };

    private static int StartDaemon(Invocation invocation)
    {
        var place = Place.Of(invocation);
        bool quiet = invocation.Flag("quiet");
        int timeoutMs = 1000 * (invocation.Number("timeout", 1, 86400) ?? ReadyTimeoutSecondsDefault);
        string program = DaemonProcess.ProgramPath;
        var progress = new Progress(quiet);

        var process = DaemonProcess.Find(place.PidFile);
        if (process is not null && invocation.Flag("renew") && process.RunsOldProgram(program))
        {
            progress.Show("candelad was rebuilt: restarting it (containers go on)");
            process.Signal(Libc.SIGTERM);
            if (!process.WaitForExit(1000 * StopTimeoutSecondsDefault))
                throw new TimeoutException($"candelad (pid {process.Pid}) did not end within {StopTimeoutSecondsDefault} s; see {Place.LogFile(invocation)}");
            process.Dispose();
            process = null;
        }
        var settings = DaemonSettings.Of(invocation, place.Folder);
        bool wasRunning = process is not null;
        if (process is not null && settings.DifferenceFrom(process.CommandLine) is { } difference)
        {
            process.Dispose();
            throw new InvalidOperationException($"candelad (pid {process.Pid}) runs already at {place.Socket}, {difference}: end it first (candela down; containers go on), or start another one with a --run folder of its own");
        }
        string logFile = Place.LogFile(invocation);
        if (process is null)
        {
            // Perhaps a daemon that was started in some other way, whose pid file we cannot see: then it answers.
            if (Probe(place.Socket) is { } running && settings.IsEmpty)
                return Report(running, place, progress, wasRunning: true);
            if (!File.Exists(program))
                throw new FileNotFoundException($"there is no candelad beside this program ({program}): build it with eng/build");
            if (Libc.geteuid() != 0)
                throw new UnauthorizedAccessException("candelad isolates each micro-VM under a user id of its own and needs root for that: sudo candela up");
            Directory.CreateDirectory(Path.GetDirectoryName(logFile)!);
            RotateLog(logFile);
            progress.Show("starting candelad");
            process = DaemonProcess.Start(program, settings.CommandLine, logFile);
        }

        using (process)
        {
            long deadline = Environment.TickCount64 + timeoutMs;
            while (Environment.TickCount64 < deadline)
            {
                if (Probe(place.Socket) is { } status)
                {
                    if (status.Error is { Length: > 0 })
                    {
                        // It stays a moment for whoever asks; that was us.
                        if (!wasRunning)
                            End(process);
                        throw new InvalidOperationException($"candelad cannot get ready: {status.Error}; its log is {logFile}");
                    }
                    if (status.Ready)
                        return Report(status, place, progress, wasRunning);
                    progress.Show(status.Preparing is { Length: > 0 } what ? what : "getting ready");
                }
                if (process.WaitForExit(ProbeIntervalMs))
                    throw new InvalidOperationException($"candelad ended at its start; the end of its log ({logFile}):\n{LogTail(logFile)}");
            }
            throw new TimeoutException($"candelad (pid {process.Pid}) was not ready within {timeoutMs / 1000} s; it goes on trying, 'candela status' tells how far it is, and its log is {logFile}");
        }
    }

    private static void End(DaemonProcess process)
    {
        process.Signal(Libc.SIGTERM);
        process.WaitForExit(1000 * StopTimeoutSecondsDefault);
    }

    private static int Report(StatusAnswer status, Place place, Progress progress, bool wasRunning)
    {
        progress.Done();
        if (!progress.Quiet)
        {
            string since = wasRunning ? "runs already" : $"is ready after {progress.ElapsedText}";
            Writer.Error($"candelad {since}{(status.Pid > 0 ? $" (pid {status.Pid})" : "")}: {place.Socket}");
        }
        return 0;
    }

    private static int StopDaemon(Invocation invocation)
    {
        var place = Place.Of(invocation);
        int timeoutSeconds = invocation.Number("timeout", 1, 86400) ?? StopTimeoutSecondsDefault;
        using var process = DaemonProcess.Find(place.PidFile);
        if (process is null)
        {
            if (Probe(place.Socket) is not null)
                throw new InvalidOperationException($"a daemon answers at {place.Socket}, but {place.PidFile} does not name it: stop it by hand");
            if (invocation.Flag("containers"))
                throw new InvalidOperationException($"candelad does not run at {place.Socket}: only a running one can stop containers (candela up)");
            Writer.Error("candelad does not run");
            return 0;
        }
        if (invocation.Flag("containers"))
            StopContainers(place.Socket);
        process.Signal(Libc.SIGTERM);
        if (!process.WaitForExit(timeoutSeconds * 1000))
            throw new TimeoutException($"candelad (pid {process.Pid}) did not end within {timeoutSeconds} s; containers would survive 'kill -9 {process.Pid}'");
        Writer.Error("candelad stopped");
        return 0;
    }

    private static void StopContainers(string socket)
    {
        const int AtOnce = 64; // each may wait for its stop timeout
        using var client = new DaemonClient(socket);
        var running = client.Get(Routes.Containers, Wire.Default.IReadOnlyListContainer)
            .Where(container => container.Status.State is ContainerState.Running or ContainerState.Paused or ContainerState.Restarting).ToList();
        Parallel.ForEach(running, new ParallelOptions { MaxDegreeOfParallelism = AtOnce }, container =>
        {
            using var own = new DaemonClient(socket);
            try
            {
                own.Post(Routes.Container(container.Id, "stop"));
            }
            catch (ApiException exception) when (exception.Is(ErrorCode.NotModified) || exception.Is(ErrorCode.NotFound))
            {
                // It ended by itself.
            }
        });
        Writer.Error($"stopped {running.Count} container{(running.Count == 1 ? "" : "s")}");
    }

    private static int ShowStatus(Invocation invocation)
    {
        bool json = invocation.WantsJson();
        if (!invocation.Has("run") && invocation.Address() is RemoteAddress remote)
        {
            using var client = new DaemonClient(remote);
            return ShowAnswer(client.GetJson(Routes.Status), json, remote.ToString());
        }
        var place = Place.Of(invocation);
        try
        {
            using var client = new DaemonClient(place.Socket);
            return ShowAnswer(client.GetJson(Routes.Status), json, place.Socket);
        }
        catch (DaemonUnreachableException exception)
        {
            using var process = DaemonProcess.Find(place.PidFile);
            if (json)
                Writer.Line("{ \"ready\": false, \"running\": " + (process is null ? "false" : "true") + " }");
            else
                Writer.Line(process is null ? "candelad does not run" : $"candelad runs (pid {process.Pid}) but does not answer: {exception.Message}");
            return process is null ? ExitStopped : 1;
        }
    }

    private static int ShowAnswer(byte[] answer, bool json, string where)
    {
        var status = DaemonClient.Deserialize(answer, Wire.Default.StatusAnswer);
        if (json)
            Writer.Json(answer);
        else
            Writer.Line(status.Ready ? $"candelad is ready (pid {status.Pid}, version {status.Version}): {where}" : $"candelad is getting ready: {status.Error ?? status.Preparing}");
        return status.Ready ? 0 : 1;
    }

    private static StatusAnswer? Probe(string socket)
    {
        try
        {
            using var client = new DaemonClient(socket);
            return client.Get(Routes.Status, Wire.Default.StatusAnswer);
        }
        catch (Exception exception) when (exception is EndOfStreamException or System.Net.Sockets.SocketException
            or DaemonUnreachableException { InnerException: System.Net.Sockets.SocketException { SocketErrorCode: not System.Net.Sockets.SocketError.AccessDenied } })
        {
            return null; // it does not listen, or ended while it was asked
        }
    }

    private static void RotateLog(string logFile)
    {
        if (File.Exists(logFile) && new FileInfo(logFile).Length > LogBytesLimit)
            File.Move(logFile, logFile + ".1", overwrite: true);
    }

    private static string LogTail(string logFile) => string.Join('\n', File.ReadLines(logFile).TakeLast(LogTailLines));

    /// <summary>Where an instance has its run-time files.</summary>
    private sealed record Place(string Folder, string Socket)
    {
        public string PidFile => Path.Combine(Folder, "candelad.pid");

        public static Place Of(Invocation invocation)
        {
            if (invocation.Value("run") is { } run)
            {
                string folder = Path.GetFullPath(run);
                return new Place(folder, Path.Combine(folder, "candela.sock"));
            }
            string socket = Path.GetFullPath(invocation.SocketPath());
            return new Place(Path.GetDirectoryName(socket)!, socket);
        }

        public static string LogFile(Invocation invocation) =>
            Path.Combine(invocation.Value("state") is { } state ? Path.GetFullPath(state) : DaemonSettings.DefaultStateFolder, "log", "candelad.log");
    }

    /// <summary>What is going on, one line each, with the time that the former one took.</summary>
    private sealed class Progress(bool quiet)
    {
        private readonly long begun = Environment.TickCount64;
        private long stepBegun = Environment.TickCount64;
        private string? shown;

        public bool Quiet => quiet;

        public string ElapsedText => Seconds(Environment.TickCount64 - begun);

        public void Show(string text)
        {
            if (quiet || text == shown)
                return;
            Done();
            StandardStream.Error.Write(Encoding.UTF8.GetBytes(text + " … "));
            shown = text;
            stepBegun = Environment.TickCount64;
        }

        public void Done()
        {
            if (shown is not null)
                Writer.Error("ok, " + Seconds(Environment.TickCount64 - stepBegun));
            shown = null;
        }

        private static string Seconds(long milliseconds) => (milliseconds / 1000.0).ToString("0.0", CultureInfo.InvariantCulture) + " s";
    }
}

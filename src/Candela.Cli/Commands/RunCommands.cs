using System.Diagnostics;
using Candela.Cli.Api;
using Candela.Cli.CommandLine;
using Candela.Cli.Containers;
using Candela.Cli.Http;
using Candela.Cli.Output;
using Candela.Cli.Terminal;
using Candela.Model;

namespace Candela.Cli.Commands;

/// <summary>run, create, start, attach, exec: what joins this terminal with a process in a container.</summary>
internal static class RunCommands
{
    private static readonly Option DetachKeysOption = new("detach-keys", $"Keys that detach (default {DetachKeys.Default})") { Value = "KEYS" };

    private static readonly Option NoStdin = new("no-stdin", "Do not attach standard input");

    public static readonly Command Run = new("run", "Create a container in its own micro-VM, start it and attach to it")
    {
        Arguments = "IMAGE [COMMAND [ARGUMENT...]]",
        ArgumentsMinimum = 1,
        OptionsEndAtFirstArgument = true,
        ArgumentCompletes = [Completes.Images, Completes.Nothing],
        Options =
        [
            new("detach", "Leave it running in the background and print its id") { Letter = 'd' },
            new("timings", "Show on standard error how long each stage took"),
            DetachKeysOption,
            .. SpecOptions.All,
        ],
        Description = "Exit code: the process's; 125 when Candela failed, 126 when the command cannot be executed, 127 when it is not there.",
        Examples =
        [
            ("run --rm candela/base uname -a", "one command, then gone"),
            ("run -it --rm candela/base sh", "a shell"),
            ("run -d --name web candela/base sleep 1000", "in the background"),
            ("run --rm --memory 1g --cpus 2 candela/base free -m", "a larger machine"),
        ],
        Run = RunContainer,
    };

    public static readonly Command Create = new("create", "Create a container without starting it")
    {
        Arguments = "IMAGE [COMMAND [ARGUMENT...]]",
        ArgumentsMinimum = 1,
        OptionsEndAtFirstArgument = true,
        ArgumentCompletes = [Completes.Images, Completes.Nothing],
        Options = SpecOptions.All,
        Examples = [("create --name job candela/base sh -c 'date; sleep 5'", "then: candela start -a job")],
        Run = invocation =>
        {
            using var client = invocation.Connect();
            Writer.Line(CreateContainer(client, invocation).Id);
            return 0;
        },
    };

    public static readonly Command Start = new("start", "Start containers")
    {
        Arguments = "CONTAINER [CONTAINER...]",
        ArgumentsMinimum = 1,
        ArgumentCompletes = [Completes.Containers],
        Options =
        [
            new("attach", "Attach to its output (one container)") { Letter = 'a' },
            new("interactive", "Attach standard input, too") { Letter = 'i' },
            DetachKeysOption,
        ],
        Examples = [("start web", ""), ("start -ai job", "start and attach")],
        Run = StartContainers,
    };

    public static readonly Command Attach = new("attach", "Attach to a container's main process")
    {
        Arguments = "CONTAINER",
        ArgumentsMinimum = 1,
        ArgumentsMaximum = 1,
        ArgumentCompletes = [Completes.RunningContainers],
        Options = [NoStdin, DetachKeysOption, new("sig-proxy", "Forward signals (default true)") { Value = "BOOL" }],
        Description = "Ctrl-P Ctrl-Q leaves a terminal; the container goes on.",
        Examples = [("attach web", "")],
        Run = AttachContainer,
    };

    public static readonly Command Exec = new("exec", "Run a process in a running container")
    {
        Arguments = "CONTAINER COMMAND [ARGUMENT...]",
        ArgumentsMinimum = 2,
        OptionsEndAtFirstArgument = true,
        ArgumentCompletes = [Completes.RunningContainers, Completes.Nothing],
        Options =
        [
            new("interactive", "Keep standard input open") { Letter = 'i' },
            new("tty", "Give the process a terminal") { Letter = 't' },
            new("detach", "Leave it running in the background") { Letter = 'd' },
            new("env", "Set an environment variable") { Letter = 'e', Value = "NAME=VALUE", Repeatable = true },
            new("env-file", "Read environment variables from a file") { Value = "FILE", Repeatable = true, Completes = Completes.Files },
            new("workdir", "Working directory") { Letter = 'w', Value = "PATH" },
            new("user", "User and group") { Letter = 'u', Value = "USER[:GROUP]" },
            new("privileged", "All capabilities"),
            DetachKeysOption,
        ],
        Examples = [("exec -it web sh", "a shell in a running container"), ("exec web ps", "")],
        Run = ExecProcess,
    };

    private static int RunContainer(Invocation invocation)
    {
        long begun = Stopwatch.GetTimestamp();
        var stages = new List<StageTiming>();
        void Stage(string name)
        {
            stages.Add(new StageTiming(name, Stopwatch.GetElapsedTime(begun).TotalMilliseconds));
            begun = Stopwatch.GetTimestamp();
        }

        bool detach = invocation.Flag("detach"), interactive = invocation.Flag("interactive"), tty = invocation.Flag("tty");
        bool timings = invocation.Flag("timings");
        if (interactive && tty && !detach && !StandardStream.Input.IsTerminal)
            throw new UsageException("standard input is not a terminal: leave out -t (or -i)") { Path = invocation.Path };

        using var client = invocation.Connect();
        using var interruption = new Interruption();
        var container = CreateContainer(client, invocation, interruption);
        Stage("create");
        if (detach)
        {
            if (interruption.Kept is null)
                StartOrRemove(client, container);
            if (interruption.Release() is { } late)
                return Undo(client, container, late.Number);
            Stage("start");
            if (timings)
                ShowTimings(client, container.Id, stages);
            Writer.Line(container.Id);
            return 0;
        }

        if (interruption.Kept is { } early)
            return Undo(client, container, early.Number);
        using var stream = OpenAttach(client, container.Id, interactive, logs: false);
        Stage("attach");
        if (interruption.Kept is null)
            StartOrRemove(client, container);
        if (interruption.Kept is { } signal)
            return Undo(client, container, signal.Number);
        Stage("start");
        if (timings)
            ShowTimings(client, container.Id, stages);
        var forward = SignalForwarder(client, container.Id);
        var end = new Session(stream)
        {
            Tty = tty,
            Stdin = interactive,
            DetachKeySequence = invocation.Value("detach-keys") ?? DetachKeys.Default,
            ForwardSignal = forward,
            SignalsTaken = () =>
            {
                if (interruption.Release() is { } kept)
                    forward(kept.Name);
            },
        }.Run();
        return ExitCode(client, container.Id, end);
    }

    /// <summary>Somebody wanted this program to end before the container ran for them: then there shall be none.</summary>
    private static int Undo(DaemonClient client, Container container, int signal)
    {
        using var other = client.Another();
        CommandContext.Tolerate(ErrorCode.NotFound, () => other.Delete(Routes.Query(Routes.Container(container.Id), ("force", "true"))));
        Writer.Error($"interrupted: container {container.Name} was removed again");
        return Interruption.ExitBase + signal;
    }

    /// <param name="client">Daemon.</param>
    /// <param name="invocation">What is wanted.</param>
    /// <param name="interruption">Holds signals while the container is made, not while its image is pulled.</param>
    private static Container CreateContainer(DaemonClient client, Invocation invocation, Interruption? interruption = null)
    {
        var spec = SpecOptions.ToSpec(invocation);
        string when = invocation.Value("pull") ?? "missing";
        if (when == "always")
            ImageCommands.PullImage(client, spec.Image, quiet: false);
        else if (when is not ("missing" or "never"))
            throw new UsageException($"--pull is missing, always or never, not '{when}'");
        var request = new CreateRequest(invocation.Value("name"), spec);
        try
        {
            interruption?.Hold();
            return client.Post(Routes.Containers, request, Wire.Default.CreateRequest, Wire.Default.Container);
        }
        catch (ApiException exception) when (exception.Is(ErrorCode.ImageNotFound) && when == "missing")
        {
            if (interruption?.Release() is not null)
                throw new InvalidOperationException("interrupted: nothing was made");
            Writer.Error($"image {spec.Image} is not here yet: pulling it");
            ImageCommands.PullImage(client, spec.Image, quiet: false);
            interruption?.Hold();
            return client.Post(Routes.Containers, request, Wire.Default.CreateRequest, Wire.Default.Container);
        }
    }

    private static void StartOrRemove(DaemonClient client, Container container)
    {
        try
        {
            client.Post(Routes.Container(container.Id, "start"));
        }
        catch (ApiException) when (container.Spec.AutoRemove)
        {
            using var other = client.Another();
            try
            {
                other.Delete(Routes.Query(Routes.Container(container.Id), ("force", "true")));
            }
            catch (ApiException)
            {
                // The daemon was faster; the failed start is what the user must hear of.
            }
            throw;
        }
    }

    private static int StartContainers(Invocation invocation)
    {
        using var client = invocation.Connect();
        bool interactive = invocation.Flag("interactive");
        if (!invocation.Flag("attach") && !interactive)
            return CommandContext.ForEach(invocation.Arguments, reference =>
                CommandContext.Tolerate(ErrorCode.NotModified, () => client.Post(Routes.Container(reference, "start"))));
        if (invocation.Arguments.Count > 1)
            throw new UsageException("only one container can be started and attached to") { Path = invocation.Path };
        var container = client.Get(Routes.Container(invocation.Arguments[0]), Wire.Default.Container);
        using var stream = OpenAttach(client, container.Id, interactive, logs: false);
        client.Post(Routes.Container(container.Id, "start"));
        var end = new Session(stream)
        {
            Tty = container.Spec.Tty,
            Stdin = interactive,
            DetachKeySequence = invocation.Value("detach-keys") ?? DetachKeys.Default,
            ForwardSignal = SignalForwarder(client, container.Id),
        }.Run();
        return ExitCode(client, container.Id, end);
    }

    private static int AttachContainer(Invocation invocation)
    {
        using var client = invocation.Connect();
        var container = client.Get(Routes.Container(invocation.Arguments[0]), Wire.Default.Container);
        if (container.Status.State is not (ContainerState.Running or ContainerState.Paused))
            throw new ApiException(409, nameof(ErrorCode.Conflict), $"container {container.Name} does not run: start it with 'candela start -a {container.Name}'");
        bool stdin = !invocation.Flag("no-stdin") && container.Spec.OpenStdin;
        using var stream = OpenAttach(client, container.Id, stdin, logs: false);
        var end = new Session(stream)
        {
            Tty = container.Spec.Tty,
            Stdin = stdin,
            DetachKeySequence = invocation.Value("detach-keys") ?? DetachKeys.Default,
            ForwardSignal = invocation.Value("sig-proxy") is "false" ? null : SignalForwarder(client, container.Id),
        }.Run();
        return ExitCode(client, container.Id, end);
    }

    private static int ExecProcess(Invocation invocation)
    {
        bool interactive = invocation.Flag("interactive"), tty = invocation.Flag("tty"), detach = invocation.Flag("detach");
        if (interactive && tty && !detach && !StandardStream.Input.IsTerminal)
            throw new UsageException("standard input is not a terminal: leave out -t (or -i)") { Path = invocation.Path };
        using var client = invocation.Connect();
        var request = new ExecRequest(
            invocation.Arguments.GetRange(1, invocation.Arguments.Count - 1),
            SpecOptions.Environment(invocation),
            invocation.Value("workdir"),
            invocation.Value("user"),
            tty,
            interactive,
            invocation.Flag("privileged"));
        var exec = client.Post(Routes.Container(invocation.Arguments[0], "exec"), request, Wire.Default.ExecRequest, Wire.Default.ExecAnswer);
        var size = tty ? RawMode.WindowSize() : null;
        var start = new StartExecRequest(detach, size?.Rows, size?.Columns);
        if (detach)
        {
            client.Post(Routes.Exec(exec.Id, "start"), start, Wire.Default.StartExecRequest);
            return 0;
        }
        using var stream = client.Upgrade("POST", Routes.Exec(exec.Id, "start"), System.Text.Json.JsonSerializer.SerializeToUtf8Bytes(start, Wire.Default.StartExecRequest));
        var end = new Session(stream)
        {
            Tty = tty,
            Stdin = interactive,
            DetachKeySequence = invocation.Value("detach-keys") ?? DetachKeys.Default,
        }.Run();
        return end.Detached ? 0 : end.ExitCode ?? CommandContext.ExitFailed;
    }

    private static StreamConnection OpenAttach(DaemonClient client, string id, bool stdin, bool logs) =>
        client.Upgrade("POST", Routes.Query(Routes.Container(id, "attach"), ("stdin", Routes.Flag(stdin)), ("logs", Routes.Flag(logs))));

    /// <summary>Signals come on a thread of their own: each takes a connection of its own.</summary>
    private static Action<string> SignalForwarder(DaemonClient client, string id) => signal =>
    {
        try
        {
            using var other = client.Another();
            other.Post(Routes.Query(Routes.Container(id, "kill"), ("signal", signal)));
        }
        catch (Exception exception) when (exception is ApiException or DaemonUnreachableException)
        {
            Writer.Error($"signal {signal} did not reach the container: {exception.Message}");
        }
    };

    private static int ExitCode(DaemonClient client, string id, SessionEnd end)
    {
        if (end.Detached)
            return 0;
        if (end.ExitCode is { } code)
            return code;
        // The stream broke: the daemon was restarted, or the container outlived it. It knows more than we do.
        var answer = client.Another().Get(Routes.Container(id), Wire.Default.Container);
        if (answer.Status.State is ContainerState.Running or ContainerState.Paused)
            throw new ApiException(0, "", $"the connection to the container was lost; it goes on: 'candela attach {answer.Name}'");
        return answer.Status.ExitCode;
    }

    private static void ShowTimings(DaemonClient client, string id, List<StageTiming> clientStages)
    {
        IReadOnlyList<StageTiming> stages;
        try
        {
            stages = client.Get(Routes.Container(id), Wire.Default.Container).Status.StartStages;
        }
        catch (ApiException exception) when (exception.Is(ErrorCode.NotFound))
        {
            stages = [];
        }
        var table = new Table("STAGE", "TIME");
        foreach (var stage in clientStages)
        {
            table.Add("candela " + stage.Stage, Human.Milliseconds(stage.Milliseconds));
            if (stage.Stage == "start")
            {
                foreach (var inner in stages)
                    table.Add("  " + inner.Stage, Human.Milliseconds(inner.Milliseconds));
            }
        }
        table.Add("in all", Human.Milliseconds(clientStages.Sum(stage => stage.Milliseconds)));
        Writer.Error(table.ToString().TrimEnd('\n'));
    }
}

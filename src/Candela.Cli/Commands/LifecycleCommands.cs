using System.Globalization;
using Candela.Cli.Api;
using Candela.Cli.CommandLine;
using Candela.Cli.Output;
using Candela.Model;

namespace Candela.Cli.Commands;

/// <summary>stop, restart, kill, rm, wait, pause, unpause, rename, fork.</summary>
internal static class LifecycleCommands
{
    private static readonly Option Time = new("time", "Seconds from the stop signal to the kill (-1: never)") { Letter = 't', Value = "SECONDS" };
    private static readonly Option Signal = new("signal", "Signal, by name or number") { Letter = 's', Value = "SIGNAL" };

    public static readonly Command Stop = OnEach("stop", "Stop containers: the stop signal, then, after a time, the kill", Completes.RunningContainers, [Time, Signal],
        (client, invocation, reference) => client.Post(Routes.Query(Routes.Container(reference, "stop"), ("timeoutSeconds", TimeOf(invocation)), ("signal", invocation.Value("signal")))),
        ("stop web", ""), ("stop -t 0 web", "at once"));

    public static readonly Command Restart = OnEach("restart", "Stop and start containers", Completes.Containers, [Time, Signal],
        (client, invocation, reference) => client.Post(Routes.Query(Routes.Container(reference, "restart"), ("timeoutSeconds", TimeOf(invocation)), ("signal", invocation.Value("signal")))),
        ("restart web", ""));

    public static readonly Command Kill = OnEach("kill", "Send a signal to containers (KILL unless given)", Completes.RunningContainers, [Signal],
        (client, invocation, reference) => client.Post(Routes.Query(Routes.Container(reference, "kill"), ("signal", invocation.Value("signal")))),
        ("kill -s HUP web", ""));

    public static readonly Command Pause = OnEach("pause", "Stop the vCPUs of containers", Completes.RunningContainers, [],
        (client, _, reference) => client.Post(Routes.Container(reference, "pause")), ("pause web", ""));

    public static readonly Command Unpause = OnEach("unpause", "Let the vCPUs of paused containers run", Completes.RunningContainers, [],
        (client, _, reference) => client.Post(Routes.Container(reference, "unpause")), ("unpause web", ""));

    public static readonly Command Remove = OnEach("rm", "Remove containers", Completes.Containers, [new("force", "Kill those that run") { Letter = 'f' }, new("volumes", "Accepted: anonymous volumes do not exist yet") { Letter = 'v' }],
        (client, invocation, reference) => client.Delete(Routes.Query(Routes.Container(reference), ("force", Routes.Flag(invocation.Flag("force"))))),
        ("rm job", ""), ("rm -f $(candela ps -aq)", "all of them"));

    public static readonly Command Rename = new("rename", "Rename a container")
    {
        Arguments = "CONTAINER NAME",
        ArgumentsMinimum = 2,
        ArgumentsMaximum = 2,
        ArgumentCompletes = [Completes.Containers, Completes.Nothing],
        Run = invocation =>
        {
            using var client = invocation.Connect();
            client.Post(Routes.Query(Routes.Container(invocation.Arguments[0], "rename"), ("name", invocation.Arguments[1])));
            return 0;
        },
    };

    public static readonly Command Wait = new("wait", "Wait until containers end and print their exit codes")
    {
        Arguments = "CONTAINER [CONTAINER...]",
        ArgumentsMinimum = 1,
        ArgumentCompletes = [Completes.Containers],
        Run = invocation =>
        {
            using var client = invocation.Connect();
            return CommandContext.ForEach(invocation.Arguments, reference =>
            {
                byte[] answer = client.Post(Routes.Container(reference, "wait"));
                Writer.Line(Http.DaemonClient.Deserialize(answer, Wire.Default.WaitAnswer).ExitCode.ToString(CultureInfo.InvariantCulture));
            }, printReference: false);
        },
    };

    public static readonly Command Fork = new("fork", "Clone a running container with its processes and memory")
    {
        Arguments = "CONTAINER",
        ArgumentsMinimum = 1,
        ArgumentsMaximum = 1,
        ArgumentCompletes = [Completes.RunningContainers],
        Options =
        [
            new("count", "How many forks (default 1)") { Letter = 'n', Value = "NUMBER" },
            new("name", "Name of a fork; once for each") { Value = "NAME", Repeatable = true },
            new("timings", "Show on standard error how long each stage took"),
            new("quiet", "Only ids") { Letter = 'q' },
            CommandContext.OutputOption,
        ],
        Description = "The original stands still for a moment only. Each fork has its own identity: id, host name, machine-id, entropy, clock.",
        Examples = [("fork web", ""), ("fork web --count 10", "ten of them"), ("fork db --name db-test", "")],
        Run = ForkContainer,
    };

    private static int ForkContainer(Invocation invocation)
    {
        var names = invocation.Values("name");
        int count = invocation.Number("count", 1, 1000) ?? Math.Max(1, names.Count);
        if (names.Count > 0 && names.Count != count)
            throw new UsageException($"{count} forks need {count} names; {names.Count} given") { Path = invocation.Path };
        using var client = invocation.Connect();
        byte[] json = client.Post(Routes.Container(invocation.Arguments[0], "fork"), new ForkRequest(count, names.Count > 0 ? names : null), Wire.Default.ForkRequest);
        if (invocation.WantsJson())
        {
            Writer.Json(json);
            return 0;
        }
        var report = Http.DaemonClient.Deserialize(json, Wire.Default.ForkAnswer);
        if (invocation.Flag("quiet"))
        {
            foreach (var fork in report.Forks)
                Writer.Line(fork.Id);
            return 0;
        }
        var table = new Table("CONTAINER ID", "NAME", "STATUS");
        foreach (var fork in report.Forks)
            table.Add(Human.ShortId(fork.Id), fork.Name, fork.Status.State.ToString().ToLowerInvariant());
        Writer.Out(table.ToString());
        Writer.Error($"the original stood still for {Human.Milliseconds(report.SourcePauseMilliseconds)}");
        if (invocation.Flag("timings"))
        {
            var stages = new Table("STAGE", "TIME");
            foreach (var stage in report.Stages)
                stages.Add(stage.Stage, Human.Milliseconds(stage.Milliseconds));
            Writer.Error(stages.ToString().TrimEnd('\n'));
        }
        return 0;
    }

    private static Command OnEach(
        string name, string summary, Completes completes, IReadOnlyList<Option> options,
        Action<Http.DaemonClient, Invocation, string> action, params (string, string)[] examples) => new(name, summary)
        {
            Arguments = "CONTAINER [CONTAINER...]",
            ArgumentsMinimum = 1,
            ArgumentCompletes = [completes],
            Options = options,
            Examples = examples,
            Run = invocation =>
            {
                using var client = invocation.Connect();
                return CommandContext.ForEach(invocation.Arguments, reference =>
                    CommandContext.Tolerate(ErrorCode.NotModified, () => action(client, invocation, reference)));
            },
        };

    private static string? TimeOf(Invocation invocation) =>
        invocation.Number("time", -1, int.MaxValue)?.ToString(CultureInfo.InvariantCulture);
}

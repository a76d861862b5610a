using System.Globalization;
using System.Text.Json;
using Candela.Cli.Api;
using Candela.Cli.CommandLine;
using Candela.Cli.Containers;
using Candela.Cli.Http;
using Candela.Cli.Output;
using Candela.Cli.Terminal;
using Candela.Model;

namespace Candela.Cli.Commands;

/// <summary>ps, inspect, logs, stats, top, events: looking only.</summary>
internal static class InspectCommands
{
    public static readonly Command List = new("ps", "List containers")
    {
        Aliases = ["ls"],
        ArgumentsMaximum = 0,
        Options =
        [
            new("all", "Those that do not run, too") { Letter = 'a' },
            new("quiet", "Only ids") { Letter = 'q' },
            new("filter", "Only those: name=, id=, status=, ancestor=, label=, exited=, forked-from=") { Letter = 'f', Value = "KEY=VALUE", Repeatable = true },
            new("last", "The last so many, whatever their state") { Letter = 'n', Value = "NUMBER" },
            new("no-trunc", "Whole ids and commands"),
            CommandContext.OutputOption,
        ],
        Examples = [("ps -a", ""), ("ps -q --filter status=running", ""), ("ps -a --output json", "for programs")],
        Run = ListContainers,
    };

    public static readonly Command Inspect = new("inspect", "Show containers or images as JSON")
    {
        Arguments = "NAME [NAME...]",
        ArgumentsMinimum = 1,
        ArgumentCompletes = [Completes.Containers],
        Examples = [("inspect web", ""), ("inspect candela/base", "")],
        Run = invocation =>
        {
            using var client = invocation.Connect();
            return CommandContext.ForEach(invocation.Arguments, reference =>
            {
                try
                {
                    Writer.Json(client.GetJson(Routes.Container(reference)));
                }
                catch (ApiException exception) when (exception.Is(ErrorCode.NotFound))
                {
                    try
                    {
                        Writer.Json(client.GetJson(Routes.Image(reference)));
                    }
                    catch (ApiException image) when (image.Is(ErrorCode.NotFound) || image.Is(ErrorCode.ImageNotFound) || image.Is(ErrorCode.InvalidArgument))
                    {
                        throw new ApiException(404, nameof(ErrorCode.NotFound), $"no container and no image is called {reference}");
                    }
                }
            }, printReference: false);
        },
    };

    public static readonly Command Logs = new("logs", "Show a container's output")
    {
        Arguments = "CONTAINER",
        ArgumentsMinimum = 1,
        ArgumentsMaximum = 1,
        ArgumentCompletes = [Completes.Containers],
        Options =
        [
            new("follow", "Go on until the container ends") { Letter = 'f' },
            new("tail", "Only the last so many lines (default all)") { Letter = 'n', Value = "NUMBER" },
            new("since", "Not before: a time (RFC 3339), Unix seconds or an age such as 10m") { Value = "TIME" },
            new("until", "Not after: likewise") { Value = "TIME" },
            new("timestamps", "With the time of each line") { Letter = 't' },
        ],
        Examples = [("logs -f web", ""), ("logs --tail 20 -t web", ""), ("logs --since 10m web", "")],
        Run = ShowLogs,
    };

    public static readonly Command Top = new("top", "List the processes of a container")
    {
        Arguments = "CONTAINER",
        ArgumentsMinimum = 1,
        ArgumentsMaximum = 1,
        ArgumentCompletes = [Completes.RunningContainers],
        Options = [CommandContext.OutputOption],
        Run = invocation =>
        {
            using var client = invocation.Connect();
            byte[] json = client.GetJson(Routes.Container(invocation.Arguments[0], "processes"));
            if (invocation.WantsJson())
            {
                Writer.Json(json);
                return 0;
            }
            var table = new Table("UID", "PID", "PPID", "STARTED", "TTY", "TIME", "COMMAND");
            foreach (var process in DaemonClient.Deserialize(json, Wire.Default.IReadOnlyListProcessEntry))
            {
                table.Add(Text(process.UserId), Text(process.Pid), Text(process.ParentPid),
                    process.StartedAt.ToLocalTime().ToString("HH:mm:ss", CultureInfo.InvariantCulture), process.Terminal,
                    process.CpuTime.ToString(@"hh\:mm\:ss\.ff", CultureInfo.InvariantCulture), process.Command);
            }
            Writer.Out(table.ToString());
            return 0;
        },
    };

    public static readonly Command Events = new("events", "Show what happens")
    {
        ArgumentsMaximum = 0,
        Options =
        [
            new("since", "From this time on (default: now)") { Value = "TIME" },
            new("until", "End at this time") { Value = "TIME" },
            CommandContext.OutputOption,
        ],
        Examples = [("events --since 10m --until 0s", "the last ten minutes")],
        Run = invocation =>
        {
            bool asJson = invocation.WantsJson();
            using var client = invocation.Connect();
            string target = Routes.Query(Routes.Events, ("since", Times.Parse(invocation, "since")), ("until", Times.Parse(invocation, "until")));
            foreach (byte[] line in Lines.Read(client.Stream("GET", target).Body))
            {
                if (asJson)
                {
                    StandardStream.Output.Write([.. line, (byte)'\n']);
                    continue;
                }
                var happened = DaemonClient.Deserialize(line, Wire.Default.EventLine);
                string attributes = string.Join(", ", (happened.Attributes ?? new Dictionary<string, string>()).Select(pair => $"{pair.Key}={pair.Value}"));
                Writer.Line($"{happened.At.ToLocalTime():yyyy-MM-ddTHH:mm:ss.fffzzz} {happened.Kind} {happened.Action} {Human.ShortId(happened.ResourceId)}{(attributes.Length > 0 ? $" ({attributes})" : "")}");
            }
            return 0;
        },
    };

    private static int ListContainers(Invocation invocation)
    {
        using var client = invocation.Connect();
        var filters = ContainerFilter.Parse(invocation.Values("filter"));
        byte[] json = client.GetJson(Routes.Query(Routes.Containers, ("all", "true")));
        var every = DaemonClient.Deserialize(json, Wire.Default.IReadOnlyListContainer);
        filters.ResolveNames(every);
        int? last = invocation.Number("last", 1, int.MaxValue);
        bool all = invocation.Flag("all") || last is not null || filters.SelectsState;
        bool Shown(Container container) => (all || container.Status.State is ContainerState.Running or ContainerState.Paused or ContainerState.Restarting) && filters.Matches(container);

        var containers = every.Where(Shown)
            .OrderByDescending(container => container.CreatedAt).Take(last ?? int.MaxValue).ToList();
        if (invocation.WantsJson())
        {
            using var document = JsonDocument.Parse(json);
            var byId = document.RootElement.EnumerateArray().ToDictionary(element => element.GetProperty("id").GetString()!);
            Writer.JsonArray(containers.Select(container => byId[container.Id]));
            return 0;
        }
        bool whole = invocation.Flag("no-trunc");
        if (invocation.Flag("quiet"))
        {
            Writer.Out(string.Concat(containers.Select(container => (whole ? container.Id : Human.ShortId(container.Id)) + "\n")));
            return 0;
        }
        var now = TimeProvider.System.GetUtcNow();
        var table = new Table("CONTAINER ID", "IMAGE", "COMMAND", "CREATED", "STATUS", "NAME");
        foreach (var container in containers)
        {
            string command = $"\"{string.Join(' ', container.Process.Arguments)}\"";
            table.Add(
                whole ? container.Id : Human.ShortId(container.Id),
                container.Spec.Image,
                whole || command.Length <= CommandCharacters ? command : command[..(CommandCharacters - 2)] + "…\"",
                Human.Ago(container.CreatedAt, now),
                StatusText(container.Status, now),
                container.Name);
        }
        Writer.Out(table.ToString());
        return 0;
    }

    private const int CommandCharacters = 24;

    private static string StatusText(ContainerStatus status, DateTimeOffset now) => status.State switch
    {
        ContainerState.Running => $"Up {Human.Duration(now - (status.StartedAt ?? now))}",
        ContainerState.Paused => $"Up {Human.Duration(now - (status.StartedAt ?? now))} (Paused)",
        ContainerState.Exited => $"Exited ({status.ExitCode}) {Human.Ago(status.FinishedAt ?? now, now)}",
        ContainerState.Restarting => $"Restarting ({status.ExitCode}) {Human.Ago(status.FinishedAt ?? now, now)}",
        ContainerState.Removing => "Removal In Progress",
        var state => state.ToString(),
    };

    private static int ShowLogs(Invocation invocation)
    {
        string? tail = invocation.Value("tail");
        if (tail == "all")
            tail = null;
        else
            invocation.Number("tail", 0, int.MaxValue);
        using var client = invocation.Connect();
        bool timestamps = invocation.Flag("timestamps");
        using var stream = client.Upgrade("GET", Routes.Query(
            Routes.Container(invocation.Arguments[0], "logs"),
            ("follow", Routes.Flag(invocation.Flag("follow"))),
            ("tail", tail),
            ("since", Times.Parse(invocation, "since")),
            ("until", Times.Parse(invocation, "until")),
            ("timestamps", Routes.Flag(timestamps))));
        new Session(stream).Run();
        return 0;
    }

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}

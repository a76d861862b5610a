using System.Globalization;
using Candela.Controller.Api.Access;
using Candela.Docker.Http;
using Candela.Docker.Json;
using Candela.Identity.Authorization;
using Candela.Model;
using Subject = Candela.Docker.Http.Subject;

namespace Candela.Docker.Containers;

/// <summary><c>docker top</c>. The guest has no ps; its columns are made here of what the agent tells.</summary>
internal static class TopEndpoints
{
    private static readonly string[] FullFormat = ["UID", "PID", "PPID", "C", "STIME", "TTY", "TIME", "CMD"];

    public static void Map(DockerRoutes routes) => routes.Get("/containers/{name}/top", RouteAccess.Service(ResourceKind.Container, Verb.Get), TopAsync, Subject.Container);

    private static async Task TopAsync(DockerRequest request)
    {
        var columns = Columns(request.Query.Text("ps_args") ?? "-ef");
        var container = await request.Containers.GetAsync(request.Caller, request.Reference, request.Aborted);
        if (!ContainerView.IsRunning(container.Status.State))
            throw DockerException.Conflict($"container {container.Id} is not running");
        var processes = await request.Containers.ListProcessesAsync(request.Caller, container.Id, request.Aborted);
        var now = request.Services.Time.GetUtcNow();
        await request.WriteJsonAsync(
            new TopResponse(
                [.. columns.Select(static column => column.Title)],
                [.. processes.Select(process => (IReadOnlyList<string>)[.. columns.Select(column => Value(column.Key, process, now))])]),
            DockerJson.Default.TopResponse);
    }

    /// <summary>Columns of <c>-ef</c>, or of <c>-o</c> with names of ps(1).</summary>
    internal static List<(string Key, string Title)> Columns(string arguments)
    {
        var words = arguments.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var result = new List<(string, string)>();
        for (var i = 0; i < words.Length; i++)
        {
            var word = words[i];
            if (word is "-ef" or "-e" or "-f" or "-A" or "-eo" or "-Ao" or "-o" or "-A-o")
            {
                if (!word.EndsWith('o'))
                    continue;
                if (++i == words.Length)
                    throw DockerException.BadRequest($"ps_args: {word} needs a list of columns");
                foreach (var name in words[i].Split(',', StringSplitOptions.RemoveEmptyEntries))
                    result.Add(Column(name));
                continue;
            }

            throw DockerException.NotSupported($"ps option \"{word}\" (docker top; only -ef and -o with columns) is");
        }

        if (result.Count > 0)
        {
            return result.Any(static column => column.Item1 == "pid")
                ? result
                : throw DockerException.BadRequest("Couldn't find PID field in ps output");
        }

        return [.. FullFormat.Select(static title => (title.ToLowerInvariant(), title))];
    }

    private static (string Key, string Title) Column(string name)
    {
        var equals = name.IndexOf('=', StringComparison.Ordinal);
        var (key, title) = equals < 0 ? (name.ToLowerInvariant(), null) : (name[..equals].ToLowerInvariant(), name[(equals + 1)..]);
        var standard = key switch
        {
            "pid" => "PID",
            "ppid" => "PPID",
            "uid" => "UID",
            "user" or "euser" or "ruser" => "USER",
            "cmd" => "CMD",
            "args" or "command" => "COMMAND",
            "comm" => "COMMAND",
            "time" or "cputime" => "TIME",
            "etime" => "ELAPSED",
            "etimes" => "ELAPSED",
            "tty" or "tt" or "tname" => "TTY",
            "stime" or "start" => "STIME",
            "c" => "C",
            _ => throw DockerException.NotSupported($"ps column \"{key}\" (docker top) is"),
        };
        return (key, string.IsNullOrEmpty(title) ? standard : title);
    }

    private static string Value(string key, ProcessEntry process, DateTimeOffset now) => key switch
    {
        "pid" => Text(process.Pid),
        "ppid" => Text(process.ParentPid),
        "uid" => process.UserId == 0 ? "root" : process.UserId.ToString(CultureInfo.InvariantCulture),
        "user" or "euser" or "ruser" => process.UserId == 0 ? "root" : process.UserId.ToString(CultureInfo.InvariantCulture),
        "cmd" or "args" or "command" => process.Command,
        // In brackets: what has no command line, as ps(1) shows it.
        "comm" => process.Command is ['[', .., ']'] ? process.Command[1..^1] : Path.GetFileName(process.Command.Split(' ')[0]),
        "time" or "cputime" => process.CpuTime.ToString("hh\\:mm\\:ss", CultureInfo.InvariantCulture),
        "etimes" => ((long)Math.Max(0, (now - process.StartedAt).TotalSeconds)).ToString(CultureInfo.InvariantCulture),
        "etime" => Elapsed(now - process.StartedAt),
        "tty" or "tt" or "tname" => process.Terminal,
        "stime" or "start" => process.StartedAt.LocalDateTime.ToString(now - process.StartedAt < TimeSpan.FromDays(1) ? "HH:mm" : "MMMdd", CultureInfo.InvariantCulture),
        "c" => Text((int)Math.Min(99, 100 * process.CpuTime.TotalSeconds / Math.Max(1, (now - process.StartedAt).TotalSeconds))),
        _ => "",
    };

    private static string Elapsed(TimeSpan time) => time switch
    {
        { Ticks: < 0 } => "00:00",
        { TotalHours: < 1 } => time.ToString("mm\\:ss", CultureInfo.InvariantCulture),
        { TotalDays: < 1 } => time.ToString("hh\\:mm\\:ss", CultureInfo.InvariantCulture),
        _ => time.ToString("d\\-hh\\:mm\\:ss", CultureInfo.InvariantCulture),
    };

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}

using System.Globalization;
using Candela.Cli.Api;
using Candela.Cli.CommandLine;
using Candela.Cli.Containers;
using Candela.Cli.Http;
using Candela.Cli.Output;

namespace Candela.Cli.Commands;

/// <summary>machine, parent, task, version.</summary>
internal static class MachineCommands
{
    public static readonly Command Machine = new("machine", "This host")
    {
        Subcommands =
        [
            new("info", "Show the host, the microvisor's driver and why it was chosen")
            {
                ArgumentsMaximum = 0,
                Options = [CommandContext.OutputOption],
                Run = invocation => Tree.Show(invocation, Routes.Machine),
            },
        ],
    };

    public static readonly Command Parent = new("parent", "Parents: the paused VMs that containers are cloned from")
    {
        Subcommands =
        [
            new("ls", "List parents")
            {
                ArgumentsMaximum = 0,
                Options = [CommandContext.OutputOption],
                Run = ListParents,
            },
            new("create", "Make the parent of a size ahead of need")
            {
                ArgumentsMaximum = 0,
                Options = [new("cpus", "vCPUs (default 1)") { Value = "NUMBER" }, new("memory", "Memory (default 512m)") { Letter = 'm', Value = "SIZE" }],
                Examples = [("parent create --cpus 2 --memory 2g", "")],
                Run = CreateParent,
            },
            new("rm", "Remove parents; they are made anew on next need")
            {
                Arguments = "PARENT [PARENT...]",
                ArgumentsMinimum = 1,
                ArgumentCompletes = [Completes.Parents],
                Run = invocation =>
                {
                    using var client = invocation.Connect();
                    return CommandContext.ForEach(invocation.Arguments, key => client.Delete(Routes.Parent(key)));
                },
            },
        ],
    };

    public static readonly Command Task = new("task", "Long operations")
    {
        Subcommands =
        [
            new("ls", "List tasks")
            {
                ArgumentsMaximum = 0,
                Options = [CommandContext.OutputOption],
                Run = ListTasks,
            },
        ],
    };

    public static readonly Command Version = new("version", "Show the versions of this program and of the daemon")
    {
        ArgumentsMaximum = 0,
        Run = invocation =>
        {
            Writer.Line($"candela {Program.Version}");
            try
            {
                using var client = invocation.Connect();
                Writer.Line($"candelad {client.Get(Routes.Status, Wire.Default.StatusAnswer).Version}");
            }
            catch (DaemonUnreachableException)
            {
                Writer.Line("candelad does not run");
            }
            return 0;
        },
    };

    private static int ListParents(Invocation invocation)
    {
        using var client = invocation.Connect();
        byte[] json = client.GetJson(Routes.Parents);
        if (invocation.WantsJson())
        {
            Writer.Json(json);
            return 0;
        }
        var now = TimeProvider.System.GetUtcNow();
        var table = new Table("PARENT", "VCPUS", "MEMORY", "USED", "WAITING", "CREATED");
        foreach (var parent in DaemonClient.Deserialize(json, Wire.Default.IReadOnlyListParentRow))
        {
            table.Add(parent.Key, Number(parent.Size.VCpus), Human.Memory(parent.Size.MemoryBytes), Human.Memory(parent.MemoryBytes),
                Number(parent.Waiting), parent.CreatedAt is { } created ? Human.Ago(created, now) : "");
        }
        Writer.Out(table.ToString());
        return 0;
    }

    private static int CreateParent(Invocation invocation)
    {
        using var client = invocation.Connect();
        var request = new ParentRequest(
            invocation.Number("cpus", 1, Model.Limits.VCpuCount) ?? 1,
            SpecOptions.ParseSize("memory", invocation.Value("memory") ?? "512m"));
        Writer.Line(client.Post(Routes.Parents, request, Wire.Default.ParentRequest, Wire.Default.ParentRow).Key);
        return 0;
    }

    private static int ListTasks(Invocation invocation)
    {
        using var client = invocation.Connect();
        byte[] json = client.GetJson(Routes.Tasks);
        if (invocation.WantsJson())
        {
            Writer.Json(json);
            return 0;
        }
        var now = TimeProvider.System.GetUtcNow();
        var table = new Table("TASK", "KIND", "OF", "STATE", "PROGRESS", "CREATED", "MESSAGE");
        foreach (var task in DaemonClient.Deserialize(json, Wire.Default.IReadOnlyListTaskRow))
        {
            table.Add(Human.ShortId(task.Id), task.Kind ?? "", task.Subject ?? "", task.State ?? "",
                task.Progress is { } progress ? progress.ToString("0%", CultureInfo.InvariantCulture) : "",
                task.CreatedAt is { } created ? Human.Ago(created, now) : "", task.Message ?? "");
        }
        Writer.Out(table.ToString());
        return 0;
    }

    private static string Number(long number) => number.ToString(CultureInfo.InvariantCulture);
}

using System.Globalization;
using System.Text;
using System.Text.Json;
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
                Run = invocation => ShowTree(invocation, Routes.Machine),
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

    /// <summary>An object as an indented list of names and values.</summary>
    private static int ShowTree(Invocation invocation, string target)
    {
        using var client = invocation.Connect();
        byte[] json = client.GetJson(target);
        if (invocation.WantsJson())
        {
            Writer.Json(json);
            return 0;
        }
        using var document = JsonDocument.Parse(json);
        var text = new StringBuilder();
        Append(text, document.RootElement, indent: 0);
        Writer.Out(text.ToString());
        return 0;
    }

    private static void Append(StringBuilder text, JsonElement element, int indent)
    {
        foreach (var property in element.EnumerateObject())
        {
            text.Append(' ', indent).Append(Words(property.Name)).Append(':');
            switch (property.Value.ValueKind)
            {
                case JsonValueKind.Object:
                    text.Append('\n');
                    Append(text, property.Value, indent + 2);
                    break;
                case JsonValueKind.Array:
                    text.Append('\n');
                    foreach (var item in property.Value.EnumerateArray())
                    {
                        if (item.ValueKind == JsonValueKind.Object)
                            Append(text, item, indent + 2);
                        else
                            text.Append(' ', indent + 2).Append("- ").Append(item).Append('\n');
                    }
                    break;
                case JsonValueKind.Number when property.Name.EndsWith("Bytes", StringComparison.Ordinal):
                    text.Append(' ').Append(Human.Memory(property.Value.GetInt64())).Append('\n');
                    break;
                default:
                    text.Append(' ').Append(property.Value).Append('\n');
                    break;
            }
        }
    }

    /// <summary><c>memoryBytes</c> → <c>Memory</c>, <c>guestVersion</c> → <c>Guest version</c>.</summary>
    private static string Words(string name)
    {
        if (name.EndsWith("Bytes", StringComparison.Ordinal))
            name = name[..^"Bytes".Length];
        var words = new StringBuilder();
        foreach (char letter in name)
        {
            if (words.Length == 0)
                words.Append(char.ToUpperInvariant(letter));
            else if (char.IsUpper(letter))
                words.Append(' ').Append(char.ToLowerInvariant(letter));
            else
                words.Append(letter);
        }
        return words.ToString();
    }

    private static string Number(long number) => number.ToString(CultureInfo.InvariantCulture);
}

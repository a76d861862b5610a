using Candela.Cli.Api;
using Candela.Cli.CommandLine;
using Candela.Cli.Http;
using Candela.Cli.Output;
using Candela.Model.Networking;

namespace Candela.Cli.Commands.Networks;

/// <summary>security-group.</summary>
internal static class SecurityGroupCommands
{
    private static readonly Option LabelOption = new("label", "A label that members have, all of them; none makes every container a member") { Letter = 'l', Value = "KEY=VALUE", Repeatable = true };

    private static readonly Option DescriptionOption = new("description", "What it is for") { Value = "TEXT" };

    public static readonly Command SecurityGroup = new("security-group", "Security groups: containers by their labels, for network policies")
    {
        Aliases = ["sg"],
        Subcommands =
        [
            new("ls", "List security groups")
            {
                ArgumentsMaximum = 0,
                Options = [new("quiet", "Only names") { Letter = 'q' }, CommandContext.OutputOption],
                Run = List,
            },
            new("show", "Show a security group")
            {
                Arguments = "GROUP",
                ArgumentsMinimum = 1,
                ArgumentsMaximum = 1,
                ArgumentCompletes = [Completes.SecurityGroups],
                Options = [CommandContext.OutputOption],
                Run = invocation => Tree.Show(invocation, NetworkRoutes.SecurityGroup(invocation.Arguments[0])),
            },
            new("create", "Create a security group")
            {
                Arguments = "NAME",
                ArgumentsMinimum = 1,
                ArgumentsMaximum = 1,
                Options = [LabelOption, DescriptionOption],
                Examples = [("security-group create web --label tier=web", "containers made with --label tier=web")],
                Run = invocation =>
                {
                    using var client = invocation.Connect();
                    var spec = new SecurityGroupSpec { Name = invocation.Arguments[0], Description = invocation.Value("description"), Labels = PolicyOptions.Labels(invocation.Values("label")) };
                    Writer.Line(client.Post(NetworkRoutes.SecurityGroups, spec, Wire.Default.SecurityGroupSpec, Wire.Default.SecurityGroup).Name);
                    return 0;
                },
            },
            new("set", "Change which containers are members; enforced when the command ends")
            {
                Arguments = "GROUP",
                ArgumentsMinimum = 1,
                ArgumentsMaximum = 1,
                ArgumentCompletes = [Completes.SecurityGroups],
                Options = [LabelOption with { Help = "All labels that members have from now on; repeatable" }, DescriptionOption],
                Run = Update,
            },
            new("rm", "Remove security groups that no policy speaks of")
            {
                Arguments = "GROUP [GROUP...]",
                ArgumentsMinimum = 1,
                ArgumentCompletes = [Completes.SecurityGroups],
                Run = invocation =>
                {
                    using var client = invocation.Connect();
                    return CommandContext.ForEach(invocation.Arguments, name => client.Delete(NetworkRoutes.SecurityGroup(name)));
                },
            },
            new("members", "List the connected containers that are members")
            {
                Arguments = "GROUP",
                ArgumentsMinimum = 1,
                ArgumentsMaximum = 1,
                ArgumentCompletes = [Completes.SecurityGroups],
                Options = [CommandContext.OutputOption],
                Run = ListMembers,
            },
        ],
    };

    private static int List(Invocation invocation)
    {
        using var client = invocation.Connect();
        byte[] json = client.GetJson(NetworkRoutes.SecurityGroups);
        if (invocation.WantsJson())
        {
            Writer.Json(json);
            return 0;
        }
        var groups = DaemonClient.Deserialize(json, Wire.Default.IReadOnlyListSecurityGroup);
        if (invocation.Flag("quiet"))
        {
            Writer.Out(string.Concat(groups.Select(group => group.Name + "\n")));
            return 0;
        }
        var table = new Table("NAME", "LABELS", "DESCRIPTION");
        foreach (var group in groups)
            table.Add(group.Name, group.Labels.Count == 0 ? "(every container)" : string.Join(' ', group.Labels.Select(label => $"{label.Key}={label.Value}")), group.Description ?? "");
        Writer.Out(table.ToString());
        return 0;
    }

    private static int Update(Invocation invocation)
    {
        using var client = invocation.Connect();
        var group = client.Get(NetworkRoutes.SecurityGroup(invocation.Arguments[0]), Wire.Default.SecurityGroup);
        var spec = new SecurityGroupSpec
        {
            Name = group.Name,
            Description = invocation.Value("description") ?? group.Description,
            Labels = invocation.Has("label") ? PolicyOptions.Labels(invocation.Values("label")) : group.Labels,
            Revision = group.Revision,
        };
        client.Put(NetworkRoutes.SecurityGroup(group.Name), spec, Wire.Default.SecurityGroupSpec);
        return 0;
    }

    private static int ListMembers(Invocation invocation)
    {
        using var client = invocation.Connect();
        byte[] json = client.GetJson(NetworkRoutes.SecurityGroup(invocation.Arguments[0], "members"));
        if (invocation.WantsJson())
            Writer.Json(json);
        else
            Writer.Out(string.Concat(DaemonClient.Deserialize(json, Wire.Default.IReadOnlyListString).Select(name => name + "\n")));
        return 0;
    }
}

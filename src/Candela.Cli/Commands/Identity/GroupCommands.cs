using System.Globalization;
using Candela.Cli.Api;
using Candela.Cli.CommandLine;
using Candela.Cli.Output;
using Candela.Model;
using Candela.Model.Identity;

namespace Candela.Cli.Commands.Identity;

/// <summary>group.</summary>
internal static class GroupCommands
{
    public static readonly Command Group = new("group", "Groups of accounts and of other groups")
    {
        Subcommands =
        [
            new("ls", "List groups")
            {
                ArgumentsMaximum = 0,
                Options = [AccountCommands.DomainOption, new("quiet", "Only names") { Letter = 'q' }, CommandContext.OutputOption],
                Run = List,
            },
            new("create", "Create a group")
            {
                Arguments = "NAME[@DOMAIN]",
                ArgumentsMinimum = 1,
                ArgumentsMaximum = 1,
                Options = [new("description", "What it is for") { Value = "TEXT" }, new("gid", "Unix group number (default: allotted)") { Value = "NUMBER" }],
                Run = Create,
            },
            new("show", "Show a group")
            {
                Arguments = "NAME[@DOMAIN]",
                ArgumentCompletes = [Completes.Groups],
                ArgumentsMinimum = 1,
                ArgumentsMaximum = 1,
                Options = [CommandContext.OutputOption],
                Run = invocation => Tree.Show(invocation, IdentityRoutes.Entry(IdentityRoutes.Groups, invocation.Arguments[0])),
            },
            new("set", "Change or rename a group; an empty value takes away")
            {
                Arguments = "NAME[@DOMAIN]",
                ArgumentCompletes = [Completes.Groups],
                ArgumentsMinimum = 1,
                ArgumentsMaximum = 1,
                Options =
                [
                    new("name", "Another name") { Value = "NAME" },
                    new("description", "What it is for") { Value = "TEXT" },
                    new("gid", "Unix group number") { Value = "NUMBER" },
                    new("enabled", "Confers its rights, or with false nothing") { Value = "BOOL", Completes = Completes.Words, Words = ["true", "false"] },
                ],
                Run = Update,
            },
            new("rm", "Remove groups with their memberships and bindings")
            {
                Arguments = "NAME[@DOMAIN] [NAME[@DOMAIN]...]",
                ArgumentCompletes = [Completes.Groups],
                ArgumentsMinimum = 1,
                Run = invocation =>
                {
                    using var client = invocation.Connect();
                    return CommandContext.ForEach(invocation.Arguments, reference => client.Delete(IdentityRoutes.Entry(IdentityRoutes.Groups, reference)));
                },
            },
            new("members", "List the direct members of a group")
            {
                Arguments = "NAME[@DOMAIN]",
                ArgumentCompletes = [Completes.Groups],
                ArgumentsMinimum = 1,
                ArgumentsMaximum = 1,
                Options = [CommandContext.OutputOption],
                Run = ListMembers,
            },
            MemberCommand("add", "Take members into a group", (client, target) => client.Put(target)),
            MemberCommand("remove", "Take members out of a group", (client, target) => client.Delete(target)),
        ],
    };

    private static Command MemberCommand(string name, string summary, Action<Http.DaemonClient, string> change) => new(name, summary)
    {
        Arguments = "GROUP[@DOMAIN] MEMBER [MEMBER...]",
        ArgumentCompletes = [Completes.Groups],
        ArgumentsMinimum = 2,
        Description = "A member is a user's name, or group:NAME or service-account:NAME, of the group's own domain.",
        Examples = [($"group {name} developers@acme ada group:testers", "")],
        Run = invocation =>
        {
            using var client = invocation.Connect();
            return CommandContext.ForEach(invocation.Arguments.Skip(1), member =>
            {
                string subject = member.Contains(':', StringComparison.Ordinal) ? member : "user:" + member;
                CommandContext.Tolerate(ErrorCode.NotModified, () =>
                    change(client, IdentityRoutes.Entry(IdentityRoutes.Groups, invocation.Arguments[0], "members/" + Uri.EscapeDataString(subject))));
            });
        },
    };

    private static int List(Invocation invocation)
    {
        using var client = invocation.Connect();
        var groups = AccountCommands.ReadAll(client, IdentityRoutes.Groups, invocation.Value("domain"), Wire.Default.IReadOnlyListGroupReport, group => group.Name);
        if (invocation.WantsJson())
        {
            Writer.Json(System.Text.Json.JsonSerializer.SerializeToUtf8Bytes(groups, Wire.Default.IReadOnlyListGroupReport));
            return 0;
        }
        if (invocation.Flag("quiet"))
        {
            Writer.Out(string.Concat(groups.Select(group => group.Name + "\n")));
            return 0;
        }
        var now = TimeProvider.System.GetUtcNow();
        var table = new Table("NAME", "MEMBERS", "IN GROUPS", "STATE", "CREATED", "DESCRIPTION");
        foreach (var group in groups)
        {
            table.Add(group.Name, group.MemberCount.ToString(CultureInfo.InvariantCulture), string.Join(',', group.Groups), group.Enabled ? "enabled" : "disabled",
                Human.Ago(group.CreatedAt, now), group.Description ?? "");
        }
        Writer.Out(table.ToString());
        return 0;
    }

    private static int Create(Invocation invocation)
    {
        var (name, domain) = IdentityRoutes.Split(invocation.Arguments[0]);
        using var client = invocation.Connect();
        var made = client.Post(
            Routes.Query(IdentityRoutes.Groups, ("domain", domain)),
            new CreateGroupRequest { Name = name, Description = invocation.Value("description"), GidNumber = (uint?)invocation.Number("gid", 1, int.MaxValue - 1) },
            Wire.Default.CreateGroupRequest,
            Wire.Default.GroupReport);
        Writer.Line($"{made.Name}@{made.Domain}");
        return 0;
    }

    private static int Update(Invocation invocation)
    {
        using var client = invocation.Connect();
        var request = new UpdateGroupRequest
        {
            Name = invocation.Value("name"),
            Description = invocation.Value("description"),
            GidNumber = (uint?)invocation.Number("gid", 1, int.MaxValue - 1),
            Enabled = invocation.Has("enabled") ? invocation.Flag("enabled") : null,
        };
        client.Patch(IdentityRoutes.Entry(IdentityRoutes.Groups, invocation.Arguments[0]), request, Wire.Default.UpdateGroupRequest);
        return 0;
    }

    private static int ListMembers(Invocation invocation)
    {
        using var client = invocation.Connect();
        byte[] json = client.GetJson(IdentityRoutes.Entry(IdentityRoutes.Groups, invocation.Arguments[0], "members"));
        if (invocation.WantsJson())
        {
            Writer.Json(json);
            return 0;
        }
        var table = new Table("MEMBER", "STATE", "ID");
        foreach (var member in Http.DaemonClient.Deserialize(json, Wire.Default.IReadOnlyListMemberReport))
            table.Add(member.Subject, member.Enabled ? "enabled" : "disabled", member.Id.ToString());
        Writer.Out(table.ToString());
        return 0;
    }
}

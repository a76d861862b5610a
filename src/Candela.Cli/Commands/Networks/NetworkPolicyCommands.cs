using System.Globalization;
using Candela.Cli.Api;
using Candela.Cli.CommandLine;
using Candela.Cli.Http;
using Candela.Cli.Output;
using Candela.Model.Networking;

namespace Candela.Cli.Commands.Networks;

/// <summary>network-policy.</summary>
internal static class NetworkPolicyCommands
{
    private static readonly Option[] Described =
    [
        new("direction", "ingress: what the subjects are sent; egress: what they send") { Value = "SIDE", Completes = Completes.Words, Words = ["ingress", "egress"] },
        new("action", "allow or deny") { Value = "ACTION", Completes = Completes.Words, Words = ["allow", "deny"] },
        new("priority", "0 (first) to 65535 (last); of equal ones a denying one decides (default 1000)") { Value = "NUMBER" },
        new("for", "A subject: whom it is about; repeatable (default: every container)") { Value = "SUBJECT", Repeatable = true },
        new("peer", "A peer: the other side; repeatable (default: everybody)") { Value = "PEER", Repeatable = true },
        new("service", "What is spoken; repeatable (default: everything)") { Letter = 's', Value = "SERVICE", Repeatable = true },
        new("logged", "Whether flows that it decides go to the flow log (default true)") { Value = "BOOL", Completes = Completes.Words, Words = ["true", "false"] },
        new("description", "What it is for") { Value = "TEXT" },
    ];

    public static readonly Command NetworkPolicy = new("network-policy", "Network policies: which containers may talk to whom")
    {
        Aliases = ["np"],
        Subcommands =
        [
            new("ls", "List network policies in the order in which they decide")
            {
                ArgumentsMaximum = 0,
                Options = [new("quiet", "Only names") { Letter = 'q' }, CommandContext.OutputOption],
                Run = List,
            },
            new("show", "Show a network policy")
            {
                Arguments = "POLICY",
                ArgumentsMinimum = 1,
                ArgumentsMaximum = 1,
                ArgumentCompletes = [Completes.NetworkPolicies],
                Options = [CommandContext.OutputOption],
                Run = invocation => Tree.Show(invocation, NetworkRoutes.NetworkPolicy(invocation.Arguments[0])),
            },
            new("create", "Create a network policy; enforced when the command ends, for open connections, too")
            {
                Arguments = "NAME",
                ArgumentsMinimum = 1,
                ArgumentsMaximum = 1,
                Options = Described,
                Description = PolicyOptions.Help,
                Examples =
                [
                    ("network-policy create db-from-web --direction ingress --action allow --for group:db --peer group:web --service tcp:5432 --priority 100", ""),
                    ("network-policy create db-closed --direction ingress --action deny --for group:db --priority 200", ""),
                ],
                Run = Create,
            },
            new("set", "Change what is given of a network policy")
            {
                Arguments = "POLICY",
                ArgumentsMinimum = 1,
                ArgumentsMaximum = 1,
                ArgumentCompletes = [Completes.NetworkPolicies],
                Options = Described,
                Description = PolicyOptions.Help,
                Run = Update,
            },
            new("rm", "Remove network policies")
            {
                Arguments = "POLICY [POLICY...]",
                ArgumentsMinimum = 1,
                ArgumentCompletes = [Completes.NetworkPolicies],
                Run = invocation =>
                {
                    using var client = invocation.Connect();
                    return CommandContext.ForEach(invocation.Arguments, name => client.Delete(NetworkRoutes.NetworkPolicy(name)));
                },
            },
            new("default", "Show or change what holds where no policy decides")
            {
                Arguments = "[open|closed]",
                ArgumentsMaximum = 1,
                Options = [new("host-access", "Whether containers may talk to services of the host") { Value = "BOOL", Completes = Completes.Words, Words = ["true", "false"] }, CommandContext.OutputOption],
                Description = "open: containers of one segment, and of segments with a route, may talk, and to the outside if the segment is not internal. closed: nothing may talk that no policy allows.",
                Run = Default,
            },
        ],
    };

    private static int List(Invocation invocation)
    {
        using var client = invocation.Connect();
        byte[] json = client.GetJson(NetworkRoutes.NetworkPolicies);
        if (invocation.WantsJson())
        {
            Writer.Json(json);
            return 0;
        }
        var policies = DaemonClient.Deserialize(json, Wire.Default.IReadOnlyListNetworkPolicy);
        if (invocation.Flag("quiet"))
        {
            Writer.Out(string.Concat(policies.Select(policy => policy.Name + "\n")));
            return 0;
        }
        var table = new Table("NAME", "DIRECTION", "PRIORITY", "ACTION", "FOR", "PEERS", "SERVICES");
        foreach (var policy in policies)
        {
            table.Add(policy.Name, policy.Direction.ToString().ToLowerInvariant(), policy.Priority.ToString(CultureInfo.InvariantCulture), policy.Action.ToString().ToLowerInvariant(),
                PolicyOptions.List(policy.Subjects.Select(PolicyOptions.Text)), PolicyOptions.List(policy.Peers.Select(PolicyOptions.Text)), PolicyOptions.List(policy.Services.Select(PolicyOptions.Text)));
        }
        Writer.Out(table.ToString());
        return 0;
    }

    private static int Create(Invocation invocation)
    {
        using var client = invocation.Connect();
        if (!invocation.Has("direction") || !invocation.Has("action"))
            throw new UsageException("a network policy needs --direction ingress or egress, and --action allow or deny");
        var spec = Changed(invocation, new NetworkPolicySpec { Name = invocation.Arguments[0], Direction = default, Action = default });
        Writer.Line(client.Post(NetworkRoutes.NetworkPolicies, spec, Wire.Default.NetworkPolicySpec, Wire.Default.NetworkPolicy).Name);
        return 0;
    }

    private static int Update(Invocation invocation)
    {
        using var client = invocation.Connect();
        var policy = client.Get(NetworkRoutes.NetworkPolicy(invocation.Arguments[0]), Wire.Default.NetworkPolicy);
        var spec = Changed(invocation, new NetworkPolicySpec
        {
            Name = policy.Name,
            Description = policy.Description,
            Direction = policy.Direction,
            Action = policy.Action,
            Priority = policy.Priority,
            Subjects = policy.Subjects,
            Peers = policy.Peers,
            Services = policy.Services,
            Logged = policy.Logged,
            Revision = policy.Revision,
        });
        client.Put(NetworkRoutes.NetworkPolicy(policy.Name), spec, Wire.Default.NetworkPolicySpec);
        return 0;
    }

    private static NetworkPolicySpec Changed(Invocation invocation, NetworkPolicySpec spec) => spec with
    {
        Description = invocation.Value("description") ?? spec.Description,
        Direction = Word(invocation, "direction", spec.Direction),
        Action = Word(invocation, "action", spec.Action),
        Priority = invocation.Number("priority", 0, NetworkPolicyLimits.PriorityMaximum) ?? spec.Priority,
        Subjects = invocation.Has("for") ? PolicyOptions.Peers(invocation.Values("for")) : spec.Subjects,
        Peers = invocation.Has("peer") ? PolicyOptions.Peers(invocation.Values("peer")) : spec.Peers,
        Services = invocation.Has("service") ? PolicyOptions.Services(invocation.Values("service")) : spec.Services,
        Logged = Bool(invocation, "logged", spec.Logged),
    };

    private static int Default(Invocation invocation)
    {
        using var client = invocation.Connect();
        var settings = client.Get(NetworkRoutes.Networking, Wire.Default.ProjectNetworking);
        if (invocation.Arguments.Count == 0 && !invocation.Has("host-access"))
        {
            if (invocation.WantsJson())
                return Tree.Show(invocation, NetworkRoutes.Networking);
            Writer.Line($"{settings.Default.ToString().ToLowerInvariant()}{(settings.HostAccess ? ", with access to the host" : "")}");
            return 0;
        }
        var changed = settings with
        {
            Default = invocation.Arguments switch
            {
                [] => settings.Default,
                ["open"] => NetworkDefault.Open,
                ["closed"] => NetworkDefault.Closed,
                [var other, ..] => throw new UsageException($"the default is open or closed, not '{other}'"),
            },
            HostAccess = Bool(invocation, "host-access", settings.HostAccess),
        };
        client.Put(NetworkRoutes.Networking, changed, Wire.Default.ProjectNetworking);
        return 0;
    }

    private static T Word<T>(Invocation invocation, string option, T had)
        where T : struct, Enum =>
        invocation.Value(option) is not { } text ? had
        : text.Length > 0 && char.IsAsciiLetter(text[0]) && Enum.TryParse(text, ignoreCase: true, out T value) ? value
        : throw new UsageException($"--{option} is {string.Join(" or ", Enum.GetNames<T>()).ToLowerInvariant()}, not '{text}'");

    private static bool Bool(Invocation invocation, string option, bool had) => invocation.Value(option) switch
    {
        null => had,
        "true" => true,
        "false" => false,
        var other => throw new UsageException($"--{option} is true or false, not '{other}'"),
    };
}

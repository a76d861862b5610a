using System.Globalization;
using Candela.Cli.Api;
using Candela.Cli.CommandLine;
using Candela.Cli.Containers;
using Candela.Cli.Http;
using Candela.Cli.Output;
using Candela.Cli.Terminal;
using Candela.Model.Networking;

namespace Candela.Cli.Commands.Networks;

/// <summary>flow.</summary>
internal static class FlowCommands
{
    public static readonly Command Flow = new("flow", "Flows: who talked to whom, and what was dropped")
    {
        Subcommands =
        [
            new("log", "Show the flow log: first packets of flows, and packets that were dropped")
            {
                ArgumentsMaximum = 0,
                Options =
                [
                    new("follow", "Go on with what comes") { Letter = 'f' },
                    new("since", "Not before: a time (RFC 3339), Unix seconds or an age such as 10m") { Value = "TIME" },
                    new("until", "Not after: likewise") { Value = "TIME" },
                    new("outcome", "Only allowed, denied, unrouted or spoofed") { Value = "OUTCOME", Completes = Completes.Words, Words = ["allowed", "denied", "unrouted", "spoofed"] },
                    new("policy", "Only what this policy decided") { Value = "POLICY", Completes = Completes.NetworkPolicies },
                    new("container", "Only from or to this container") { Value = "CONTAINER", Completes = Completes.Containers },
                    new("limit", "Most entries of the past (default 1000, at most 10000)") { Letter = 'n', Value = "NUMBER" },
                    CommandContext.OutputOption,
                ],
                Description = "With --output json each entry is a line of JSON.",
                Examples = [("flow log -f --outcome denied", "what is dropped, as it happens"), ("flow log --container web --since 10m", "")],
                Run = ShowLog,
            },
            new("counters", "Show packets and bytes by policy and reason")
            {
                ArgumentsMaximum = 0,
                Options = [CommandContext.OutputOption],
                Run = ShowCounters,
            },
        ],
    };

    private static int ShowLog(Invocation invocation)
    {
        bool asJson = invocation.WantsJson();
        using var client = invocation.Connect();
        string target = Routes.Query(
            NetworkRoutes.Flows,
            ("since", Times.Parse(invocation, "since")),
            ("until", Times.Parse(invocation, "until")),
            ("outcome", invocation.Value("outcome") is { } text ? Outcome(text).ToString() : null),
            ("policy", invocation.Value("policy")),
            ("container", invocation.Value("container")),
            ("limit", invocation.Number("limit", 1, 10_000)?.ToString(CultureInfo.InvariantCulture)),
            ("follow", Routes.Flag(invocation.Flag("follow"))));
        foreach (byte[] line in Lines.Read(client.Stream("GET", target).Body))
        {
            if (asJson)
                StandardStream.Output.Write([.. line, (byte)'\n']);
            else
                Writer.Line(Text(DaemonClient.Deserialize(line, Wire.Default.FlowRecord)));
        }
        return 0;
    }

    private static int ShowCounters(Invocation invocation)
    {
        using var client = invocation.Connect();
        byte[] json = client.GetJson(NetworkRoutes.FlowCounters);
        if (invocation.WantsJson())
        {
            Writer.Json(json);
            return 0;
        }
        var table = new Table("REASON", "PACKETS", "BYTES");
        foreach (var counter in DaemonClient.Deserialize(json, Wire.Default.IReadOnlyListFlowCounter))
        {
            table.Add(counter.Policy is { } policy ? $"policy {policy}" : counter.Reason,
                counter.Packets.ToString(CultureInfo.InvariantCulture), counter.Bytes.ToString(CultureInfo.InvariantCulture));
        }
        Writer.Out(table.ToString());
        return 0;
    }

    private static FlowOutcome Outcome(string text) => char.IsAsciiLetter(text.FirstOrDefault()) && Enum.TryParse(text, ignoreCase: true, out FlowOutcome outcome)
        ? outcome
        : throw new UsageException($"--outcome is allowed, denied, unrouted or spoofed, not '{text}'");

    private static string Text(FlowRecord flow) => string.Create(CultureInfo.InvariantCulture,
        $"{flow.At.ToLocalTime():yyyy-MM-ddTHH:mm:ss.fffzzz} {flow.Outcome.ToString().ToLowerInvariant()} by {(flow.Policy is { } policy ? $"policy {policy}" : "default")}: {End(flow.Source)} -> {End(flow.Destination)} {flow.Protocol?.ToString().ToLowerInvariant() ?? "no IP"}{(flow.IcmpType is { } type ? $" type {type}" : "")}{(flow.SourceMac is { } mac ? $" from MAC {mac}" : "")}");

    private static string End(FlowEnd? end)
    {
        if (end is null)
            return "?";
        string address = end.Port is { } port ? string.Create(CultureInfo.InvariantCulture, $"{(end.Address.Contains(':', StringComparison.Ordinal) ? $"[{end.Address}]" : end.Address)}:{port}") : end.Address;
        return (end.Container ?? (end.ContainerId is { } id ? Human.ShortId(id) : null)) is { } name ? $"{name} ({address})" : address;
    }
}

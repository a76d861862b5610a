using Candela.Cli.Api;
using Candela.Cli.CommandLine;
using Candela.Cli.Http;
using Candela.Cli.Output;
using Candela.Model;
using Candela.Model.Networking;

namespace Candela.Cli.Commands.Networks;

/// <summary>segment.</summary>
internal static class SegmentCommands
{
    private const string RateHelp = "bytes per second, with k, m or g for powers of 1,024; 0 takes the limit away";

    private static readonly Option RouteOption = new("route", "Another segment that packets are routed to and from") { Value = "SEGMENT", Repeatable = true, Completes = Completes.Segments };

    private static readonly Option EgressOption = new("egress-rate", "Most that each container may send, " + RateHelp) { Value = "RATE" };

    private static readonly Option IngressOption = new("ingress-rate", "Most that each container may receive, " + RateHelp) { Value = "RATE" };

    public static readonly Command Segment = new("segment", "Segments: isolated networks of containers, which docker calls networks")
    {
        Subcommands =
        [
            new("ls", "List segments")
            {
                ArgumentsMaximum = 0,
                Options = [new("quiet", "Only names") { Letter = 'q' }, CommandContext.OutputOption],
                Run = List,
            },
            new("show", "Show a segment")
            {
                Arguments = "SEGMENT",
                ArgumentsMinimum = 1,
                ArgumentsMaximum = 1,
                ArgumentCompletes = [Completes.Segments],
                Options = [CommandContext.OutputOption],
                Run = invocation => Tree.Show(invocation, NetworkRoutes.Segment(invocation.Arguments[0])),
            },
            new("create", "Create a segment")
            {
                Arguments = "NAME",
                ArgumentsMinimum = 1,
                ArgumentsMaximum = 1,
                Options =
                [
                    new("subnet", "IPv4 network (default: one that nothing uses)") { Value = "NETWORK" },
                    new("gateway", "IPv4 gateway and name server (default: the first address)") { Value = "ADDRESS" },
                    new("ip-range", "Part of the network that addresses are given from") { Value = "NETWORK" },
                    new("ipv6", "Have IPv6, too"),
                    new("subnet6", "IPv6 network (default with --ipv6: a unique local one)") { Value = "NETWORK" },
                    new("gateway6", "IPv6 gateway (default: the first address)") { Value = "ADDRESS" },
                    new("internal", "No way to the outside and none in"),
                    RouteOption,
                    EgressOption,
                    IngressOption,
                    new("label", "A label") { Letter = 'l', Value = "KEY=VALUE", Repeatable = true },
                ],
                Examples = [("segment create front --ipv6", ""), ("segment create back --internal --route front --egress-rate 10m", "")],
                Run = Create,
            },
            new("set", "Change routes and rate limits, for what is connected, too")
            {
                Arguments = "SEGMENT",
                ArgumentsMinimum = 1,
                ArgumentsMaximum = 1,
                ArgumentCompletes = [Completes.Segments],
                Options =
                [
                    RouteOption with { Help = "All segments that packets are routed to and from, from now on; repeatable" },
                    new("no-routes", "No routes from now on"),
                    EgressOption,
                    IngressOption,
                ],
                Run = Update,
            },
            new("rm", "Remove segments that no container is connected to and no policy speaks of")
            {
                Arguments = "SEGMENT [SEGMENT...]",
                ArgumentsMinimum = 1,
                ArgumentCompletes = [Completes.Segments],
                Run = invocation =>
                {
                    using var client = invocation.Connect();
                    return CommandContext.ForEach(invocation.Arguments, reference => client.Delete(NetworkRoutes.Segment(reference)));
                },
            },
        ],
    };

    private static int List(Invocation invocation)
    {
        using var client = invocation.Connect();
        byte[] json = client.GetJson(NetworkRoutes.Segments);
        if (invocation.WantsJson())
        {
            Writer.Json(json);
            return 0;
        }
        var segments = DaemonClient.Deserialize(json, Wire.Default.IReadOnlyListContainerNetwork);
        if (invocation.Flag("quiet"))
        {
            Writer.Out(string.Concat(segments.Select(segment => segment.Name + "\n")));
            return 0;
        }
        var names = segments.ToDictionary(segment => segment.Id, segment => segment.Name);
        var table = new Table("NAME", "ID", "IPV4", "IPV6", "OUTSIDE", "ROUTES");
        foreach (var segment in segments)
        {
            table.Add(segment.Name, Human.ShortId(segment.Id), segment.Ipv4Subnet, segment.Ipv6Subnet ?? "", segment.IsInternal ? "no" : "yes",
                string.Join(' ', segment.Routes.Select(id => names.GetValueOrDefault(id, id))));
        }
        Writer.Out(table.ToString());
        return 0;
    }

    private static int Create(Invocation invocation)
    {
        using var client = invocation.Connect();
        var spec = new NetworkSpec
        {
            Name = invocation.Arguments[0],
            Ipv4Subnet = invocation.Value("subnet"),
            Ipv4Gateway = invocation.Value("gateway"),
            Ipv4Range = invocation.Value("ip-range"),
            EnableIpv6 = invocation.Flag("ipv6") || invocation.Has("subnet6"),
            Ipv6Subnet = invocation.Value("subnet6"),
            Ipv6Gateway = invocation.Value("gateway6"),
            IsInternal = invocation.Flag("internal"),
            Routes = invocation.Values("route"),
            EgressBytesPerSecond = Rate(invocation, "egress-rate") is > 0 and var egress ? egress : null,
            IngressBytesPerSecond = Rate(invocation, "ingress-rate") is > 0 and var ingress ? ingress : null,
            Labels = PolicyOptions.Labels(invocation.Values("label")),
        };
        Writer.Line(client.Post(NetworkRoutes.Segments, spec, Wire.Default.NetworkSpec, Wire.Default.ContainerNetwork).Name);
        return 0;
    }

    private static int Update(Invocation invocation)
    {
        using var client = invocation.Connect();
        var change = new SegmentChange
        {
            Routes = invocation.Flag("no-routes") ? [] : invocation.Has("route") ? invocation.Values("route") : null,
            EgressBytesPerSecond = Rate(invocation, "egress-rate"),
            IngressBytesPerSecond = Rate(invocation, "ingress-rate"),
        };
        client.Patch(NetworkRoutes.Segment(invocation.Arguments[0]), change, Wire.Default.SegmentChange);
        return 0;
    }

    private static long? Rate(Invocation invocation, string option)
    {
        if (invocation.Value(option) is not { } text)
            return null;
        int shift = text.Length == 0 ? 0 : char.ToLowerInvariant(text[^1]) switch { 'k' => 10, 'm' => 20, 'g' => 30, _ => 0 };
        return long.TryParse(shift == 0 ? text : text[..^1], System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out long number) && number <= NetworkPolicyLimits.RateMaximum
            ? number << shift
            : throw new UsageException($"--{option} takes {RateHelp}, not '{text}'");
    }
}

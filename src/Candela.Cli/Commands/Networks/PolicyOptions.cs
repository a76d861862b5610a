using System.Globalization;
using Candela.Cli.CommandLine;
using Candela.Model.Networking;

namespace Candela.Cli.Commands.Networks;

/// <summary>Labels, peers and services as users write them.</summary>
internal static class PolicyOptions
{
    public const string Help =
        "A subject is group:NAME, segment:NAME or workload:TENANT/PROJECT/NAME (NAME * for all of a project). A peer may also be cidr:NETWORK, with exceptions behind !, or for egress dns:NAME " +
        "(*.NAME for all below it). A service is tcp:80, udp:5000-5999, sctp:PORT, icmp:TYPE, icmp6:TYPE, or a protocol alone. The word any stands for an empty list: everybody, everything.";

    private const string Any = "any";

    public static Dictionary<string, string> Labels(IReadOnlyList<string> values)
    {
        var labels = new Dictionary<string, string>();
        foreach (string value in values)
        {
            int equals = value.IndexOf('=', StringComparison.Ordinal);
            labels[equals < 0 ? value : value[..equals]] = equals < 0 ? "" : value[(equals + 1)..];
        }

        return labels;
    }

    public static IReadOnlyList<NetworkPeer> Peers(IReadOnlyList<string> values) => values is [Any] ? [] : [.. values.Select(Peer)];

    public static IReadOnlyList<PolicyService> Services(IReadOnlyList<string> values) => values is [Any] ? [] : [.. values.Select(Service)];

    public static string Text(NetworkPeer peer) => peer switch
    {
        { Group: { } group } => "group:" + group,
        { Segment: { } segment } => "segment:" + segment,
        { Workload: { } workload } => "workload:" + workload,
        { Cidr: { } cidr } => "cidr:" + string.Join('!', [cidr, .. peer.Except]),
        _ => "dns:" + peer.DnsName,
    };

    public static string Text(PolicyService service)
    {
        string protocol = service.Protocol.ToString().ToLowerInvariant();
        return service switch
        {
            { IcmpType: { } type } => string.Create(CultureInfo.InvariantCulture, $"{protocol}:{type}"),
            { FirstPort: { } first, LastPort: { } last } when last != first => string.Create(CultureInfo.InvariantCulture, $"{protocol}:{first}-{last}"),
            { FirstPort: { } port } => string.Create(CultureInfo.InvariantCulture, $"{protocol}:{port}"),
            _ => protocol,
        };
    }

    /// <summary>A list for people; an empty one is everybody or everything.</summary>
    public static string List(IEnumerable<string> items) => string.Join(' ', items) is { Length: > 0 } text ? text : Any;

    private static NetworkPeer Peer(string text) => text.Split(':', 2) switch
    {
        ["group", var name] => new NetworkPeer { Group = name },
        ["segment", var name] => new NetworkPeer { Segment = name },
        ["workload", var name] => new NetworkPeer { Workload = name },
        ["dns", var name] => new NetworkPeer { DnsName = name },
        ["cidr", var network] => new NetworkPeer { Cidr = network.Split('!')[0], Except = network.Split('!')[1..] },
        _ => throw new UsageException($"'{text}' is no subject or peer: it must be like group:web, segment:front, workload:default/default/db, cidr:10.0.0.0/8!10.1.0.0/16 or dns:example.org"),
    };

    private static PolicyService Service(string text)
    {
        string[] parts = text.Split(':', 2);
        if (!Enum.TryParse(parts[0], ignoreCase: true, out NetworkProtocol protocol) || char.IsAsciiDigit(text[0]) || protocol == NetworkProtocol.Other)
            throw Bad(text);
        if (parts.Length == 1)
            return new PolicyService { Protocol = protocol };
        string[] ends = parts[1].Split('-', 2);
        int first = Number(ends[0], text);
        if (protocol is NetworkProtocol.Icmp or NetworkProtocol.Icmp6)
            return ends.Length == 1 ? new PolicyService { Protocol = protocol, IcmpType = first } : throw Bad(text);
        return new PolicyService { Protocol = protocol, FirstPort = first, LastPort = ends.Length == 1 ? null : Number(ends[1], text) };
    }

    private static int Number(string digits, string text) => int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out int number) ? number : throw Bad(text);

    private static UsageException Bad(string text) => new($"'{text}' is no service: it must be like tcp:80, udp:5000-5999, icmp:8 or tcp");
}

using System.Globalization;
using Candela.Model;

namespace Candela.Controller.Networks;

/// <summary>Ports that images and users say a container serves: <c>80</c>, <c>53/udp</c>, <c>8000-8010/tcp</c>.</summary>
internal static class ExposedPort
{
    private static readonly string[] Protocols = ["tcp", "udp", "sctp"];

    /// <summary>The single ports of an image and of a specification, as <c>80/tcp</c>.</summary>
    /// <exception cref="CandelaException">InvalidArgument: the specification's are malformed. An image's that are do not count.</exception>
    public static IReadOnlyList<string> Resolve(IReadOnlyList<string> image, ContainerSpec spec)
    {
        var ports = new SortedSet<(int Port, string Protocol)>();
        foreach (string text in image)
            ports.UnionWith(Parse(text) ?? []);
        foreach (string text in spec.ExposedPorts)
            ports.UnionWith(Parse(text) ?? throw new CandelaException(ErrorCode.InvalidArgument, $"invalid port {text} to expose: use 80, 53/udp or 8000-8010/tcp"));
        ports.UnionWith(spec.PublishedPorts.Select(static p => ((int)p.ContainerPort, p.Protocol)));
        return [.. ports.Take(Limits.PublishedPortCount).Select(static p => string.Create(CultureInfo.InvariantCulture, $"{p.Port}/{p.Protocol}"))];
    }

    /// <summary>A port that is exposed, published on one that is to be chosen.</summary>
    public static PortPublication Publication(string port)
    {
        string[] parts = port.Split('/');
        return new PortPublication(parts[1], ushort.Parse(parts[0], CultureInfo.InvariantCulture), null, 0);
    }

    private static IEnumerable<(int Port, string Protocol)>? Parse(string text)
    {
        string[] parts = text.Split('/');
        string protocol = parts.Length == 2 ? parts[1].ToLowerInvariant() : "tcp";
        string[] range = parts[0].Split('-');
        if (parts.Length > 2 || range.Length > 2 || !Protocols.Contains(protocol) || !Number(range[0], out ushort first) || !Number(range[^1], out ushort last) || last < first)
            return null;
        return Enumerable.Range(first, last - first + 1).Select(p => (p, protocol));
    }

    private static bool Number(string text, out ushort port) => ushort.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out port) && port > 0;
}

using System.Globalization;
using System.Net;
using Candela.Cli.CommandLine;
using Candela.Model;

namespace Candela.Cli.Containers;

/// <summary>Reads what <c>--publish</c> says, as docker's does.</summary>
internal static class PublishedPorts
{
    /// <summary>What is expected. A HOST or PORT may be a range, as 8000-8010; an IPv6 ADDRESS is in brackets.</summary>
    public const string Form = "[[ADDRESS:]HOST:]PORT[/PROTOCOL]";

    /// <summary>Ports, each with its own of the host; of a range of the host for one port a free one is chosen later.</summary>
    /// <exception cref="UsageException">The text is malformed.</exception>
    public static IEnumerable<PortPublication> Parse(string text)
    {
        int slash = text.LastIndexOf('/');
        (string ports, string protocol) = slash < 0 ? (text, "tcp") : (text[..slash], text[(slash + 1)..]);
        int colon = ports.LastIndexOf(':');
        string rest = colon < 0 ? "" : ports[..colon];
        int second = rest.LastIndexOf(':');
        string? address = second < 0 ? null : rest[..second].Trim('[', ']');
        string host = rest[(second + 1)..];
        if (Range(ports[(colon + 1)..]) is not var (first, last) || protocol is not ("tcp" or "udp" or "sctp") || (address is not null && !IPAddress.TryParse(address, out _)))
            throw Malformed(text);
        if (host.Length == 0)
            return Enumerable.Range(first, last - first + 1).Select(p => new PortPublication(protocol, (ushort)p, address, 0));
        if (Range(host) is not var (firstHost, lastHost))
            throw Malformed(text);
        if (first == last)
            return [new PortPublication(protocol, first, address, firstHost, lastHost == firstHost ? (ushort)0 : lastHost)];
        return last - first == lastHost - firstHost
            ? Enumerable.Range(0, last - first + 1).Select(i => new PortPublication(protocol, (ushort)(first + i), address, (ushort)(firstHost + i)))
            : throw new UsageException($"--publish: the ranges of '{text}' are not equally long");
    }

    private static (ushort First, ushort Last)? Range(string text)
    {
        string[] parts = text.Split('-', 2);
        return ushort.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out ushort first) && first > 0 &&
            ushort.TryParse(parts[^1], NumberStyles.None, CultureInfo.InvariantCulture, out ushort last) && last >= first ? (first, last) : null;
    }

    private static UsageException Malformed(string text) => new($"--publish takes {Form}, such as 8080:80 or 8000-8010:80, not '{text}'");
}

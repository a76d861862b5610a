using System.Globalization;
using Candela.Controller;
using Candela.Docker.Http;
using Candela.Model;

namespace Candela.Docker.Containers;

/// <summary>What a creation says of networks and ports.</summary>
internal sealed record NetworkWishes(string Mode, IReadOnlyList<NetworkAttachment> Networks, IReadOnlyList<PortPublication> Ports);

/// <summary>Turns Docker's network settings into <see cref="NetworkWishes"/>.</summary>
internal static class NetworkTranslation
{
    public static NetworkWishes Translate(CreateRequest request, HostConfigRequest host, string defaultNetwork)
    {
        PortPublication[] ports = [.. (host.PortBindings ?? []).SelectMany(static b => Publications(b.Key, b.Value ?? []))];
        string asked = request.NetworkDisabled == true ? "none" : host.NetworkMode ?? "";
        bool isPublic = ports.Length > 0 || host.PublishAllPorts == true || host.Links is { Count: > 0 };
        string mode = asked is "" or "default" ? isPublic ? INetworkService.DefaultName : defaultNetwork : asked;
        if (asked == "host" || asked.StartsWith("container:", StringComparison.Ordinal))
            throw DockerException.NotSupported($"--network {asked} (a container is a virtual machine and shares no network stack: connect both to one network) is");
        List<NetworkAttachment> attachments = [];
        foreach ((string name, EndpointRequest? endpoint) in request.NetworkingConfig?.EndpointsConfig ?? [])
        {
            string network = name is "default" ? mode : name;
            NetworkAttachment attachment = Attachment(network, endpoint);
            if (network is "none" or INetworkService.DefaultName && (attachment.Ipv4Address ?? attachment.Ipv6Address) is not null)
                throw DockerException.BadRequest($"invalid config for network {network}: user specified IP address is supported on user defined networks only");
            if (network != "none")
                attachments.Add(attachment);
        }

        string? mac = request.MacAddress is { Length: > 0 } text ? text : null;
        if (mode != "none" && (mac is not null || host.Links is { Count: > 0 }))
        {
            int first = Math.Max(attachments.FindIndex(a => a.Network == mode), 0);
            if (attachments.Count == 0)
                attachments.Add(new NetworkAttachment { Network = mode });
            NetworkAttachment attachment = attachments[first];
            attachments[first] = attachment with { MacAddress = attachment.MacAddress ?? mac, Links = [.. attachment.Links, .. host.Links ?? []] };
        }

        return new NetworkWishes(mode, attachments, ports);
    }

    /// <summary>How a container is connected to a network.</summary>
    public static NetworkAttachment Attachment(string network, EndpointRequest? endpoint)
    {
        if (endpoint?.DriverOpts is { Count: > 0 } options)
            throw DockerException.NotSupported($"the option {options.Keys.First()} of a connection (--driver-opt) is");
        if (endpoint?.IPAMConfig?.LinkLocalIPs is { Count: > 0 })
            throw DockerException.NotSupported("link-local addresses of choice (--link-local-ip) are");
        return new NetworkAttachment
        {
            Network = network,
            Aliases = endpoint?.Aliases ?? [],
            Ipv4Address = NullIfEmpty(endpoint?.IPAMConfig?.IPv4Address),
            Ipv6Address = NullIfEmpty(endpoint?.IPAMConfig?.IPv6Address),
            MacAddress = NullIfEmpty(endpoint?.MacAddress),
            Links = endpoint?.Links ?? [],
        };
    }

    private static string? NullIfEmpty(string? text) => string.IsNullOrEmpty(text) ? null : text;

    private static IEnumerable<PortPublication> Publications(string port, List<PortBindingRequest> bindings)
    {
        string[] parts = port.Split('/', 2);
        string protocol = parts.Length == 2 ? parts[1] : "tcp";
        if (!ushort.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out ushort containerPort) || containerPort == 0)
            throw DockerException.BadRequest($"invalid port specification: \"{port}\"");
        foreach (PortBindingRequest binding in bindings)
        {
            (ushort hostPort, ushort lastHostPort) = HostPorts(binding.HostPort ?? "");
            string? address = binding.HostIp is null or "" or "0.0.0.0" or "::" ? null : binding.HostIp;
            yield return new PortPublication(protocol, containerPort, address, hostPort, lastHostPort);
        }
    }

    // "", "8080", or "8000-8010" of which one is chosen.
    private static (ushort First, ushort Last) HostPorts(string text)
    {
        string[] range = text.Split('-', 2);
        ushort first = 0, last = 0;
        return (text.Length == 0 || ushort.TryParse(range[0], NumberStyles.None, CultureInfo.InvariantCulture, out first)) &&
            (range.Length == 1 || (ushort.TryParse(range[1], NumberStyles.None, CultureInfo.InvariantCulture, out last) && first > 0 && last >= first))
            ? (first, last) : throw DockerException.BadRequest($"invalid port specification: \"{text}\"");
    }
}

using System.Text.Json;
using Candela.Model;

namespace Candela.Docker.Containers;

/// <summary>Shows a container's networks and ports in Docker's shapes.</summary>
internal static class NetworkSettings
{
    public static NetworkSettingsView View(Container container)
    {
        NetworkEndpoint? first = container.Endpoints.Count > 0 ? container.Endpoints[0] : null;
        return new NetworkSettingsView
        {
            SandboxID = first?.PortId ?? "",
            Ports = Ports(container),
            EndpointID = first?.PortId ?? "",
            Gateway = first?.Ipv4Gateway ?? "",
            IPAddress = first?.Ipv4Address ?? "",
            IPPrefixLen = first?.Ipv4PrefixLength ?? 0,
            IPv6Gateway = first?.Ipv6Gateway ?? "",
            GlobalIPv6Address = first?.Ipv6Address ?? "",
            GlobalIPv6PrefixLen = first?.Ipv6PrefixLength ?? 0,
            MacAddress = first?.Mac ?? "",
            Networks = Networks(container),
        };
    }

    public static Dictionary<string, EndpointView> Networks(Container container) => container.Networks.Count == 0
        ? new Dictionary<string, EndpointView> { ["none"] = new EndpointView() }
        : container.Networks.ToDictionary(n => n.Network, n => View(n, container.Endpoints.FirstOrDefault(e => e.NetworkName == n.Network), container));

    private static EndpointView View(NetworkAttachment network, NetworkEndpoint? endpoint, Container container) => new()
    {
        IPAMConfig = Ipam(network),
        Links = network.Links.Count == 0 ? null : network.Links,
        Aliases = network.Aliases.Count == 0 ? null : network.Aliases,
        MacAddress = endpoint?.Mac ?? "",
        NetworkID = endpoint?.NetworkId ?? "",
        EndpointID = endpoint?.PortId ?? "",
        Gateway = endpoint is { IsInternal: false } ? endpoint.Ipv4Gateway ?? "" : "",
        IPAddress = endpoint?.Ipv4Address ?? "",
        IPPrefixLen = endpoint?.Ipv4PrefixLength ?? 0,
        IPv6Gateway = endpoint is { IsInternal: false } ? endpoint.Ipv6Gateway ?? "" : "",
        GlobalIPv6Address = endpoint?.Ipv6Address ?? "",
        GlobalIPv6PrefixLen = endpoint?.Ipv6PrefixLength ?? 0,
        DNSNames = endpoint is null ? null : [container.Name, .. endpoint.Aliases, container.Id[..12]],
    };

    // Exposed ports that are not published are there, too, with null.
    private static Dictionary<string, IReadOnlyList<PortBindingView>?> Ports(Container container)
    {
        if (container.Endpoints.Count == 0)
            return [];
        Dictionary<string, IReadOnlyList<PortBindingView>?> ports = Bindings(container.Published);
        foreach (string port in container.ExposedPorts)
            ports.TryAdd(port, null);
        return ports;
    }

    public static Dictionary<string, IReadOnlyList<PortBindingView>?> Bindings(IReadOnlyList<PortPublication> ports) => ports.GroupBy(static p => $"{p.ContainerPort}/{p.Protocol}")
        .ToDictionary(static g => g.Key, static g => (IReadOnlyList<PortBindingView>?)[.. g.SelectMany(static p => Addresses(p).Select(a => new PortBindingView(a, HostPort(p))))]);

    public static IReadOnlyList<PortSummary> Summary(Container container) => container.Endpoints.Count == 0 ? [] :
    [
        .. container.Published.SelectMany(static p => Addresses(p).Select(a => new PortSummary { IP = a, PrivatePort = p.ContainerPort, PublicPort = p.HostPort, Type = p.Protocol })),
        .. container.ExposedPorts.Where(e => !container.Published.Any(p => e == $"{p.ContainerPort}/{p.Protocol}")).Select(static e => e.Split('/'))
            .Select(static e => new PortSummary { PrivatePort = int.Parse(e[0], System.Globalization.CultureInfo.InvariantCulture), Type = e[1] }),
    ];

    private static string HostPort(PortPublication port) => port.HostPort == 0 ? "" : port.LastHostPort == 0 ? $"{port.HostPort}" : $"{port.HostPort}-{port.LastHostPort}";

    private static string[] Addresses(PortPublication port) => port.HostAddress is { } address ? [address] : ["0.0.0.0", "::"];

    private static JsonElement? Ipam(NetworkAttachment network)
    {
        var addresses = new Dictionary<string, string>();
        if (network.Ipv4Address is { } ipv4)
            addresses["IPv4Address"] = ipv4;
        if (network.Ipv6Address is { } ipv6)
            addresses["IPv6Address"] = ipv6;
        return addresses.Count == 0 ? null : JsonSerializer.SerializeToElement(addresses, Json.DockerJson.Default.DictionaryStringString);
    }
}

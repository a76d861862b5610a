using System.Text.Json;
using Candela.Docker.Networks;
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
            Ports = Bindings(container.Published),
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

    public static Dictionary<string, EndpointView> Networks(Container container)
    {
        ContainerSpec spec = container.Spec;
        if (container.Endpoints.Count == 0)
            return new Dictionary<string, EndpointView> { [spec.NetworkMode] = new EndpointView { NetworkID = spec.NetworkMode == "none" ? NetworkEndpoints.NoneId : "", IPAMConfig = Ipam(spec) } };
        return container.Endpoints.ToDictionary(e => e.NetworkName, e => new EndpointView
        {
            IPAMConfig = Ipam(spec),
            Aliases = e.Aliases.Count == 0 ? null : e.Aliases,
            MacAddress = e.Mac,
            NetworkID = e.NetworkId,
            EndpointID = e.PortId,
            Gateway = e.Ipv4Gateway ?? "",
            IPAddress = e.Ipv4Address ?? "",
            IPPrefixLen = e.Ipv4PrefixLength,
            IPv6Gateway = e.Ipv6Gateway ?? "",
            GlobalIPv6Address = e.Ipv6Address ?? "",
            GlobalIPv6PrefixLen = e.Ipv6PrefixLength,
            DNSNames = [container.Name, container.Id[..12], .. e.Aliases],
        });
    }

    public static Dictionary<string, IReadOnlyList<PortBindingView>?> Bindings(IReadOnlyList<PortPublication> ports) => ports.GroupBy(static p => $"{p.ContainerPort}/{p.Protocol}")
        .ToDictionary(static g => g.Key, static g => (IReadOnlyList<PortBindingView>?)[.. g.SelectMany(static p => Addresses(p).Select(a => new PortBindingView(a, p.HostPort == 0 ? "" : $"{p.HostPort}")))]);

    public static IReadOnlyList<PortSummary> Summary(Container container) =>
        [.. container.Published.SelectMany(static p => Addresses(p).Select(a => new PortSummary { IP = a, PrivatePort = p.ContainerPort, PublicPort = p.HostPort, Type = p.Protocol }))];

    private static string[] Addresses(PortPublication port) => port.HostAddress is { } address ? [address] : ["0.0.0.0", "::"];

    private static JsonElement? Ipam(ContainerSpec spec) => spec.NetworkIpv4Address is { } address
        ? JsonSerializer.SerializeToElement(new Dictionary<string, string> { ["IPv4Address"] = address }, Json.DockerJson.Default.DictionaryStringString)
        : null;
}

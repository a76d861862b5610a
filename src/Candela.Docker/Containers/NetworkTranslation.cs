using System.Globalization;
using System.Text.Json;
using Candela.Controller;
using Candela.Docker.Http;
using Candela.Model;

namespace Candela.Docker.Containers;

/// <summary>What a creation says of networks and ports.</summary>
internal sealed record NetworkWishes(string Mode, IReadOnlyList<string> Aliases, string? Ipv4Address, IReadOnlyList<PortPublication> Ports);

/// <summary>Turns Docker's network settings into <see cref="NetworkWishes"/>.</summary>
internal static class NetworkTranslation
{
    public static NetworkWishes Translate(CreateRequest request, HostConfigRequest host, string defaultNetwork)
    {
        PortPublication[] ports = [.. (host.PortBindings ?? []).SelectMany(static b => Publications(b.Key, b.Value ?? []))];
        string asked = request.NetworkDisabled == true ? "none" : host.NetworkMode ?? "";
        string mode = asked is "" or "default" ? ports.Length > 0 ? INetworkService.DefaultName : defaultNetwork : asked;
        if (asked == "host" || asked.StartsWith("container:", StringComparison.Ordinal))
            throw DockerException.NotSupported($"--network {asked} (a container is a virtual machine and shares no network stack: connect both to one network) is");
        var settings = request.NetworkingConfig?.EndpointsConfig ?? [];
        foreach (string network in settings.Keys.Where(n => n != asked && n != mode && n is not "default"))
            throw DockerException.NotSupported($"more than one network at once ({network} besides {mode}) are");
        List<string> aliases = [];
        string? address = null;
        foreach (var (name, value) in settings.Values.SelectMany(static s => s ?? []))
        {
            switch (name)
            {
                case "Aliases" when value.ValueKind == JsonValueKind.Array:
                    aliases.AddRange(value.EnumerateArray().Select(static a => a.GetString() ?? ""));
                    break;
                case "IPAMConfig" when value.ValueKind == JsonValueKind.Object:
                    address = value.TryGetProperty("IPv4Address", out JsonElement text) && text.GetString() is { Length: > 0 } ipv4 ? ipv4 : null;
                    break;
                case "Links" or "MacAddress" or "DriverOpts" when !Refusals.IsEmpty(value):
                    throw DockerException.NotSupported($"network settings ({name}) are");
            }
        }

        if (address is not null && mode is ("none" or INetworkService.DefaultName))
            throw DockerException.BadRequest("invalid config for network " + mode + ": user specified IP address is supported on user defined networks only");
        return new NetworkWishes(mode, aliases, address, ports);
    }

    private static IEnumerable<PortPublication> Publications(string port, List<PortBindingRequest> bindings)
    {
        string[] parts = port.Split('/', 2);
        string protocol = parts.Length == 2 ? parts[1] : "tcp";
        if (!ushort.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out ushort containerPort) || containerPort == 0)
            throw DockerException.BadRequest($"invalid port specification: \"{port}\"");
        foreach (PortBindingRequest binding in bindings)
        {
            ushort hostPort = 0;
            if (binding.HostPort is { Length: > 0 } text && !ushort.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out hostPort))
                throw DockerException.BadRequest($"invalid port specification: \"{text}\" (a range of host ports for one container port is not supported yet by Candela)");
            string? address = binding.HostIp is null or "" or "0.0.0.0" or "::" ? null : binding.HostIp;
            yield return new PortPublication(protocol, containerPort, address, hostPort);
        }
    }
}

using System.Text.Json;
using Candela.Docker.Containers;
using Candela.Docker.Json;

namespace Candela.Docker.Networks;

/// <summary>A network.</summary>
internal sealed record NetworkView
{
    public required string Name { get; init; }
    public required string Id { get; init; }
    public string Created { get; init; } = DockerTime.Zero;
    public string Scope { get; init; } = "local";
    public string Driver { get; init; } = "bridge";
    public bool EnableIPv4 { get; init; } = true;
    public bool EnableIPv6 { get; init; }
    public NetworkIpam IPAM { get; init; } = new();
    public bool Internal { get; init; }
    public bool Attachable { get; init; }
    public bool Ingress { get; init; }
    public NetworkConfigFrom ConfigFrom { get; init; } = new("");
    public bool ConfigOnly { get; init; }
    public Dictionary<string, NetworkContainer> Containers { get; init; } = [];
    public Dictionary<string, string> Options { get; init; } = [];
    public IReadOnlyDictionary<string, string> Labels { get; init; } = new Dictionary<string, string>();
}

/// <summary>A container that is connected to a network.</summary>
internal sealed record NetworkContainer(string Name, string EndpointID, string MacAddress, string IPv4Address, string IPv6Address);

/// <summary>Addresses of a network.</summary>
internal sealed record NetworkIpam
{
    public string Driver { get; init; } = "default";
    public Dictionary<string, string>? Options { get; init; }
    public IReadOnlyList<NetworkPool> Config { get; init; } = [];
}

/// <summary>A subnet of a network.</summary>
internal sealed record NetworkPool
{
    public string? Subnet { get; init; }
    public string? IPRange { get; init; }
    public string? Gateway { get; init; }
}

/// <summary>Template of a network.</summary>
internal sealed record NetworkConfigFrom(string Network);

/// <summary>Answer of prune.</summary>
internal sealed record NetworksPruned(IReadOnlyList<string>? NetworksDeleted);

/// <summary>Answer of create.</summary>
internal sealed record NetworkCreated(string Id, string Warning);

/// <summary>Body of create.</summary>
internal sealed class NetworkCreateRequest
{
    public string? Name { get; set; }
    public string? Driver { get; set; }
    public bool? Internal { get; set; }
    public string? Scope { get; set; }
    public bool? EnableIPv4 { get; set; }
    public bool? EnableIPv6 { get; set; }
    public bool? Ingress { get; set; }
    public bool? ConfigOnly { get; set; }
    public NetworkConfigSource? ConfigFrom { get; set; }
    public NetworkIpamRequest? IPAM { get; set; }
    public Dictionary<string, string?>? Options { get; set; }
    public Dictionary<string, string?>? Labels { get; set; }
}

/// <summary>A network whose settings another takes on.</summary>
internal sealed class NetworkConfigSource
{
    public string? Network { get; set; }
}

/// <summary>Body of connect.</summary>
internal sealed class NetworkConnectRequest
{
    public string? Container { get; set; }
    public EndpointRequest? EndpointConfig { get; set; }
}

/// <summary>Body of disconnect.</summary>
internal sealed class NetworkDisconnectRequest
{
    public string? Container { get; set; }
    public bool? Force { get; set; }
}

/// <summary>Addresses as asked for.</summary>
internal sealed class NetworkIpamRequest
{
    public string? Driver { get; set; }
    public List<NetworkPoolRequest>? Config { get; set; }
}

/// <summary>A subnet as asked for.</summary>
internal sealed class NetworkPoolRequest
{
    public string? Subnet { get; set; }
    public string? IPRange { get; set; }
    public string? Gateway { get; set; }
    public Dictionary<string, JsonElement>? AuxiliaryAddresses { get; set; }
}

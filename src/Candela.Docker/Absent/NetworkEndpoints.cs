using System.Text.Json;
using Candela.Docker.Filters;
using Candela.Docker.Http;
using Candela.Docker.Json;

namespace Candela.Docker.Absent;

/// <summary>A network.</summary>
internal sealed record NetworkView
{
    public required string Name { get; init; }
    public required string Id { get; init; }
    public string Created { get; init; } = DockerTime.Zero;
    public string Scope { get; init; } = "local";
    public string Driver { get; init; } = "null";
    public bool EnableIPv4 { get; init; } = true;
    public bool EnableIPv6 { get; init; }
    public NetworkIpam IPAM { get; init; } = new();
    public bool Internal { get; init; }
    public bool Attachable { get; init; }
    public bool Ingress { get; init; }
    public NetworkConfigFrom ConfigFrom { get; init; } = new("");
    public bool ConfigOnly { get; init; }
    public Dictionary<string, JsonElement> Containers { get; init; } = [];
    public Dictionary<string, string> Options { get; init; } = [];
    public Dictionary<string, string> Labels { get; init; } = [];
}

/// <summary>Addresses of a network.</summary>
internal sealed record NetworkIpam
{
    public string Driver { get; init; } = "default";
    public Dictionary<string, string>? Options { get; init; }
    public IReadOnlyList<JsonElement> Config { get; init; } = [];
}

/// <summary>Template of a network.</summary>
internal sealed record NetworkConfigFrom(string Network);

/// <summary>Answer of prune.</summary>
internal sealed record NetworksPruned(IReadOnlyList<string>? NetworksDeleted);

/// <summary>Networks: until there are any, the one called <c>none</c>, which is a container's own loopback.</summary>
internal static class NetworkEndpoints
{
    /// <summary>Id of the network <c>none</c>: the SHA-256 of its name.</summary>
    public const string NoneId = "140bedbf9c3f6d56a9846d2ba7088798683f4da0c248231336e6a05679e4fdfe";

    private static readonly NetworkView None = new() { Name = "none", Id = NoneId };

    public static void Map(DockerRoutes routes)
    {
        routes.Get("/networks", ListAsync);
        routes.Get("/networks/{name}", InspectAsync);
        routes.Post("/networks/create", static _ => throw NotYet());
        routes.Post("/networks/prune", static request =>
            request.WriteJsonAsync(new NetworksPruned(null), DockerJson.Default.NetworksPruned));
        routes.Post("/networks/{name}/connect", static _ => throw NotYet());
        routes.Post("/networks/{name}/disconnect", static _ => throw NotYet());
        routes.Delete("/networks/{name}", static request => throw (Names(request.Reference)
            ? new DockerException(403, "none is a pre-defined network and cannot be removed")
            : DockerException.NotFound($"network {request.Reference} not found")));
    }

    private static Task ListAsync(DockerRequest request)
    {
        var filters = FilterSet.Parse(request.Query, "dangling", "driver", "id", "label", "name", "scope", "type");
        var shown = filters.Any("name", static name => FilterSet.Matches(name, "none"))
            && filters.Any("id", static id => NoneId.StartsWith(id, StringComparison.Ordinal))
            && filters.Any("driver", static driver => driver == "null")
            && filters.Any("scope", static scope => scope == "local")
            && filters.Any("type", static type => type == "builtin")
            && filters.Flag("dangling") is not true
            && filters.Labels(None.Labels);
        return request.WriteJsonAsync(shown ? [None] : new List<NetworkView>(), DockerJson.Default.ListNetworkView);
    }

    private static Task InspectAsync(DockerRequest request) => Names(request.Reference)
        ? request.WriteJsonAsync(None, DockerJson.Default.NetworkView)
        : throw DockerException.NotFound($"network {request.Reference} not found (networks are not supported yet: a container has loopback only)");

    private static bool Names(string reference) => reference == "none" || reference.Length >= 4 && NoneId.StartsWith(reference, StringComparison.Ordinal);

    private static DockerException NotYet() => DockerException.NotSupported("networks (a container has loopback only) are");
}

using Candela.Controller.Api.Access;
using Candela.Docker.Containers;
using Candela.Docker.Filters;
using Candela.Docker.Http;
using Candela.Docker.Json;
using Candela.Identity.Authorization;
using Candela.Model;
using Microsoft.AspNetCore.Http;

namespace Candela.Docker.Networks;

/// <summary>Networks, and <c>none</c>, which is a container's own loopback.</summary>
internal static class NetworkEndpoints
{
    /// <summary>Id of the network <c>none</c>: the SHA-256 of its name.</summary>
    public const string NoneId = "140bedbf9c3f6d56a9846d2ba7088798683f4da0c248231336e6a05679e4fdfe";

    private static readonly NetworkView None = new() { Name = "none", Id = NoneId, Driver = "null" };

    public static void Map(DockerRoutes routes)
    {
        routes.Get("/networks", RouteAccess.Service(ResourceKind.Segment, Verb.List), ListAsync);
        routes.Get("/networks/{name}", RouteAccess.Service(ResourceKind.Segment, Verb.Get), InspectAsync);
        routes.Post("/networks/create", RouteAccess.Service(ResourceKind.Segment, Verb.Create), CreateAsync);
        routes.Post("/networks/prune", RouteAccess.Service(ResourceKind.Segment, Verb.Delete), PruneAsync);
        routes.Post("/networks/{name}/connect", RouteAccess.Project(ResourceKind.Segment, Verb.Connect), ConnectAsync);
        routes.Post("/networks/{name}/disconnect", RouteAccess.Project(ResourceKind.Segment, Verb.Connect), DisconnectAsync);
        routes.Delete("/networks/{name}", RouteAccess.Service(ResourceKind.Segment, Verb.Delete), RemoveAsync);
    }

    private static async Task ListAsync(DockerRequest request)
    {
        var filters = FilterSet.Parse(request.Query, "dangling", "driver", "id", "label", "name", "scope", "type");
        IReadOnlyList<Container> containers = await request.Containers.ListAsync(request.Caller, request.Aborted);
        IReadOnlyList<ContainerNetwork> networks = await request.Services.Networks.ListAsync(request.Caller, request.Aborted);
        var shown = networks.Select(n => (View: View(n, containers), n.IsBuiltIn)).Append((View: None, IsBuiltIn: true)).Where(n =>
            filters.Any("name", name => FilterSet.Matches(name, n.View.Name))
            && filters.Any("id", id => n.View.Id.StartsWith(id, StringComparison.Ordinal))
            && filters.Any("driver", driver => driver == n.View.Driver)
            && filters.Any("scope", static scope => scope == "local")
            && filters.Any("type", type => type == (n.IsBuiltIn ? "builtin" : "custom"))
            && (filters.Flag("dangling") is not { } dangling || dangling == (!n.IsBuiltIn && n.View.Containers.Count == 0))
            && filters.Labels(n.View.Labels));
        // A list does not say who is connected.
        await request.WriteJsonAsync(shown.Select(n => n.View with { Containers = [] }).ToList(), DockerJson.Default.ListNetworkView);
    }

    private static async Task InspectAsync(DockerRequest request)
    {
        NetworkView view = IsNone(request.Reference)
            ? None
            : View(await request.Services.Networks.GetAsync(request.Caller, request.Reference, request.Aborted), await request.Containers.ListAsync(request.Caller, request.Aborted));
        await request.WriteJsonAsync(view, DockerJson.Default.NetworkView);
    }

    private static async Task CreateAsync(DockerRequest request)
    {
        var body = await request.ReadJsonAsync(DockerJson.Default.NetworkCreateRequest);
        if (string.IsNullOrEmpty(body.Name))
            throw DockerException.BadRequest("network name cannot be empty");
        if (body.Driver is not (null or "" or "default" or "bridge"))
            throw DockerException.NotFound($"plugin \"{body.Driver}\" not found"); // every network is a segment of its own, on all machines
        if (body.Ingress == true || body.ConfigOnly == true || !string.IsNullOrEmpty(body.ConfigFrom?.Network))
            throw DockerException.NotSupported("networks of a swarm (--ingress, --config-only, --config-from) are");
        if (body.EnableIPv4 == false)
            throw DockerException.NotSupported("a network without IPv4 (--ipv4=false) is");
        if (body.Scope is not (null or "" or "local"))
            throw DockerException.NotSupported($"the scope {body.Scope} (--scope) is");
        if (body.Options is { Count: > 0 } options)
            throw DockerException.NotSupported($"the network option {options.Keys.First()} (--opt) is");
        if (body.IPAM?.Driver is not (null or "" or "default"))
            throw DockerException.NotSupported($"the address driver {body.IPAM.Driver} (--ipam-driver) is");
        List<NetworkPoolRequest> pools = body.IPAM?.Config ?? [];
        if (pools.Any(static p => p.AuxiliaryAddresses is { Count: > 0 }))
            throw DockerException.NotSupported("auxiliary addresses (--aux-address) are");
        NetworkPoolRequest[] ipv4 = [.. pools.Where(static p => p.Subnet?.Contains(':', StringComparison.Ordinal) != true)];
        NetworkPoolRequest[] ipv6 = [.. pools.Where(static p => p.Subnet?.Contains(':', StringComparison.Ordinal) == true)];
        if (ipv4.Length > 1 || ipv6.Length > 1)
            throw DockerException.NotSupported("several subnets of one IP version in a network are");
        if (ipv6.Any(static p => !string.IsNullOrEmpty(p.IPRange)))
            throw DockerException.NotSupported("a range of IPv6 addresses to give (--ip-range) is");
        ContainerNetwork network = await request.Services.Networks.CreateAsync(
            request.Caller,
            new NetworkSpec
            {
                Name = body.Name,
                IsInternal = body.Internal ?? false,
                EnableIpv6 = body.EnableIPv6 ?? false,
                Ipv4Subnet = NullIfEmpty(ipv4.FirstOrDefault()?.Subnet),
                Ipv4Range = NullIfEmpty(ipv4.FirstOrDefault()?.IPRange),
                Ipv4Gateway = NullIfEmpty(ipv4.FirstOrDefault()?.Gateway),
                Ipv6Subnet = NullIfEmpty(ipv6.FirstOrDefault()?.Subnet),
                Ipv6Gateway = NullIfEmpty(ipv6.FirstOrDefault()?.Gateway),
                Labels = body.Labels?.ToDictionary(static l => l.Key, static l => l.Value ?? "") ?? [],
            },
            request.Aborted);
        await request.WriteJsonAsync(new NetworkCreated(network.Id, ""), DockerJson.Default.NetworkCreated, StatusCodes.Status201Created);
    }

    private static async Task ConnectAsync(DockerRequest request)
    {
        var body = await request.ReadJsonAsync(DockerJson.Default.NetworkConnectRequest);
        if (request.Reference is "none" or "host")
            throw new DockerException(403, $"a container cannot be connected to {request.Reference} while it runs: say --network {request.Reference} when it is created");
        await request.Containers.ConnectNetworkAsync(request.Caller, body.Container ?? "", NetworkTranslation.Attachment(request.Reference, body.EndpointConfig), request.Aborted);
        await request.WriteStatusAsync(StatusCodes.Status200OK);
    }

    private static async Task DisconnectAsync(DockerRequest request)
    {
        var body = await request.ReadJsonAsync(DockerJson.Default.NetworkDisconnectRequest);
        Container container = await request.Containers.GetAsync(request.Caller, body.Container ?? "", request.Aborted);
        // Who is in no network is in none, and stays so.
        if (!IsNone(request.Reference) || container.Networks.Count > 0)
            await request.Containers.DisconnectNetworkAsync(request.Caller, container.Id, request.Reference, body.Force ?? false, request.Aborted);
        await request.WriteStatusAsync(StatusCodes.Status200OK);
    }

    private static async Task RemoveAsync(DockerRequest request)
    {
        if (IsNone(request.Reference))
            throw new DockerException(403, "none is a pre-defined network and cannot be removed");
        await request.Services.Networks.RemoveAsync(request.Caller, request.Reference, request.Aborted);
        await request.WriteStatusAsync(StatusCodes.Status204NoContent);
    }

    private static async Task PruneAsync(DockerRequest request)
    {
        var filters = FilterSet.Parse(request.Query, "label", "label!", "until");
        DateTimeOffset now = request.Services.Time.GetUtcNow();
        DateTimeOffset[] until = [.. filters["until"].Select(text => PruneTime.Parse(text, now))];
        IReadOnlyList<ContainerNetwork> removed = await request.Services.Networks.PruneAsync(
            request.Caller, n => filters.Labels(n.Labels) && filters.NoLabels(n.Labels) && until.All(u => n.CreatedAt < u), request.Aborted);
        await request.WriteJsonAsync(new NetworksPruned(removed.Count == 0 ? null : [.. removed.Select(static n => n.Name)]), DockerJson.Default.NetworksPruned);
    }

    private static NetworkView View(ContainerNetwork network, IReadOnlyList<Container> containers)
    {
        List<NetworkPool> pools = [new NetworkPool { Subnet = network.Ipv4Subnet, IPRange = network.Ipv4Range, Gateway = network.Ipv4Gateway }];
        if (network.Ipv6Subnet is not null)
            pools.Add(new NetworkPool { Subnet = network.Ipv6Subnet, Gateway = network.Ipv6Gateway });
        return new NetworkView
        {
            Name = network.Name,
            Id = network.Id,
            Created = DockerTime.Format(network.CreatedAt),
            EnableIPv6 = network.Ipv6Subnet is not null,
            IPAM = new NetworkIpam { Config = pools },
            Internal = network.IsInternal,
            Labels = network.Labels,
            Containers = containers.SelectMany(c => c.Endpoints.Where(e => e.NetworkId == network.Id).Select(e => (c, e))).ToDictionary(static p => p.c.Id, static p => new NetworkContainer(
                p.c.Name, p.e.PortId, p.e.Mac, $"{p.e.Ipv4Address}/{p.e.Ipv4PrefixLength}", p.e.Ipv6Address is { } ipv6 ? $"{ipv6}/{p.e.Ipv6PrefixLength}" : "")),
        };
    }

    private static string? NullIfEmpty(string? text) => string.IsNullOrEmpty(text) ? null : text;

    private static bool IsNone(string reference) => reference == "none" || (reference.Length >= 4 && NoneId.StartsWith(reference, StringComparison.Ordinal));}

using Candela.Controller.Api.Access;
using Candela.Docker.Http;
using Candela.Docker.Json;
using Candela.Identity.Authorization;
using Subject = Candela.Docker.Http.Subject;

namespace Candela.Docker.Absent;

/// <summary>Swarm, plug-ins and BuildKit: this engine is no member of a swarm and has neither of the others.</summary>
internal static class SwarmEndpoints
{
    private const string NotManager =
        "This node is not a swarm manager. Use \"docker swarm init\" or \"docker swarm join\" to connect this node to swarm and try again.";

    public static void Map(DockerRoutes routes)
    {
        foreach (var kind in (string[])["swarm", "nodes", "services", "tasks", "secrets", "configs"])
        {
            foreach (var method in (string[])["GET", "POST", "DELETE"])
            {
                routes.Map(method, "/" + kind, RouteAccess.Project(ResourceKind.Container, Verb.List), Subject.None, static _ => throw new DockerException(503, NotManager));
                routes.Map(method, $"/{kind}/{{**rest}}", RouteAccess.Project(ResourceKind.Container, Verb.List), Subject.None, static _ => throw new DockerException(503, NotManager));
            }
        }

        routes.Post("/swarm/leave", RouteAccess.Project(ResourceKind.Container, Verb.Operate), static _ => throw new DockerException(503, "This node is not part of a swarm"));
        routes.Post("/swarm/init", RouteAccess.Project(ResourceKind.Container, Verb.Operate), static _ => throw DockerException.NotSupported("swarm mode is"));
        routes.Post("/swarm/join", RouteAccess.Project(ResourceKind.Container, Verb.Operate), static _ => throw DockerException.NotSupported("swarm mode is"));
        routes.Get("/plugins", RouteAccess.Project(ResourceKind.Container, Verb.List), static request => request.WriteJsonAsync([], DockerJson.Default.ListString));
        routes.Get("/plugins/{name}/json", RouteAccess.Project(ResourceKind.Container, Verb.Get), static request => throw NoPlugin(request));
        foreach (var verb in (string[])["enable", "disable", "push", "set", "upgrade"])
            routes.Post("/plugins/{name}/" + verb, RouteAccess.Project(ResourceKind.Container, Verb.Operate), static request => throw NoPlugin(request));
        routes.Delete("/plugins/{name}", RouteAccess.Project(ResourceKind.Container, Verb.Operate), static request => throw NoPlugin(request));
        foreach (var method in (string[])["GET", "POST", "DELETE"])
            routes.Map(method, "/plugins/{**rest}", RouteAccess.Project(ResourceKind.Container, Verb.Operate), Subject.None, static _ => throw DockerException.NotSupported("plug-ins are"));
        routes.Post("/session", RouteAccess.Project(ResourceKind.Image, Verb.Create), static _ => throw DockerException.NotSupported("BuildKit is"));
        routes.Post("/grpc", RouteAccess.Project(ResourceKind.Image, Verb.Create), static _ => throw DockerException.NotSupported("BuildKit is"));
    }

    private static DockerException NoPlugin(DockerRequest request) => DockerException.NotFound($"plugin \"{request.Reference}\" not found");
}

using Candela.Docker.Http;
using Candela.Docker.Json;

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
                routes.Map(method, "/" + kind, Subject.None, static _ => throw new DockerException(503, NotManager));
                routes.Map(method, $"/{kind}/{{**rest}}", Subject.None, static _ => throw new DockerException(503, NotManager));
            }
        }

        routes.Post("/swarm/init", static _ => throw DockerException.NotSupported("swarm mode is"));
        routes.Post("/swarm/join", static _ => throw DockerException.NotSupported("swarm mode is"));
        routes.Get("/plugins", static request => request.WriteJsonAsync([], DockerJson.Default.ListString));
        foreach (var method in (string[])["GET", "POST", "DELETE"])
            routes.Map(method, "/plugins/{**rest}", Subject.None, static _ => throw DockerException.NotSupported("plug-ins are"));
        routes.Post("/session", static _ => throw DockerException.NotSupported("BuildKit is"));
        routes.Post("/grpc", static _ => throw DockerException.NotSupported("BuildKit is"));
    }
}

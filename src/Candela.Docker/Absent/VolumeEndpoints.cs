using System.Text.Json;
using Candela.Controller.Api.Access;
using Candela.Docker.Http;
using Candela.Docker.Json;
using Candela.Identity.Authorization;

namespace Candela.Docker.Absent;

/// <summary>Answer of <c>GET /volumes</c>.</summary>
internal sealed record VolumeList(IReadOnlyList<JsonElement> Volumes, IReadOnlyList<string>? Warnings);

/// <summary>Answer of prune.</summary>
internal sealed record VolumesPruned(IReadOnlyList<string>? VolumesDeleted, long SpaceReclaimed);

/// <summary>Volumes: none yet.</summary>
internal static class VolumeEndpoints
{
    public static void Map(DockerRoutes routes)
    {
        routes.Get("/volumes", RouteAccess.Project(ResourceKind.Volume, Verb.List), static request => request.WriteJsonAsync(new VolumeList([], null), DockerJson.Default.VolumeList));
        routes.Post("/volumes/create", RouteAccess.Project(ResourceKind.Volume, Verb.Create), static _ => throw DockerException.NotSupported("volumes are"));
        routes.Post("/volumes/prune", RouteAccess.Project(ResourceKind.Volume, Verb.Delete), static request => request.WriteJsonAsync(new VolumesPruned(null, 0), DockerJson.Default.VolumesPruned));
        routes.Get("/volumes/{name}", RouteAccess.Project(ResourceKind.Volume, Verb.Get), static request => throw Absent(request));
        routes.Put("/volumes/{name}", RouteAccess.Project(ResourceKind.Volume, Verb.Update), static request => throw Absent(request));
        routes.Delete("/volumes/{name}", RouteAccess.Project(ResourceKind.Volume, Verb.Delete), static request => throw Absent(request));
    }

    private static DockerException Absent(DockerRequest request) => DockerException.NotFound($"get {request.Reference}: no such volume");
}

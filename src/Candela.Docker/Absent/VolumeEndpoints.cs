using System.Text.Json;
using Candela.Docker.Http;
using Candela.Docker.Json;

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
        routes.Get("/volumes", static request => request.WriteJsonAsync(new VolumeList([], null), DockerJson.Default.VolumeList));
        routes.Post("/volumes/create", static _ => throw DockerException.NotSupported("volumes are"));
        routes.Post("/volumes/prune", static request => request.WriteJsonAsync(new VolumesPruned(null, 0), DockerJson.Default.VolumesPruned));
        routes.Get("/volumes/{name}", static request => throw Absent(request));
        routes.Put("/volumes/{name}", static request => throw Absent(request));
        routes.Delete("/volumes/{name}", static request => throw Absent(request));
    }

    private static DockerException Absent(DockerRequest request) => DockerException.NotFound($"get {request.Reference}: no such volume");
}

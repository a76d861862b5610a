using Candela.Controller.Api.Access;
using Candela.Docker.Http;
using Candela.Docker.Json;
using Candela.Identity.Authorization;
using Candela.Model;
using Subject = Candela.Docker.Http.Subject;

namespace Candela.Docker.Containers;

/// <summary>Changes of limits and restart policy.</summary>
internal static class UpdateEndpoints
{
    public static void Map(DockerRoutes routes) =>
        routes.Post("/containers/{name}/update", RouteAccess.Service(ResourceKind.Container, Verb.Update), UpdateAsync, Subject.Container);

    private static async Task UpdateAsync(DockerRequest request)
    {
        var body = await request.ReadJsonAsync(DockerJson.Default.ResourcesRequest);
        Refusals.Check(body);
        var warnings = new List<string>();
        ResourceTranslation.Check(body, warnings);
        var container = await request.Containers.GetAsync(request.Caller, request.Reference, request.Aborted);
        var nanoCpus = ResourceTranslation.Cpus(body);
        var update = new ContainerUpdate
        {
            MemoryBytes = body.Memory is > 0 and var memory ? memory : null,
            NanoCpus = nanoCpus > 0 ? nanoCpus : null,
            PidsLimit = body.PidsLimit is { } pids ? Math.Max(pids, 0) : null,
            Hints = ResourceTranslation.Hints(body, container.Spec.Hints),
            RestartPolicy = body.RestartPolicy is { Name.Length: > 0 } policy ? ResourceTranslation.Restart(policy) : null,
        };
        try
        {
            await request.Containers.UpdateAsync(request.Caller, container.Id, update, request.Aborted);
        }
        catch (CandelaException e) when (e.Code == ErrorCode.Conflict)
        {
            throw DockerException.Conflict($"Cannot update container {container.Id}: {e.Message}");
        }

        await request.WriteJsonAsync(new UpdateResponse(warnings.Count == 0 ? null : warnings), DockerJson.Default.UpdateResponse);
    }
}

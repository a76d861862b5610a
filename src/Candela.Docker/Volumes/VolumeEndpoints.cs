using Candela.Controller.Api.Access;
using Candela.Docker.Filters;
using Candela.Docker.Http;
using Candela.Docker.Json;
using Candela.Identity.Authorization;
using Candela.Model;
using Microsoft.AspNetCore.Http;

namespace Candela.Docker.Volumes;

/// <summary>Volumes.</summary>
internal static class VolumeEndpoints
{
    /// <summary>How Docker marks volumes that nobody named.</summary>
    private const string AnonymousLabel = "com.docker.volume.anonymous";

    public static void Map(DockerRoutes routes)
    {
        routes.Get("/volumes", RouteAccess.Service(ResourceKind.Volume, Verb.List), ListAsync);
        routes.Post("/volumes/create", RouteAccess.Service(ResourceKind.Volume, Verb.Create), CreateAsync);
        routes.Post("/volumes/prune", RouteAccess.Service(ResourceKind.Volume, Verb.Delete), PruneAsync);
        routes.Get("/volumes/{name}", RouteAccess.Service(ResourceKind.Volume, Verb.Get), InspectAsync);
        routes.Put("/volumes/{name}", RouteAccess.Project(ResourceKind.Volume, Verb.Update), static _ => throw DockerException.BadRequest("only cluster volumes can be updated, and this node is no swarm manager"));
        routes.Delete("/volumes/{name}", RouteAccess.Service(ResourceKind.Volume, Verb.Delete), RemoveAsync);
    }

    /// <summary>Shows a volume.</summary>
    public static VolumeView View(VolumeUsage usage, bool withUsage = false) => new()
    {
        CreatedAt = DockerTime.FormatSeconds(usage.Volume.CreatedAt),
        Labels = Labels(usage.Volume),
        Name = usage.Volume.Name,
        Options = usage.Volume.Options.Count == 0 ? null : usage.Volume.Options,
        UsageData = withUsage ? new VolumeUsageView(usage.UsedBytes, usage.ContainerCount) : null,
    };

    /// <summary>Refuses drivers that are not there.</summary>
    public static void CheckDriver(string name, string? driver)
    {
        if (driver is not (null or "" or "local"))
            throw DockerException.NotFound($"create {name}: error looking up volume plugin {driver}: plugin \"{driver}\" not found");
    }

    /// <summary>Null values are empty.</summary>
    public static Dictionary<string, string> Plain(Dictionary<string, string?>? values) =>
        values is null ? [] : values.ToDictionary(pair => pair.Key, pair => pair.Value ?? "", StringComparer.Ordinal);

    private static async Task ListAsync(DockerRequest request)
    {
        var filters = FilterSet.Parse(request.Query, "dangling", "driver", "label", "name");
        var dangling = filters.Flag("dangling");
        var volumes = await request.Services.Volumes.ListAsync(request.Caller, request.Aborted);
        var shown = volumes.Where(usage =>
            (dangling is not { } wanted || wanted == (usage.ContainerCount == 0))
            && filters.Any("driver", static driver => driver == "local")
            && filters.Any("name", name => FilterSet.Matches(name, usage.Volume.Name))
            && filters.Labels(Labels(usage.Volume) ?? new Dictionary<string, string>()));
        await request.WriteJsonAsync(new VolumeList([.. shown.Select(static usage => View(usage))], null), DockerJson.Default.VolumeList);
    }

    private static async Task CreateAsync(DockerRequest request)
    {
        var body = await request.ReadJsonAsync(DockerJson.Default.VolumeCreateRequest);
        CheckDriver(body.Name ?? "", body.Driver);
        var spec = new VolumeSpec { Name = string.IsNullOrEmpty(body.Name) ? null : body.Name, Labels = Plain(body.Labels), Options = Plain(body.DriverOpts) };
        var volume = await request.Services.Volumes.CreateAsync(request.Caller, spec, request.Aborted);
        await request.WriteJsonAsync(View(new VolumeUsage(volume, 0, 0)), DockerJson.Default.VolumeView, StatusCodes.Status201Created);
    }

    private static async Task InspectAsync(DockerRequest request) =>
        await request.WriteJsonAsync(View(await request.Services.Volumes.GetAsync(request.Caller, request.Reference, request.Aborted)), DockerJson.Default.VolumeView);

    private static async Task RemoveAsync(DockerRequest request)
    {
        try
        {
            await request.Services.Volumes.RemoveAsync(request.Caller, request.Reference, request.Aborted);
        }
        catch (CandelaException e) when (e.Code == ErrorCode.NotFound && request.Query.Flag("force"))
        {
            // By force, one that is not there is as good as removed.
        }

        await request.WriteStatusAsync(StatusCodes.Status204NoContent);
    }

    private static async Task PruneAsync(DockerRequest request)
    {
        var filters = FilterSet.Parse(request.Query, "all", "label", "label!");
        // Before 1.42 named volumes went, too.
        var all = filters.Flag("all") ?? !request.Version.AtLeast(42);
        var gone = await request.Services.Volumes.PruneAsync(
            request.Caller,
            volume => (all || volume.IsAnonymous)
                && filters.Labels(Labels(volume) ?? new Dictionary<string, string>())
                && filters.NoLabels(Labels(volume) ?? new Dictionary<string, string>()),
            request.Aborted);
        await request.WriteJsonAsync(
            new VolumesPruned(gone.Count == 0 ? null : [.. gone.Select(static usage => usage.Volume.Name)], gone.Sum(static usage => usage.UsedBytes)), DockerJson.Default.VolumesPruned);
    }

    private static IReadOnlyDictionary<string, string>? Labels(Volume volume) =>
        volume.IsAnonymous ? new Dictionary<string, string>(volume.Labels, StringComparer.Ordinal) { [AnonymousLabel] = "" }
        : volume.Labels.Count == 0 ? null : volume.Labels;
}

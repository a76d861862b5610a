using Candela.Controller.Api.Access;
using Candela.Docker.Filters;
using Candela.Docker.Http;
using Candela.Docker.Json;
using Candela.Identity.Authorization;
using Candela.Images;
using Candela.Model;
using Microsoft.AspNetCore.Http;
using Subject = Candela.Docker.Http.Subject;

namespace Candela.Docker.Images;

/// <summary>
/// Images. Their names hold slashes, which a route template cannot express in the middle of a path, so what follows
/// <c>/images/</c> is taken whole and the verb is read from its end.
/// </summary>
internal static class ImageEndpoints
{
    public static void Map(DockerRoutes routes)
    {
        routes.Get("/images/json", RouteAccess.Service(ResourceKind.Image, Verb.List), ListAsync);
        routes.Get("/images/search", RouteAccess.Project(ResourceKind.Image, Verb.List), static _ => throw new DockerException(StatusCodes.Status501NotImplemented, "docker search is not supported by Candela: no registry is asked for its list. Name the image: docker pull NAME"));
        routes.Get("/images/get", RouteAccess.Service(ResourceKind.Image, Verb.Get), static request => SaveEndpoints.SaveAsync(request, [.. request.Query["names"].OfType<string>()]));
        routes.Post("/images/create", RouteAccess.Service(ResourceKind.Image, Verb.Create), PullEndpoints.CreateAsync);
        routes.Post("/images/load", RouteAccess.Service(ResourceKind.Image, Verb.Create), LoadEndpoints.LoadAsync);
        routes.Post("/images/prune", RouteAccess.Service(ResourceKind.Image, Verb.Delete), PruneAsync);
        routes.Get("/images/{**name}", RouteAccess.Service(ResourceKind.Image, Verb.Get), GetAsync);
        routes.Post("/images/{**name}", RouteAccess.Service(ResourceKind.Image, Verb.Update), PostAsync);
        routes.Delete("/images/{**name}", RouteAccess.Service(ResourceKind.Image, Verb.Delete), RemoveAsync, Subject.Image);
        routes.Post("/build", RouteAccess.Service(ResourceKind.Image, Verb.Create), BuildEndpoints.BuildAsync);
        routes.Post("/build/prune", RouteAccess.Service(ResourceKind.Image, Verb.Delete), BuildEndpoints.PruneAsync);
        routes.Post("/build/cancel", RouteAccess.Project(ResourceKind.Image, Verb.Create), static _ => throw DockerException.NotSupported("cancelling a build but by closing its connection is"));
        routes.Post("/commit", RouteAccess.Service(ResourceKind.Image, Verb.Create), CommitEndpoints.CommitAsync);
        routes.Get("/distribution/{**name}", RouteAccess.Project(ResourceKind.Image, Verb.Get), DistributionEndpoints.InspectAsync);
    }

    private static async Task ListAsync(DockerRequest request)
    {
        var filters = FilterSet.Parse(request.Query, "before", "dangling", "label", "reference", "since", "until");
        var images = await request.Images.ListAsync(request.Caller, request.Aborted);
        var index = new ImageIndex(images);
        var dangling = filters.Flag("dangling");
        DateTimeOffset? before = null, since = null;
        foreach (var reference in filters["before"])
            before = Find(reference).CreatedAt;
        foreach (var reference in filters["since"])
            since = Find(reference).CreatedAt;
        foreach (var text in filters["until"])
            before = PruneTime.Parse(text, request.Services.Time.GetUtcNow());
        var containers = request.Query.Flag("shared-size") ? await request.Containers.ListAsync(request.Caller, request.Aborted) : null;

        var answer = new List<ImageSummary>();
        foreach (var image in images.OrderByDescending(static image => image.CreatedAt))
        {
            if (dangling is { } wanted && wanted != (image.Tags.Count == 0)
                || before is not null && image.CreatedAt >= before
                || since is not null && image.CreatedAt <= since
                || !filters.Labels(image.Configuration.Labels))
                continue;
            var shown = image;
            if (filters.Has("reference"))
            {
                var tags = image.Tags.Where(tag => filters.Any("reference", pattern => ReferencePattern.Matches(pattern, tag))).ToList();
                var digests = image.Digests.Where(digest => filters.Any("reference", pattern => ReferencePattern.Matches(pattern, digest))).ToList();
                if (tags.Count == 0 && digests.Count == 0)
                    continue;
                shown = image with { Tags = tags, Digests = digests };
            }

            answer.Add(ImageView.Summary(shown, containers?.Count(container => container.ImageId == image.Id) ?? -1));
        }

        await request.WriteJsonAsync(answer, DockerJson.Default.ListImageSummary);

        Image Find(string reference) => index.Resolve(reference) ?? throw DockerException.NotFound($"No such image: {ImageNames.WithDefaultTag(reference)}");
    }

    private static Task GetAsync(DockerRequest request)
    {
        if (TrySuffix(request.Reference, "/json", out var name))
            return AnswerAsync(request, name, image => request.WriteJsonAsync(ImageView.Inspect(image), DockerJson.Default.ImageInspect));
        if (TrySuffix(request.Reference, "/history", out name))
            return AnswerAsync(request, name, image => HistoryAsync(request, image));
        if (TrySuffix(request.Reference, "/get", out name))
            return SaveEndpoints.SaveAsync(request, [name]);
        throw DockerException.NotFound("page not found");
    }

    private static Task PostAsync(DockerRequest request)
    {
        if (TrySuffix(request.Reference, "/tag", out var name))
            return TagAsync(request, name);
        if (TrySuffix(request.Reference, "/push", out name))
            return PushEndpoints.PushAsync(request, name);
        throw DockerException.NotFound("page not found");
    }

    private static async Task AnswerAsync(DockerRequest request, string name, Func<Image, Task> answer)
    {
        Image image;
        try
        {
            image = await request.Images.GetAsync(request.Caller, name, request.Aborted);
        }
        catch (CandelaException e)
        {
            throw ErrorTranslation.Translate(e, Subject.Image, name);
        }

        await answer(image);
    }

    /// <summary>Newest step first; only the image itself has an id.</summary>
    private static Task HistoryAsync(DockerRequest request, Image image)
    {
        var entries = new List<ImageHistoryEntry>();
        foreach (var step in image.History.Reverse())
        {
            var top = entries.Count == 0;
            entries.Add(new ImageHistoryEntry(
                top ? image.Id : "<missing>", (step.CreatedAt ?? DateTimeOffset.UnixEpoch).ToUnixTimeSeconds(), step.CreatedBy,
                top && image.Tags.Count > 0 ? image.Tags : null, step.LayerBytes, step.Comment));
        }

        return request.WriteJsonAsync(entries, DockerJson.Default.ListImageHistoryEntry);
    }

    private static async Task TagAsync(DockerRequest request, string name)
    {
        var repository = request.Query.Text("repo") ?? throw DockerException.BadRequest("invalid reference format: repository name is missing");
        var tag = request.Query.Text("tag") ?? "latest";
        try
        {
            await request.Images.TagAsync(request.Caller, name, $"{ImageNames.Familiar(repository)}:{tag}", request.Aborted);
        }
        catch (CandelaException e)
        {
            throw ErrorTranslation.Translate(e, Subject.Image, name);
        }

        await request.WriteStatusAsync(StatusCodes.Status201Created);
    }

    private static async Task RemoveAsync(DockerRequest request)
    {
        if (request.Query.ContainsKey("platforms"))
            throw DockerException.NotSupported("removing single platforms (docker rmi --platform) is");
        var removed = await request.Images.RemoveAsync(request.Caller, request.Reference, request.Query.Flag("force"), request.Aborted);
        await request.WriteJsonAsync(removed.Select(View).ToList(), DockerJson.Default.ListImageDeleted);
    }

    private static async Task PruneAsync(DockerRequest request)
    {
        var filters = FilterSet.Parse(request.Query, "dangling", "label", "label!", "until");
        var all = filters.Flag("dangling") is false;
        var until = filters["until"].Select(text => PruneTime.Parse(text, request.Services.Time.GetUtcNow())).ToList();
        var (removed, freed) = await request.Images.PruneAsync(
            request.Caller, all, image => filters.Labels(image.Configuration.Labels) && filters.NoLabels(image.Configuration.Labels) && until.All(time => image.CreatedAt < time), request.Aborted);
        await request.WriteJsonAsync(new ImagesPruned(removed.Count == 0 ? null : [.. removed.Select(View)], freed), DockerJson.Default.ImagesPruned);
    }

    private static ImageDeleted View(ImageRemoval removal) => new(removal.Untagged, removal.Deleted);

    private static bool TrySuffix(string path, string suffix, out string name)
    {
        var has = path.Length > suffix.Length && path.EndsWith(suffix, StringComparison.Ordinal);
        name = has ? path[..^suffix.Length] : "";
        return has;
    }
}

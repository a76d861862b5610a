using Candela.Controller.Api.Access;
using Candela.Docker.Filters;
using Candela.Docker.Http;
using Candela.Docker.Images;
using Candela.Docker.Json;
using Candela.Identity.Authorization;
using Candela.Images;
using Candela.Model;
using Microsoft.AspNetCore.Http;
using Subject = Candela.Docker.Http.Subject;

namespace Candela.Docker.Containers;

/// <summary>Creation, listing and life cycle of containers.</summary>
internal static class ContainerEndpoints
{
    public static void Map(DockerRoutes routes)
    {
        routes.Post("/containers/create", RouteAccess.Service(ResourceKind.Container, Verb.Create), CreateAsync);
        routes.Get("/containers/json", RouteAccess.Service(ResourceKind.Container, Verb.List), ListAsync);
        routes.Get("/containers/{name}/json", RouteAccess.Service(ResourceKind.Container, Verb.Get), InspectAsync, Subject.Container);
        routes.Post("/containers/{name}/start", RouteAccess.Service(ResourceKind.Container, Verb.Operate), StartAsync, Subject.Container);
        routes.Post("/containers/{name}/stop", RouteAccess.Service(ResourceKind.Container, Verb.Operate), StopAsync, Subject.Container);
        routes.Post("/containers/{name}/restart", RouteAccess.Service(ResourceKind.Container, Verb.Operate), RestartAsync, Subject.Container);
        routes.Post("/containers/{name}/kill", RouteAccess.Service(ResourceKind.Container, Verb.Operate), KillAsync, Subject.Container);
        routes.Post("/containers/{name}/pause", RouteAccess.Service(ResourceKind.Container, Verb.Operate), PauseAsync, Subject.Container);
        routes.Post("/containers/{name}/unpause", RouteAccess.Service(ResourceKind.Container, Verb.Operate), UnpauseAsync, Subject.Container);
        routes.Post("/containers/{name}/rename", RouteAccess.Service(ResourceKind.Container, Verb.Update), RenameAsync, Subject.Container);
        routes.Post("/containers/{name}/resize", RouteAccess.Service(ResourceKind.Container, Verb.Execute), ResizeAsync, Subject.Container);
        routes.Delete("/containers/{name}", RouteAccess.Service(ResourceKind.Container, Verb.Delete), RemoveAsync, Subject.Container);
        routes.Post("/containers/prune", RouteAccess.Project(ResourceKind.Container, Verb.Delete), PruneAsync);
    }

    private static async Task CreateAsync(DockerRequest request)
    {
        var body = await request.ReadJsonAsync(DockerJson.Default.CreateRequest);
        var name = ContainerTranslation.CheckName(request.Query.Text("name"));
        CheckPlatform(request.Query.Text("platform"), body.Image);
        var warnings = new List<string>();
        var spec = ContainerTranslation.Translate(body, request.Services.Options.DefaultNetwork, warnings);
        Container container;
        try
        {
            container = await request.Containers.CreateAsync(request.Caller, name, spec, request.Aborted);
        }
        catch (CandelaException e) when (e.Code is ErrorCode.ImageNotFound)
        {
            throw DockerException.NotFound($"No such image: {ImageNames.WithDefaultTag(ImageNames.Familiar(spec.Image))}");
        }
        catch (CandelaException e) when (e.Code is ErrorCode.NotFound)
        {
            throw DockerException.BadRequest(e.Message); // at 404 the client would pull the image
        }
        catch (CandelaException e) when (e.Code is ErrorCode.AlreadyExists && name is not null)
        {
            throw await NameInUseAsync(request, name, e);
        }

        // The CLI tells the size of its terminal already here, so that the first output is laid out right.
        if (spec.Tty && body.HostConfig?.ConsoleSize is [> 0 and <= ushort.MaxValue and var rows, > 0 and <= ushort.MaxValue and var columns])
            await request.Containers.ResizeAsync(request.Caller, container.Id, (ushort)rows, (ushort)columns, request.Aborted);
        await request.WriteJsonAsync(new CreateResponse(container.Id, warnings), DockerJson.Default.CreateResponse, StatusCodes.Status201Created);
    }

    private static async Task ListAsync(DockerRequest request)
    {
        var limit = request.Query.Number("limit") ?? -1;
        var size = request.Query.Flag("size");
        var containers = await request.Containers.ListAsync(request.Caller, request.Aborted);
        var images = new ImageIndex(await request.Images.ListAsync(request.Caller, request.Aborted));
        var filter = new ContainerFilter(request.Query.Text("filters"), containers, images);
        var all = request.Query.Flag("all") || limit > 0 || filter.IncludesStopped;
        var now = request.Services.Time.GetUtcNow();
        var shown = containers.Where(container => (all || ContainerView.IsRunning(container.Status.State)) && filter.Accepts(container));
        if (limit > 0)
            shown = shown.Take(limit);
        await request.WriteJsonAsync(
            shown.Select(container => ContainerView.Summary(container, images, now, size)).ToList(), DockerJson.Default.ListContainerSummary);
    }

    private static async Task InspectAsync(DockerRequest request)
    {
        var container = await request.Containers.GetAsync(request.Caller, request.Reference, request.Aborted);
        var view = ContainerView.Inspect(container, await FindImageAsync(request, container.ImageId), request.Query.Flag("size"));
        await request.WriteJsonAsync(view, DockerJson.Default.ContainerInspect);
    }

    private static async Task StartAsync(DockerRequest request)
    {
        // Looked up first: with --rm it is gone after a failed start.
        var container = await request.Containers.GetAsync(request.Caller, request.Reference, request.Aborted);
        try
        {
            await request.Containers.StartAsync(request.Caller, container.Id, request.Aborted);
        }
        catch (CandelaException e) when (e.Code is ErrorCode.CommandNotFound or ErrorCode.CommandNotExecutable)
        {
            throw DockerException.BadRequest(ErrorTranslation.StartFailure(e, container.Process.Arguments[0]));
        }
        catch (CandelaException e) when (e.Code is ErrorCode.Conflict or ErrorCode.NotModified && container.Status.State == ContainerState.Paused)
        {
            throw DockerException.Conflict("cannot start a paused container, try unpause instead");
        }

        await request.WriteStatusAsync(StatusCodes.Status204NoContent);
    }

    private static async Task StopAsync(DockerRequest request)
    {
        await request.Containers.StopAsync(
            request.Caller, request.Reference, request.Query.Number("t"), request.Query.Text("signal"), request.Aborted);
        await request.WriteStatusAsync(StatusCodes.Status204NoContent);
    }

    private static async Task RestartAsync(DockerRequest request)
    {
        var container = await request.Containers.GetAsync(request.Caller, request.Reference, request.Aborted);
        try
        {
            await request.Containers.RestartAsync(
                request.Caller, container.Id, request.Query.Number("t"), request.Query.Text("signal"), request.Aborted);
        }
        catch (CandelaException e) when (e.Code is ErrorCode.CommandNotFound or ErrorCode.CommandNotExecutable)
        {
            throw DockerException.BadRequest(ErrorTranslation.StartFailure(e, container.Process.Arguments[0]));
        }

        await request.WriteStatusAsync(StatusCodes.Status204NoContent);
    }

    private static async Task KillAsync(DockerRequest request)
    {
        try
        {
            await request.Containers.KillAsync(request.Caller, request.Reference, request.Query.Text("signal"), request.Aborted);
        }
        catch (CandelaException e) when (e.Code is ErrorCode.NotModified or ErrorCode.Conflict)
        {
            throw DockerException.Conflict($"cannot kill container: {request.Reference}: {await NotRunningAsync(request, e)}");
        }

        await request.WriteStatusAsync(StatusCodes.Status204NoContent);
    }

    private static async Task PauseAsync(DockerRequest request)
    {
        try
        {
            await request.Containers.PauseAsync(request.Caller, request.Reference, request.Aborted);
        }
        catch (CandelaException e) when (e.Code is ErrorCode.NotModified or ErrorCode.Conflict)
        {
            var container = await request.Containers.GetAsync(request.Caller, request.Reference, request.Aborted);
            throw DockerException.Conflict(container.Status.State == ContainerState.Paused
                ? $"container {container.Id} is already paused"
                : await NotRunningAsync(request, e));
        }

        await request.WriteStatusAsync(StatusCodes.Status204NoContent);
    }

    private static async Task UnpauseAsync(DockerRequest request)
    {
        try
        {
            await request.Containers.UnpauseAsync(request.Caller, request.Reference, request.Aborted);
        }
        catch (CandelaException e) when (e.Code is ErrorCode.NotModified or ErrorCode.Conflict)
        {
            var container = await request.Containers.GetAsync(request.Caller, request.Reference, request.Aborted);
            throw DockerException.Conflict($"Container {container.Id} is not paused");
        }

        await request.WriteStatusAsync(StatusCodes.Status204NoContent);
    }

    private static async Task RenameAsync(DockerRequest request)
    {
        var name = ContainerTranslation.CheckName(request.Query.Text("name"))
            ?? throw DockerException.BadRequest("Neither old nor new names may be empty");
        try
        {
            await request.Containers.RenameAsync(request.Caller, request.Reference, name, request.Aborted);
        }
        catch (CandelaException e) when (e.Code is ErrorCode.AlreadyExists)
        {
            throw await NameInUseAsync(request, name, e);
        }

        await request.WriteStatusAsync(StatusCodes.Status204NoContent);
    }

    private static async Task ResizeAsync(DockerRequest request)
    {
        var (rows, columns) = Size(request);
        var container = await request.Containers.GetAsync(request.Caller, request.Reference, request.Aborted);
        if (container.Spec.Tty || !ContainerView.IsRunning(container.Status.State)) // without a terminal there is nothing to resize, which Docker does not mind
            await request.Containers.ResizeAsync(request.Caller, container.Id, rows, columns, request.Aborted);
        await request.WriteStatusAsync(StatusCodes.Status200OK);
    }

    private static async Task RemoveAsync(DockerRequest request)
    {
        if (request.Query.Flag("link"))
            throw DockerException.NotSupported("links (docker rm --link) are");
        try
        {
            await request.Containers.RemoveAsync(request.Caller, request.Reference, request.Query.Flag("force"), request.Query.Flag("v"), request.Aborted);
        }
        catch (CandelaException e) when (e.Code is ErrorCode.Conflict)
        {
            var container = await request.Containers.GetAsync(request.Caller, request.Reference, request.Aborted);
            throw DockerException.Conflict(container.Status.State switch
            {
                ContainerState.Running or ContainerState.Restarting =>
                    $"cannot remove container \"/{container.Name}\": container is {ContainerText.State(container.Status.State)}: stop the container before removing or force remove",
                ContainerState.Paused =>
                    $"cannot remove container \"/{container.Name}\": container is paused and must be unpaused first",
                ContainerState.Removing => $"removal of container {request.Reference} is already in progress",
                _ => e.Message,
            });
        }

        await request.WriteStatusAsync(StatusCodes.Status204NoContent);
    }

    private static async Task PruneAsync(DockerRequest request)
    {
        var filters = FilterSet.Parse(request.Query, "label", "label!", "until");
        DateTimeOffset? until = null;
        foreach (var text in filters["until"])
            until = PruneTime.Parse(text, request.Services.Time.GetUtcNow());
        var images = new ImageIndex(await request.Images.ListAsync(request.Caller, request.Aborted));
        var deleted = new List<string>();
        foreach (var container in await request.Containers.ListAsync(request.Caller, request.Aborted))
        {
            var labels = ContainerView.Labels(container, images.Find(container.ImageId));
            if (ContainerView.IsRunning(container.Status.State) || until is not null && container.CreatedAt >= until
                || !filters.Labels(labels) || !filters.NoLabels(labels))
                continue;
            try
            {
                await request.Containers.RemoveAsync(request.Caller, container.Id, force: false, withVolumes: false, request.Aborted);
                deleted.Add(container.Id);
            }
            catch (CandelaException e) when (e.Code is ErrorCode.NotFound or ErrorCode.Conflict)
            {
                // Gone or started meanwhile: nothing to prune.
            }
        }

        await request.WriteJsonAsync(new ContainersPruned(deleted, 0), DockerJson.Default.ContainersPruned);
    }

    /// <summary>Terminal size of the query, refused when out of range.</summary>
    internal static (ushort Rows, ushort Columns) Size(DockerRequest request)
    {
        return (Read("h"), Read("w"));

        ushort Read(string name) => request.Query.Number(name) is >= 0 and <= ushort.MaxValue and var value
            ? (ushort)value
            : throw DockerException.BadRequest($"invalid value for {name}: a number from 0 to {ushort.MaxValue} is expected");
    }

    internal static async Task<Image?> FindImageAsync(DockerRequest request, string imageId)
    {
        try
        {
            return await request.Images.GetAsync(request.Caller, imageId, request.Aborted);
        }
        catch (CandelaException e) when (e.Code is ErrorCode.ImageNotFound or ErrorCode.NotFound)
        {
            return null; // removed by force under the container
        }
    }

    private static async Task<string> NotRunningAsync(DockerRequest request, CandelaException cause)
    {
        var container = await request.Containers.GetAsync(request.Caller, request.Reference, request.Aborted);
        return ContainerView.IsRunning(container.Status.State) ? cause.Message : $"container {container.Id} is not running";
    }

    private static async Task<DockerException> NameInUseAsync(DockerRequest request, string name, CandelaException cause)
    {
        try
        {
            var holder = await request.Containers.GetAsync(request.Caller, name, request.Aborted);
            return DockerException.Conflict(
                $"Conflict. The container name \"/{name}\" is already in use by container \"{holder.Id}\". You have to remove (or rename) that container to be able to reuse that name.");
        }
        catch (CandelaException e) when (e.Code is ErrorCode.NotFound)
        {
            return DockerException.Conflict(cause.Message); // removed meanwhile
        }
    }

    private static void CheckPlatform(string? platform, string? image)
    {
        if (platform is null or "linux" or "linux/amd64" or "linux/x86_64")
            return;
        throw DockerException.NotFound(
            $"image with reference {image} was found but its platform (linux/amd64) does not match the specified platform ({platform})");
    }
}

using Candela.Controller.Api.Http;
using Candela.Controller.Api.Tasks;
using Candela.Controller.Containers;
using Candela.Identity.Authorization;
using Candela.Model;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;

namespace Candela.Controller.Api.Containers;

/// <summary>Creation, listing and life cycle of containers.</summary>
internal static class ContainerEndpoints
{
    public static void Map(IEndpointRouteBuilder api)
    {
        var all = api.MapGroup("/containers").WithTags("Containers");
        all.MapGet("", ListAsync).Needs(ResourceKind.Container, Verb.List).Describe("listContainers", "Lists containers, newest first: those that run, or all");
        all.MapPost("", CreateAsync).Needs(ResourceKind.Container, Verb.Create).Describe("createContainer", "Creates a container",
            ErrorCode.ImageNotFound, ErrorCode.AlreadyExists, ErrorCode.ImageInvalid, ErrorCode.NotSupported, ErrorCode.ResourceExhausted);
        var one = all.MapGroup("/{reference}");
        one.MapGet("", GetAsync).Needs(ResourceKind.Container, Verb.Get).Describe("getContainer", "Shows a container, by id, unambiguous beginning of the id, or name", ErrorCode.NotFound);
        one.MapDelete("", RemoveAsync).Needs(ResourceKind.Container, Verb.Delete).Describe("removeContainer", "Removes a container", ErrorCode.NotFound, ErrorCode.Conflict);
        one.MapPost("/start", StartAsync).Needs(ResourceKind.Container, Verb.Operate).Describe("startContainer", "Starts a container",
            ErrorCode.NotFound, ErrorCode.NotModified, ErrorCode.Conflict, ErrorCode.CommandNotFound, ErrorCode.ResourceExhausted, ErrorCode.DeadlineExceeded);
        one.MapPost("/stop", StopAsync).Needs(ResourceKind.Container, Verb.Operate).Describe("stopContainer", "Sends the stop signal and, after a time, kills", ErrorCode.NotFound, ErrorCode.NotModified);
        one.MapPost("/restart", RestartAsync).Needs(ResourceKind.Container, Verb.Operate).Describe("restartContainer", "Stops and starts a container",
            ErrorCode.NotFound, ErrorCode.Conflict, ErrorCode.CommandNotFound, ErrorCode.ResourceExhausted, ErrorCode.DeadlineExceeded);
        one.MapPost("/kill", KillAsync).Needs(ResourceKind.Container, Verb.Operate).Describe("killContainer", "Sends a signal, KILL unless given", ErrorCode.NotFound, ErrorCode.Conflict);
        one.MapPost("/pause", PauseAsync).Needs(ResourceKind.Container, Verb.Operate).Describe("pauseContainer", "Stops the vCPUs", ErrorCode.NotFound, ErrorCode.Conflict);
        one.MapPost("/unpause", UnpauseAsync).Needs(ResourceKind.Container, Verb.Operate).Describe("unpauseContainer", "Lets the vCPUs run", ErrorCode.NotFound, ErrorCode.Conflict);
        one.MapPost("/rename", RenameAsync).Needs(ResourceKind.Container, Verb.Update).Describe("renameContainer", "Renames a container", ErrorCode.NotFound, ErrorCode.AlreadyExists);
        one.MapPost("/fork", ForkAsync).Needs(ResourceKind.Container, Verb.Fork).Describe("forkContainer", "Clones a running container with its processes and memory",
            ErrorCode.NotFound, ErrorCode.Conflict, ErrorCode.ResourceExhausted, ErrorCode.DeadlineExceeded);
        one.MapGet("/stats", GetStatisticsAsync).Needs(ResourceKind.Container, Verb.Get).Describe("getContainerStatistics", "What a container uses at this moment", ErrorCode.NotFound, ErrorCode.Conflict);
        one.MapGet("/processes", ListProcessesAsync).Needs(ResourceKind.Container, Verb.Get).Describe("listContainerProcesses", "Lists the processes of a container", ErrorCode.NotFound, ErrorCode.Conflict);
    }

    private static async Task<Ok<Container[]>> ListAsync(HttpContext http, IContainerService containers, CancellationToken cancellationToken, bool all = false)
    {
        var found = await containers.ListAsync(http.Caller, cancellationToken);
        return TypedResults.Ok(found.Where(container => all || IsUp(container)).ToArray());

        static bool IsUp(Container container) => container.Status.State is ContainerState.Running or ContainerState.Paused or ContainerState.Restarting;
    }

    private static async Task<Created<Container>> CreateAsync(
        CreateContainerRequest request, HttpContext http, IContainerService containers, CancellationToken cancellationToken)
    {
        var container = await containers.CreateAsync(http.Caller, request.Name, SpecDefaults.Complete(request.Spec), cancellationToken);
        return TypedResults.Created($"/v1/containers/{container.Id}", container);
    }

    private static async Task<Ok<Container>> GetAsync(string reference, HttpContext http, IContainerService containers, CancellationToken cancellationToken) =>
        TypedResults.Ok(await containers.GetAsync(http.Caller, reference, cancellationToken));

    private static async Task<NoContent> RemoveAsync(
        string reference, HttpContext http, IContainerService containers, CancellationToken cancellationToken, bool force = false, bool volumes = false)
    {
        await containers.RemoveAsync(http.Caller, reference, force, volumes, cancellationToken);
        return TypedResults.NoContent();
    }

    private static async Task<NoContent> StartAsync(string reference, HttpContext http, IContainerService containers, CancellationToken cancellationToken)
    {
        await containers.StartAsync(http.Caller, reference, cancellationToken);
        return TypedResults.NoContent();
    }

    private static async Task<NoContent> StopAsync(
        string reference, int? timeoutSeconds, string? signal, HttpContext http, IContainerService containers, CancellationToken cancellationToken)
    {
        await containers.StopAsync(http.Caller, reference, CheckTimeout(timeoutSeconds), signal, cancellationToken);
        return TypedResults.NoContent();
    }

    private static async Task<NoContent> RestartAsync(
        string reference, int? timeoutSeconds, string? signal, HttpContext http, IContainerService containers, CancellationToken cancellationToken)
    {
        await containers.RestartAsync(http.Caller, reference, CheckTimeout(timeoutSeconds), signal, cancellationToken);
        return TypedResults.NoContent();
    }

    private static async Task<NoContent> KillAsync(
        string reference, string? signal, HttpContext http, IContainerService containers, CancellationToken cancellationToken)
    {
        await containers.KillAsync(http.Caller, reference, signal, cancellationToken);
        return TypedResults.NoContent();
    }

    private static async Task<NoContent> PauseAsync(string reference, HttpContext http, IContainerService containers, CancellationToken cancellationToken)
    {
        await containers.PauseAsync(http.Caller, reference, cancellationToken);
        return TypedResults.NoContent();
    }

    private static async Task<NoContent> UnpauseAsync(string reference, HttpContext http, IContainerService containers, CancellationToken cancellationToken)
    {
        await containers.UnpauseAsync(http.Caller, reference, cancellationToken);
        return TypedResults.NoContent();
    }

    private static async Task<NoContent> RenameAsync(
        string reference, string name, HttpContext http, IContainerService containers, CancellationToken cancellationToken)
    {
        await containers.RenameAsync(http.Caller, reference, name, cancellationToken);
        return TypedResults.NoContent();
    }

    private static async Task<Ok<ForkReport>> ForkAsync(
        string reference, ForkRequest request, HttpContext http, IContainerService containers, TaskList tasks, CancellationToken cancellationToken)
    {
        if (request.Count < 1)
            throw new CandelaException(ErrorCode.InvalidArgument, $"count is 1 at least, not {request.Count}");
        if (request.Names is { } names && names.Count != request.Count)
            throw new CandelaException(ErrorCode.InvalidArgument, $"{request.Count} forks need {request.Count} names; {names.Count} given");
        var caller = http.Caller;
        return TypedResults.Ok(await tasks.RunAsync(caller, "fork", reference, progress: null, _ =>
            containers.ForkAsync(caller, reference, request.Count, request.Names, cancellationToken)));
    }

    private static async Task<Ok<ContainerStatistics>> GetStatisticsAsync(
        string reference, HttpContext http, IContainerService containers, CancellationToken cancellationToken) =>
        TypedResults.Ok(await containers.GetStatisticsAsync(http.Caller, reference, cancellationToken));

    private static async Task<Ok<ProcessEntry[]>> ListProcessesAsync(
        string reference, HttpContext http, IContainerService containers, CancellationToken cancellationToken) =>
        TypedResults.Ok((await containers.ListProcessesAsync(http.Caller, reference, cancellationToken)).ToArray());

    private static int? CheckTimeout(int? seconds) =>
        seconds is null or >= -1 ? seconds : throw new CandelaException(ErrorCode.InvalidArgument, $"timeoutSeconds is -1 (never) at least, not {seconds}");
}

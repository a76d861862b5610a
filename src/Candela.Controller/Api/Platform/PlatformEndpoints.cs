using Candela.Controller.Api.Access;
using Candela.Controller.Api.Http;
using Candela.Controller.Api.Tasks;
using Candela.Identity.Authorization;
using Candela.Microvisor;
using Candela.Model;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;

namespace Candela.Controller.Api.Platform;

/// <summary>The daemon, the machine, its parents, and what happens on it.</summary>
internal static class PlatformEndpoints
{
    public static void Map(IEndpointRouteBuilder api)
    {
        api.MapGet("/status", GetStatus).Access(RouteAccess.Everyone).WithTags("Platform").WithMetadata(WorksWhilePreparing.Instance)
            .Describe("getStatus", "How far the daemon is; answers while it is preparing, too");
        api.MapGet("/machine", GetMachineAsync).Access(RouteAccess.System(ResourceKind.Machine, Verb.Get)).WithTags("Machine").Describe("getMachine", "What this machine is, and why its driver was chosen");
        var parents = api.MapGroup("/parents").WithTags("Machine");
        parents.MapGet("", ListParentsAsync).Needs(ResourceKind.Machine, Verb.List).Describe("listParents", "Lists the parents that containers are cloned from");
        parents.MapPost("", EnsureParentAsync).Needs(ResourceKind.Machine, Verb.Operate).Describe("ensureParent", "Makes the parent of a size ahead of need", ErrorCode.ResourceExhausted, ErrorCode.DeadlineExceeded);
        parents.MapDelete("/{key}", RemoveParentAsync).Needs(ResourceKind.Machine, Verb.Operate).Describe("removeParent", "Removes a parent; it is made anew on next need", ErrorCode.NotFound, ErrorCode.Conflict);
        api.MapGet("/tasks", ListTasks).Access(RouteAccess.Project(ResourceKind.Task, Verb.List)).WithTags("Tasks").Describe("listTasks", "Lists long operations: those that run, and the last that have ended");
        api.MapGet("/events", ReadEventsAsync).Access(RouteAccess.Project(ResourceKind.Event, Verb.List)).WithTags("Events").ProducesLines<ResourceEvent>()
            .Describe("readEvents", "Events from a time (now unless given) to another or without end");
    }

    private static Ok<StatusAnswer> GetStatus(HttpContext http, IPlatformStatus status)
    {
        return TypedResults.Ok(new StatusAnswer
        {
            Ready = status.Ready,
            Preparing = status.Preparing,
            Error = status.Error,
            Version = status.Version,
            Pid = status.Pid,
            StartedAt = status.StartedAt,
            ContainerCount = status.ContainerCount,
            RunningCount = status.RunningCount,
        });
    }

    private static async Task<Ok<MachineReport>> GetMachineAsync(HttpContext http, IMachineService machine, CancellationToken cancellationToken) =>
        TypedResults.Ok(await machine.GetAsync(http.Caller, cancellationToken));

    private static async Task<Ok<ParentStatus[]>> ListParentsAsync(HttpContext http, IMachineService machine, CancellationToken cancellationToken) =>
        TypedResults.Ok((await machine.ListParentsAsync(http.Caller, cancellationToken)).ToArray());

    private static async Task<Ok<ParentStatus>> EnsureParentAsync(
        ParentRequest request, HttpContext http, IMachineService machine, TaskList tasks, CancellationToken cancellationToken)
    {
        if (request.VCpus is < 1 or > Limits.VCpuCount)
            throw new CandelaException(ErrorCode.InvalidArgument, $"vCpus is 1 to {Limits.VCpuCount}, not {request.VCpus}");
        var caller = http.Caller;
        return TypedResults.Ok(await tasks.RunAsync(caller, "parent", $"{request.VCpus} vCPUs, {request.MemoryBytes} bytes", progress: null, _ =>
            machine.EnsureParentAsync(caller, request.VCpus, request.MemoryBytes, cancellationToken)));
    }

    private static async Task<NoContent> RemoveParentAsync(string key, HttpContext http, IMachineService machine, CancellationToken cancellationToken)
    {
        await machine.RemoveParentAsync(http.Caller, key, cancellationToken);
        return TypedResults.NoContent();
    }

    private static Ok<TaskRecord[]> ListTasks(HttpContext http, TaskList tasks)
    {
        return TypedResults.Ok(tasks.List().ToArray());
    }

    private static async Task ReadEventsAsync(HttpContext http, IContainerService containers, DateTimeOffset? since, DateTimeOffset? until)
    {
        if (since > until)
            throw new CandelaException(ErrorCode.InvalidArgument, "since is after until");
        using var lifetime = http.LinkLifetime();
        // Asked for before the head goes out: whatever happens after the client sees it is in the stream.
        await using var events = containers.ReadEventsAsync(http.Caller, since, until, lifetime.Token).GetAsyncEnumerator(lifetime.Token);
        var next = events.MoveNextAsync().AsTask();
        if (next.IsCompleted)
            await next;
        await http.StartStreamAsync(ApiRequests.LinesType);
        try
        {
            while (await next)
            {
                http.WriteLine(events.Current, ApiJson.Default.ResourceEvent);
                next = events.MoveNextAsync().AsTask();
                if (!next.IsCompleted)
                    await http.Response.BodyWriter.FlushAsync(lifetime.Token);
            }
        }
        catch (OperationCanceledException) when (lifetime.IsCancellationRequested)
        {
            // The client has seen enough, or the daemon stops.
        }
    }
}

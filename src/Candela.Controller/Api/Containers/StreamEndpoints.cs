using Candela.Controller.Api.Http;
using Candela.Controller.Api.Streams;
using Candela.Identity.Authorization;
using Candela.Model;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;

namespace Candela.Controller.Api.Containers;

/// <summary>What lasts as long as a process: attach, exec, wait.</summary>
internal static class StreamEndpoints
{
    public static void Map(IEndpointRouteBuilder api)
    {
        var container = api.MapGroup("/containers/{reference}").WithTags("Containers");
        container.MapPost("/attach", AttachAsync).Needs(ResourceKind.Container, Verb.Execute).ProducesStream().RequiresUpgrade()
            .Describe("attachContainer", "Attaches to the main process: the connection goes on as candela-stream", ErrorCode.NotFound, ErrorCode.Conflict);
        container.MapPost("/wait", WaitAsync).Needs(ResourceKind.Container, Verb.Get)
            .Describe("waitContainer", "Waits until a container does not run, for its next exit, or for its removal", ErrorCode.NotFound);
        container.MapPost("/exec", CreateExecAsync).Needs(ResourceKind.Container, Verb.Execute).WithTags("Execs")
            .Describe("createExec", "Prepares a process in a running container", ErrorCode.NotFound, ErrorCode.Conflict);
        var exec = api.MapGroup("/execs/{id}").WithTags("Execs");
        exec.MapGet("", GetExecAsync).Needs(ResourceKind.Container, Verb.Execute).Describe("getExec", "Shows an exec", ErrorCode.NotFound);
        exec.MapPost("/start", StartExecAsync).Needs(ResourceKind.Container, Verb.Execute).ProducesStream().RequiresUpgrade().Produces(StatusCodes.Status204NoContent)
            .Describe("startExec", "Starts an exec: detached, or the connection goes on as candela-stream", ErrorCode.NotFound, ErrorCode.Conflict, ErrorCode.CommandNotFound);
    }

    private static async Task AttachAsync(
        string reference, HttpContext http, IContainerService containers, bool stdin = false, bool stdout = true, bool stderr = true, bool logs = false)
    {
        RequireUpgrade(http);
        var caller = http.Caller;
        using var lifetime = http.LinkConnection();
        var container = await containers.GetAsync(caller, reference, lifetime.Token);
        var input = stdin && container.Spec.OpenStdin;
        // Registered before the streams: whatever ends them is the exit that this wait tells.
        var exit = await containers.WaitAsync(caller, container.Id, WaitCondition.NextExit, lifetime.Token);
        var options = new AttachOptions { Stdin = input, Stdout = stdout, Stderr = stderr, Logs = logs };
        await using var session = await containers.AttachAsync(caller, container.Id, options, lifetime.Token);
        var stream = new CandelaStream(input, Tolerant((rows, columns, token) => containers.ResizeAsync(caller, container.Id, rows, columns, token)));
        await RelayAsync(
            http, session, stream, closeInputAtEnd: input && container.Spec is { StdinOnce: true, Tty: false },
            async token => (await exit.WaitAsync(token)).ExitCode);
    }

    private static async Task<Ok<WaitResult>> WaitAsync(
        string reference, HttpContext http, IContainerService containers, WaitCondition condition = WaitCondition.NotRunning)
    {
        using var lifetime = http.LinkLifetime();
        var waiting = await containers.WaitAsync(http.Caller, reference, condition, lifetime.Token);
        return TypedResults.Ok(await waiting.WaitAsync(lifetime.Token));
    }

    private static async Task<Created<Exec>> CreateExecAsync(
        string reference, CreateExecRequest request, HttpContext http, IContainerService containers, CancellationToken cancellationToken)
    {
        if (request.Arguments.Count is 0 or > Limits.ArgumentCount)
            throw new CandelaException(ErrorCode.InvalidArgument, $"an exec has 1 to {Limits.ArgumentCount} arguments, not {request.Arguments.Count}");
        if (request.Environment?.Count > Limits.EnvironmentCount)
            throw new CandelaException(ErrorCode.InvalidArgument, $"an exec has at most {Limits.EnvironmentCount} environment variables");
        var spec = new ExecSpec
        {
            Arguments = request.Arguments,
            Environment = request.Environment ?? [],
            WorkingDirectory = request.WorkingDirectory,
            User = request.User,
            Tty = request.Tty,
            AttachStdin = request.AttachStdin,
            Privileged = request.Privileged,
        };
        var exec = await containers.CreateExecAsync(http.Caller, reference, spec, cancellationToken);
        return TypedResults.Created($"/v1/execs/{exec.Id}", exec);
    }

    private static async Task<Ok<Exec>> GetExecAsync(string id, HttpContext http, IContainerService containers, CancellationToken cancellationToken) =>
        TypedResults.Ok(await containers.GetExecAsync(http.Caller, id, cancellationToken));

    private static async Task StartExecAsync(string id, StartExecRequest request, HttpContext http, IContainerService containers)
    {
        if (request.Rows is null != request.Columns is null)
            throw new CandelaException(ErrorCode.InvalidArgument, "rows and columns go together");
        if (!request.Detach)
            RequireUpgrade(http);
        var caller = http.Caller;
        using var lifetime = http.LinkConnection();
        (ushort, ushort)? size = request is { Rows: { } rows, Columns: { } columns } ? (rows, columns) : null;
        var session = await containers.StartExecAsync(caller, id, request.Detach, size, lifetime.Token);
        if (session is null)
        {
            http.Response.StatusCode = StatusCodes.Status204NoContent;
            return;
        }

        await using (session)
        {
            var spec = (await containers.GetExecAsync(caller, id, lifetime.Token)).Spec;
            var stream = new CandelaStream(spec.AttachStdin, Tolerant((rows, columns, token) => containers.ResizeExecAsync(caller, id, rows, columns, token)));
            await RelayAsync(
                http, session, stream, closeInputAtEnd: spec is { AttachStdin: true, Tty: false },
                async token => (await containers.GetExecAsync(caller, id, token)).ExitCode);
        }
    }

    private static async Task RelayAsync(
        HttpContext http, IProcessSession session, CandelaStream stream, bool closeInputAtEnd, Func<CancellationToken, Task<int?>> exitCode)
    {
        using var lifetime = http.LinkConnection();
        var connection = await CandelaStream.OpenAsync(http);
        try
        {
            var ended = await connection.RelayAsync(session, stream, receive: true, closeInputAtEnd ? InputEnd.Close : InputEnd.None, lifetime.Token);
            if (ended && await exitCode(connection.Gone) is { } code)
                CandelaStream.WriteExit(connection.Output, code);
        }
        catch (CandelaException e) when (e.Code != ErrorCode.Internal)
        {
            CandelaStream.WriteError(connection.Output, e.Message);
        }
        catch (OperationCanceledException)
        {
            // The client left between the last output and the exit, or the daemon stops: the stream ends without an exit code.
        }
        catch (Exception)
        {
            CandelaStream.WriteError(connection.Output, CandelaStream.InternalErrorText);
            throw;
        }
        finally
        {
            await connection.CompleteAsync();
        }
    }

    private static void RequireUpgrade(HttpContext http)
    {
        if (CandelaStream.IsAskedFor(http.Request))
            return;
        http.Response.Headers.Upgrade = CandelaStream.Protocol;
        throw new BadHttpRequestException($"this call needs the header 'Upgrade: {CandelaStream.Protocol}'", StatusCodes.Status426UpgradeRequired);
    }

    /// <summary>A size that comes when the process has ended already must not break the stream.</summary>
    private static Func<ushort, ushort, CancellationToken, Task> Tolerant(Func<ushort, ushort, CancellationToken, Task> resize) =>
        async (rows, columns, cancellationToken) =>
        {
            try
            {
                await resize(rows, columns, cancellationToken);
            }
            catch (CandelaException e) when (e.Code != ErrorCode.Internal)
            {
                // As said.
            }
        };
}

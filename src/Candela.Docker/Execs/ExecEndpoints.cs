using Candela.Controller;
using Candela.Controller.Api.Access;
using Candela.Docker.Containers;
using Candela.Docker.Http;
using Candela.Docker.Json;
using Candela.Docker.Streams;
using Candela.Identity.Authorization;
using Candela.Model;
using Microsoft.AspNetCore.Http;
using Subject = Candela.Docker.Http.Subject;

namespace Candela.Docker.Execs;

/// <summary>Processes beside the main one.</summary>
internal static class ExecEndpoints
{
    public static void Map(DockerRoutes routes)
    {
        routes.Post("/containers/{name}/exec", RouteAccess.Service(ResourceKind.Container, Verb.Execute), CreateAsync, Subject.Container);
        routes.Post("/exec/{name}/start", RouteAccess.Service(ResourceKind.Container, Verb.Execute), StartAsync, Subject.Exec);
        routes.Post("/exec/{name}/resize", RouteAccess.Service(ResourceKind.Container, Verb.Execute), ResizeAsync, Subject.Exec);
        routes.Get("/exec/{name}/json", RouteAccess.Service(ResourceKind.Container, Verb.Execute), InspectAsync, Subject.Exec);
    }

    private static async Task CreateAsync(DockerRequest request)
    {
        var body = await request.ReadJsonAsync(DockerJson.Default.ExecCreateRequest);
        if (body.Cmd is not { Count: > 0 } command)
            throw DockerException.BadRequest("No exec command specified");
        if (!string.IsNullOrEmpty(body.DetachKeys))
            DetachKeys.Parse(body.DetachKeys);
        var spec = new ExecSpec
        {
            Arguments = command,
            Environment = [.. (body.Env ?? []).Where(static variable => !string.IsNullOrEmpty(variable)).Select(static variable => variable!)],
            WorkingDirectory = string.IsNullOrEmpty(body.WorkingDir) ? null : body.WorkingDir,
            User = string.IsNullOrEmpty(body.User) ? null : body.User,
            Tty = body.Tty ?? false,
            AttachStdin = body.AttachStdin ?? false,
            AttachStdout = body.AttachStdout ?? false,
            AttachStderr = body.AttachStderr ?? false,
            Privileged = body.Privileged ?? false,
            DetachKeys = body.DetachKeys,
        };
        Exec exec;
        try
        {
            exec = await request.Containers.CreateExecAsync(request.Caller, request.Reference, spec, request.Aborted);
        }
        catch (CandelaException e) when (e.Code is ErrorCode.Conflict or ErrorCode.NotModified)
        {
            var container = await request.Containers.GetAsync(request.Caller, request.Reference, request.Aborted);
            throw DockerException.Conflict(container.Status.State switch
            {
                ContainerState.Paused => $"container {request.Reference} is paused, unpause the container before exec",
                ContainerState.Restarting => $"container {container.Id} is restarting, wait until the container is running",
                ContainerState.Running => e.Message,
                _ => $"container {container.Id} is not running",
            });
        }

        await request.WriteJsonAsync(new ExecCreated(exec.Id), DockerJson.Default.ExecCreated, StatusCodes.Status201Created);
    }

    private static async Task StartAsync(DockerRequest request)
    {
        var body = await request.ReadJsonAsync(DockerJson.Default.ExecStartRequest, mayBeAbsent: true);
        var exec = await request.Containers.GetExecAsync(request.Caller, request.Reference, request.Aborted);
        if (exec.Running || exec.ExitCode is not null)
            throw DockerException.Conflict($"exec command {exec.Id} is already running or has ended: create another one");
        var detach = body.Detach ?? false;
        var tty = exec.Spec.Tty;
        (ushort, ushort)? size = tty && body.ConsoleSize is [> 0 and <= ushort.MaxValue and var rows, > 0 and <= ushort.MaxValue and var columns]
            ? ((ushort)rows, (ushort)columns)
            : null;
        var keys = tty ? DetachKeys.Parse(exec.Spec.DetachKeys) : null;
        IProcessSession? session;
        try
        {
            session = await request.Containers.StartExecAsync(request.Caller, exec.Id, detach, size, request.Aborted);
        }
        catch (CandelaException e) when (e.Code is ErrorCode.CommandNotFound or ErrorCode.CommandNotExecutable)
        {
            var text = ErrorTranslation.ExecFailure(e, exec.Spec.Arguments[0]);
            if (detach)
                throw DockerException.BadRequest(text);
            // dockerd has left HTTP by now: the text goes to the terminal, the exit code is found by inspect.
            var failed = await HijackedStream.OpenAsync(request, tty);
            await failed.WriteTextAsync(text + "\r\n");
            return;
        }

        if (session is null)
        {
            await request.WriteStatusAsync(StatusCodes.Status200OK);
            return;
        }

        await using (session)
        {
            var stream = await HijackedStream.OpenAsync(request, tty);
            await stream.RelayAsync(session, exec.Spec.AttachStdin, closeInput: !tty, keys);
        }
    }

    private static async Task ResizeAsync(DockerRequest request)
    {
        var (rows, columns) = ContainerEndpoints.Size(request);
        await request.Containers.ResizeExecAsync(request.Caller, request.Reference, rows, columns, request.Aborted);
        await request.WriteStatusAsync(StatusCodes.Status200OK);
    }

    private static async Task InspectAsync(DockerRequest request)
    {
        var exec = await request.Containers.GetExecAsync(request.Caller, request.Reference, request.Aborted);
        var spec = exec.Spec;
        await request.WriteJsonAsync(
            new ExecInspect
            {
                ID = exec.Id,
                Running = exec.Running,
                ExitCode = exec.ExitCode,
                ProcessConfig = new ExecProcessView(spec.Tty, spec.Arguments[0], [.. spec.Arguments.Skip(1)], spec.Privileged, spec.User ?? ""),
                OpenStdin = spec.AttachStdin,
                OpenStdout = spec.AttachStdout,
                OpenStderr = spec.AttachStderr,
                CanRemove = exec.ExitCode is not null,
                ContainerID = exec.ContainerId,
                DetachKeys = spec.DetachKeys ?? "",
                Pid = exec.Pid,
            },
            DockerJson.Default.ExecInspect);
    }
}

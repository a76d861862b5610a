using System.Buffers;
using System.Text.Json;
using Candela.Controller;
using Candela.Controller.Api.Access;
using Candela.Docker.Http;
using Candela.Docker.Json;
using Candela.Docker.Streams;
using Candela.Identity.Authorization;
using Candela.Model;
using Subject = Candela.Docker.Http.Subject;

namespace Candela.Docker.Containers;

/// <summary>Attach, logs and wait: answers that last as long as the container.</summary>
internal static class ContainerStreamEndpoints
{
    private const int TimestampBytes = 30;
    private const int FlushBytes = 64 * 1024;

    public static void Map(DockerRoutes routes)
    {
        routes.Post("/containers/{name}/attach", RouteAccess.Service(ResourceKind.Container, Verb.Execute), AttachAsync, Subject.Container);
        routes.Get("/containers/{name}/attach/ws", RouteAccess.Project(ResourceKind.Container, Verb.Execute), static _ => throw DockerException.NotSupported("attaching by WebSocket is"), Subject.Container);
        routes.Get("/containers/{name}/logs", RouteAccess.Service(ResourceKind.Container, Verb.Logs), LogsAsync, Subject.Container);
        routes.Post("/containers/{name}/wait", RouteAccess.Service(ResourceKind.Container, Verb.Get), WaitAsync, Subject.Container);
    }

    private static async Task AttachAsync(DockerRequest request)
    {
        var query = request.Query;
        var container = await request.Containers.GetAsync(request.Caller, request.Reference, request.Aborted);
        switch (container.Status.State)
        {
            case ContainerState.Paused:
                throw DockerException.Conflict("You cannot attach to a paused container, unpause it first");
            case ContainerState.Restarting:
                throw DockerException.Conflict("You cannot attach to a restarting container, wait until it is running");
        }

        var tty = container.Spec.Tty;
        var input = query.Flag("stdin") && container.Spec.OpenStdin;
        var detach = tty && input ? DetachKeys.Parse(query.Text("detachKeys")) : null;
        var options = new AttachOptions
        {
            Stdin = input,
            Stdout = query.Flag("stdout"),
            Stderr = query.Flag("stderr"),
            Logs = query.Flag("logs"),
            Stream = query.Flag("stream"),
        };
        await using var session = await request.Containers.AttachAsync(request.Caller, container.Id, options, request.Aborted);
        var stream = await HijackedStream.OpenAsync(request, tty);
        await stream.RelayAsync(session, input, closeInput: container.Spec.StdinOnce && !tty, detach);
    }

    private static async Task LogsAsync(DockerRequest request)
    {
        var query = request.Query;
        var stdout = query.Flag("stdout");
        var stderr = query.Flag("stderr");
        if (!stdout && !stderr)
            throw DockerException.BadRequest("Bad parameters: you must choose at least one stream");
        var container = await request.Containers.GetAsync(request.Caller, request.Reference, request.Aborted);
        var timestamps = query.Flag("timestamps");
        var multiplexed = !container.Spec.Tty;
        var options = new LogOptions
        {
            Follow = query.Flag("follow"),
            Stdout = stdout,
            Stderr = stderr,
            Tail = query.Text("tail") is null or "all" ? null : query.Number("tail") is >= 0 and var tail ? tail : null,
            Since = query.Time("since"),
            Until = query.Time("until"),
        };
        using var lifetime = request.LinkLifetime();
        var writer = request.Http.Response.BodyWriter;
        var stamp = new byte[TimestampBytes + 1];
        try
        {
            await using var entries = request.Containers.ReadLogsAsync(request.Caller, container.Id, options, lifetime.Token)
                .GetAsyncEnumerator(lifetime.Token);
            var next = entries.MoveNextAsync().AsTask();
            if (next.IsCompleted)
                await next; // a failure at once still gets its status
            await request.StartStreamAsync(multiplexed ? MediaTypes.Multiplexed : MediaTypes.Raw);
            while (true)
            {
                if (!next.IsCompleted)
                    await writer.FlushAsync(lifetime.Token); // nothing more for now: show what there is
                if (!await next)
                    break;
                var entry = entries.Current;
                var prefix = 0;
                if (timestamps)
                {
                    prefix = DockerTime.FormatFixed(entry.TimestampNanoseconds, stamp);
                    stamp[prefix++] = (byte)' ';
                }

                if (multiplexed)
                    Stdcopy.WriteHeader(writer, entry.IsStderr, prefix + entry.Line.Length);
                if (prefix > 0)
                    writer.Write(stamp.AsSpan(0, prefix));
                writer.Write(entry.Line.Span);
                if (writer.CanGetUnflushedBytes && writer.UnflushedBytes > FlushBytes)
                    await writer.FlushAsync(lifetime.Token);
                next = entries.MoveNextAsync().AsTask();
            }
        }
        catch (OperationCanceledException) when (lifetime.IsCancellationRequested)
        {
            // The client has seen enough, or the daemon stops.
        }
    }

    private static async Task WaitAsync(DockerRequest request)
    {
        var condition = (request.Version.AtLeast(30) ? request.Query.Text("condition") : null) switch
        {
            null or "not-running" => WaitCondition.NotRunning,
            "next-exit" => WaitCondition.NextExit,
            "removed" => WaitCondition.Removed,
            var other => throw DockerException.BadRequest($"invalid condition: \"{other}\""),
        };
        using var lifetime = request.LinkLifetime();
        var waiting = await request.Containers.WaitAsync(request.Caller, request.Reference, condition, lifetime.Token);
        // The client starts the container only after it has seen these headers: from here on no exit can be missed.
        await request.StartStreamAsync(MediaTypes.Json);
        await request.Http.Response.Body.FlushAsync(lifetime.Token);
        var result = await waiting.WaitAsync(lifetime.Token);
        // What went wrong is in the container's State.Error: an error here would make the client forget the exit code.
        await JsonSerializer.SerializeAsync(
            request.Http.Response.Body, new WaitResponse(result.ExitCode), DockerJson.Default.WaitResponse, lifetime.Token);
    }
}

using System.Text.Json;
using Candela.Controller.Api.Access;
using Candela.Controller.Transport;
using Candela.Docker.Http;
using Candela.Docker.Json;
using Candela.Docker.Streams;
using Candela.Identity.Authorization;
using Candela.Model;
using Subject = Candela.Docker.Http.Subject;

namespace Candela.Docker.Containers;

/// <summary><c>docker stats</c>: a figure a second, one with its predecessor, or one alone.</summary>
internal static class StatisticsEndpoints
{
    public static void Map(DockerRoutes routes) => routes.Get("/containers/{name}/stats", RouteAccess.Service(ResourceKind.Container, Verb.Get), StatisticsAsync, Subject.Container);

    private static async Task StatisticsAsync(DockerRequest request)
    {
        var stream = request.Query.Flag("stream", absent: true);
        var oneShot = request.Query.Flag("one-shot");
        if (stream && oneShot)
            throw DockerException.BadRequest("cannot have stream=true and one-shot=true");
        using var lifetime = request.LinkLifetime();
        var container = await request.Containers.GetAsync(request.Caller, request.Reference, lifetime.Token);
        var before = stream || oneShot ? null : await ReadAsync(request, container, lifetime.Token);
        if (before is not null)
            await Task.Delay(request.Services.Options.StatisticsInterval, request.Services.Time, lifetime.Token);
        if (!stream)
        {
            var now = await ReadAsync(request, container, lifetime.Token);
            await request.WriteJsonAsync(View(container, now, before), DockerJson.Default.StatisticsView);
            return;
        }

        await request.StartStreamAsync(MediaTypes.Json);
        var writer = request.Http.Response.BodyWriter;
        using var timer = new PeriodicTimer(request.Services.Options.StatisticsInterval, request.Services.Time);
        try
        {
            do
            {
                var now = await ReadAsync(request, container, lifetime.Token);
                using (var json = new Utf8JsonWriter(writer, DockerJson.WriterOptions))
                    JsonSerializer.Serialize(json, View(container, now, before), DockerJson.Default.StatisticsView);
                writer.EndLine();
                await writer.FlushAsync(lifetime.Token);
                before = now;
            }
            while (await timer.WaitForNextTickAsync(lifetime.Token));
        }
        catch (OperationCanceledException) when (lifetime.IsCancellationRequested)
        {
            // The client has seen enough, or the daemon stops.
        }
        catch (CandelaException e) when (request.Http.Response.HasStarted && e.Code == ErrorCode.NotFound)
        {
            // Removed: the stream ends.
        }
    }

    /// <summary>Figures, or null when the container does not run now.</summary>
    private static async Task<ContainerStatistics?> ReadAsync(DockerRequest request, Container container, CancellationToken cancellationToken)
    {
        try
        {
            return await request.Containers.GetStatisticsAsync(request.Caller, container.Id, cancellationToken);
        }
        catch (CandelaException e) when (e.Code is ErrorCode.Conflict or ErrorCode.NotModified)
        {
            return null;
        }
    }

    private static StatisticsView View(Container container, ContainerStatistics? now, ContainerStatistics? before) =>
        now is null ? StatisticsView.Stopped(container) : StatisticsView.Of(container, now, before);
}

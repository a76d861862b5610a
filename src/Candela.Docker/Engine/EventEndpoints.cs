using System.Text.Json;
using Candela.Controller;
using Candela.Controller.Api.Access;
using Candela.Controller.Transport;
using Candela.Docker.Filters;
using Candela.Docker.Http;
using Candela.Docker.Images;
using Candela.Docker.Json;
using Candela.Docker.Streams;
using Candela.Identity.Authorization;

namespace Candela.Docker.Engine;

/// <summary><c>docker events</c>.</summary>
internal static class EventEndpoints
{
    private static readonly string[] Keys =
        ["config", "container", "daemon", "event", "image", "label", "network", "node", "plugin", "scope", "secret", "service", "type", "volume"];

    public static void Map(DockerRoutes routes) => routes.Get("/events", RouteAccess.Project(ResourceKind.Event, Verb.List), StreamAsync);

    private static async Task StreamAsync(DockerRequest request)
    {
        var since = request.Query.Time("since");
        var until = request.Query.Time("until");
        if (since is not null && until is not null && since > until)
            throw DockerException.BadRequest("`since` time cannot be after `until` time");
        var filters = FilterSet.Parse(request.Query, Keys);
        using var lifetime = request.LinkLifetime();
        // Asked for before the headers go out: whatever happens after the client sees them is in the stream.
        await using var events = request.Containers.ReadEventsAsync(request.Caller, since, until, lifetime.Token).GetAsyncEnumerator(lifetime.Token);
        var next = events.MoveNextAsync();
        var writer = request.Http.Response.BodyWriter;
        try
        {
            await request.StartStreamAsync(MediaTypes.Json);
            await writer.FlushAsync(lifetime.Token);
            while (await next)
            {
                if (Accepts(filters, events.Current))
                {
                    using (var json = new Utf8JsonWriter(writer, DockerJson.WriterOptions))
                        JsonSerializer.Serialize(json, View(events.Current), DockerJson.Default.EventMessage);
                    writer.EndLine();
                }

                next = events.MoveNextAsync();
                if (!next.IsCompleted)
                    await writer.FlushAsync(lifetime.Token);
            }
        }
        catch (OperationCanceledException) when (lifetime.IsCancellationRequested)
        {
            // The client has seen enough, or the daemon stops.
        }
    }

    internal static EventMessage View(ResourceEvent happening)
    {
        var ofContainer = happening.Kind == "container";
        var ofImage = happening.Kind == "image";
        return new EventMessage
        {
            Status = ofContainer || ofImage ? happening.Action : null,
            Id = ofContainer || ofImage ? happening.ResourceId : null,
            From = ofContainer ? happening.Attributes.GetValueOrDefault("image") : null,
            Type = happening.Kind,
            Action = happening.Action,
            Actor = new EventActor(happening.ResourceId, happening.Attributes),
            Time = happening.At.ToUnixTimeSeconds(),
            TimeNano = DockerTime.UnixNanoseconds(happening.At),
        };
    }

    internal static bool Accepts(FilterSet filters, ResourceEvent happening)
    {
        var attributes = happening.Attributes;
        return filters.Any("type", type => type == happening.Kind)
            // "exec_start: ls" is found by "exec_start", too.
            && filters.Any("event", action => action == happening.Action || happening.Action.StartsWith(action + ":", StringComparison.Ordinal))
            && filters.Any("container", reference => happening.Kind == "container" && Names(reference))
            && filters.Any("image", MatchesImage)
            && filters.Any("scope", static scope => scope == "local")
            && filters.Labels(attributes)
            && filters.Any("daemon", reference => happening.Kind == "daemon" && Names(reference))
            && filters.Any("network", reference => happening.Kind == "network" && Names(reference))
            && filters.Any("volume", reference => happening.Kind == "volume" && Names(reference))
            && filters.Any("plugin", static _ => false)
            && filters.Any("service", static _ => false)
            && filters.Any("node", static _ => false)
            && filters.Any("secret", static _ => false)
            && filters.Any("config", static _ => false);

        bool Names(string reference) => reference.Length > 0
            && (happening.ResourceId.StartsWith(reference, StringComparison.Ordinal) || attributes.GetValueOrDefault("name") == reference.TrimStart('/'));

        bool MatchesImage(string reference)
        {
            var name = happening.Kind switch
            {
                "image" => attributes.GetValueOrDefault("name") ?? happening.ResourceId,
                "container" => attributes.GetValueOrDefault("image") ?? "",
                _ => null,
            };
            return name is not null && (name == reference || happening.Kind == "image" && happening.ResourceId == reference
                || ImageNames.WithDefaultTag(name) == ImageNames.WithDefaultTag(reference) || ImageNames.Split(name).Name == reference);
        }
    }
}

using System.Text.Json;
using System.Text.Json.Serialization;
using Candela.Controller.Api.Access;
using Candela.Docker.Http;
using Candela.Docker.Json;
using Candela.Docker.Streams;
using Candela.Identity.Authorization;
using Candela.Model;
using Microsoft.AspNetCore.Http;
using Subject = Candela.Docker.Http.Subject;

namespace Candela.Docker.Containers;

/// <summary>Stat of a path, as the header <c>X-Docker-Container-Path-Stat</c> carries it in base64.</summary>
internal sealed record ArchiveStat(
    [property: JsonPropertyName("name")] string Name,
    [property: JsonPropertyName("size")] long Size,
    [property: JsonPropertyName("mode")] uint Mode,
    [property: JsonPropertyName("mtime")] string ModifiedAt,
    [property: JsonPropertyName("linkTarget")] string LinkTarget)
{
    // Bits of Go's fs.FileMode, and of Linux's st_mode (inode(7)).
    private const uint GoDirectory = 1u << 31;
    private const uint GoSymlink = 1u << 27;
    private const uint GoDevice = 1u << 26;
    private const uint GoNamedPipe = 1u << 25;
    private const uint GoSocket = 1u << 24;
    private const uint GoSetuid = 1u << 23;
    private const uint GoSetgid = 1u << 22;
    private const uint GoCharDevice = 1u << 21;
    private const uint GoSticky = 1u << 20;

    public static ArchiveStat Of(PathStat stat) =>
        new(stat.Name, stat.Size, GoMode(stat.Mode), DockerTime.Format(stat.ModifiedAt), stat.LinkTarget);

    internal static uint GoMode(uint mode) =>
        (mode & 0x1FF)
        | (mode & 0xF000) switch
        {
            0x4000 => GoDirectory,
            0xA000 => GoSymlink,
            0x6000 => GoDevice,
            0x2000 => GoDevice | GoCharDevice,
            0x1000 => GoNamedPipe,
            0xC000 => GoSocket,
            _ => 0,
        }
        | ((mode & 0x800) != 0 ? GoSetuid : 0)
        | ((mode & 0x400) != 0 ? GoSetgid : 0)
        | ((mode & 0x200) != 0 ? GoSticky : 0);
}

/// <summary>An answer of <c>GET /containers/{id}/changes</c>: 0 changed, 1 added, 2 deleted.</summary>
internal sealed record ChangeView(string Path, int Kind);

/// <summary><c>docker cp</c>, <c>docker export</c> and <c>docker diff</c>.</summary>
internal static class ArchiveEndpoints
{
    private const string StatHeader = "X-Docker-Container-Path-Stat";

    public static void Map(DockerRoutes routes)
    {
        routes.Get("/containers/{name}/archive", RouteAccess.Service(ResourceKind.Container, Verb.Execute), ReadAsync, Subject.Container);
        routes.Head("/containers/{name}/archive", RouteAccess.Service(ResourceKind.Container, Verb.Execute), StatAsync, Subject.Container);
        routes.Put("/containers/{name}/archive", RouteAccess.Service(ResourceKind.Container, Verb.Execute), WriteAsync, Subject.Container);
        routes.Get("/containers/{name}/export", RouteAccess.Service(ResourceKind.Container, Verb.Execute), ExportAsync, Subject.Container);
        routes.Get("/containers/{name}/changes", RouteAccess.Service(ResourceKind.Container, Verb.Execute), ChangesAsync, Subject.Container);
    }

    private static Task ExportAsync(DockerRequest request) =>
        request.Containers.ExportAsync(request.Caller, request.Reference, () => request.StartStreamAsync(MediaTypes.OctetStream), request.Aborted);

    private static async Task ChangesAsync(DockerRequest request)
    {
        var changes = await request.Containers.ReadChangesAsync(request.Caller, request.Reference, request.Aborted);
        // Docker's answer to no change at all is null.
        List<ChangeView>? views = changes.Count == 0 ? null : [.. changes.Select(static change => new ChangeView(change.Path, (int)change.Kind))];
        await request.WriteJsonAsync(views!, DockerJson.Default.ListChangeView);
    }

    private static async Task StatAsync(DockerRequest request)
    {
        var path = RequirePath(request);
        var container = await request.Containers.GetAsync(request.Caller, request.Reference, request.Aborted);
        try
        {
            SetHeader(request, await request.Containers.StatPathAsync(request.Caller, container.Id, path, request.Aborted));
        }
        catch (CandelaException e) when (e.Code == ErrorCode.NotFound)
        {
            throw NoSuchFile(request, path);
        }

        request.Http.Response.ContentLength = 0;
    }

    private static async Task ReadAsync(DockerRequest request)
    {
        var path = RequirePath(request);
        var container = await request.Containers.GetAsync(request.Caller, request.Reference, request.Aborted);
        try
        {
            await request.Containers.ReadArchiveAsync(
                request.Caller, container.Id, path,
                stat =>
                {
                    SetHeader(request, stat);
                    return request.StartStreamAsync(MediaTypes.Tar);
                },
                request.Aborted);
        }
        catch (CandelaException e) when (e.Code == ErrorCode.NotFound)
        {
            throw NoSuchFile(request, path);
        }
    }

    private static async Task WriteAsync(DockerRequest request)
    {
        var path = RequirePath(request);
        var container = await request.Containers.GetAsync(request.Caller, request.Reference, request.Aborted);
        try
        {
            await request.Containers.WriteArchiveAsync(
                request.Caller, container.Id, path, request.ReadUnlimited(), request.Query.Flag("noOverwriteDirNonDir"), request.Aborted);
        }
        catch (CandelaException e) when (e.Code == ErrorCode.NotFound)
        {
            throw NoSuchFile(request, path);
        }

        await request.WriteStatusAsync(StatusCodes.Status200OK);
    }

    private static string RequirePath(DockerRequest request) =>
        request.Query.Text("path") ?? throw DockerException.BadRequest("missing parameter: path cannot be empty");

    private static DockerException NoSuchFile(DockerRequest request, string path) =>
        DockerException.NotFound($"Could not find the file {path} in container {request.Reference}");

    private static void SetHeader(DockerRequest request, PathStat stat) =>
        request.Http.Response.Headers[StatHeader] =
            Convert.ToBase64String(JsonSerializer.SerializeToUtf8Bytes(ArchiveStat.Of(stat), DockerJson.Default.ArchiveStat));
}

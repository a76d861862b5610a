using Candela.Controller.Api.Http;
using Candela.Identity.Authorization;
using Candela.Model;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;

namespace Candela.Controller.Api.Containers;

/// <summary>Files of a running container, as tar.</summary>
internal static class ArchiveEndpoints
{
    public static void Map(IEndpointRouteBuilder api)
    {
        var container = api.MapGroup("/containers/{reference}").WithTags("Containers");
        container.MapGet("/archive", ReadAsync).Needs(ResourceKind.Container, Verb.Execute).Produces<Stream>(StatusCodes.Status200OK, ApiRequests.TarType)
            .Describe("readContainerArchive", "Reads a path of a running container as tar", ErrorCode.NotFound, ErrorCode.Conflict);
        container.MapPut("/archive", WriteAsync).Needs(ResourceKind.Container, Verb.Execute).AcceptsTar()
            .Describe("writeContainerArchive", "Unpacks a tar into a folder of a running container", ErrorCode.NotFound, ErrorCode.Conflict, ErrorCode.ResourceExhausted);
        container.MapGet("/files", StatAsync).Needs(ResourceKind.Container, Verb.Execute).Describe("statContainerPath", "Stat of a path of a running container", ErrorCode.NotFound, ErrorCode.Conflict);
    }

    private static async Task ReadAsync(string reference, string path, HttpContext http, IContainerService containers, CancellationToken cancellationToken) =>
        await containers.ReadArchiveAsync(
            http.Caller, reference, path,
            async _ =>
            {
                await http.StartStreamAsync(ApiRequests.TarType);
                return http.Response.Body;
            },
            cancellationToken);

    private static async Task<NoContent> WriteAsync(
        string reference, string path, HttpContext http, IContainerService containers, CancellationToken cancellationToken, bool noOverwriteDirNonDir = false)
    {
        await containers.WriteArchiveAsync(http.Caller, reference, path, http.ReadUnlimited(), noOverwriteDirNonDir, cancellationToken);
        return TypedResults.NoContent();
    }

    private static async Task<Ok<PathStat>> StatAsync(
        string reference, string path, HttpContext http, IContainerService containers, CancellationToken cancellationToken) =>
        TypedResults.Ok(await containers.StatPathAsync(http.Caller, reference, path, cancellationToken));
}

using Candela.Controller.Api.Http;
using Candela.Controller.Api.Tasks;
using Candela.Identity.Authorization;
using Candela.Images;
using Candela.Model;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;

namespace Candela.Controller.Api.Images;

/// <summary>Images of the machine.</summary>
internal static class ImageEndpoints
{
    public static void Map(IEndpointRouteBuilder api)
    {
        var all = api.MapGroup("/images").WithTags("Images");
        all.MapGet("", ListAsync).Needs(ResourceKind.Image, Verb.List).Describe("listImages", "Lists images");
        all.MapPost("/pull", PullAsync).Needs(ResourceKind.Image, Verb.Create).ProducesLines<ProgressLine>().Describe("pullImage", "Fetches an image from a registry; tells how far it is",
            ErrorCode.ImageNotFound, ErrorCode.ImageInvalid, ErrorCode.ResourceExhausted, ErrorCode.DeadlineExceeded);
        all.MapPost("/load", LoadAsync).Needs(ResourceKind.Image, Verb.Create).AcceptsTar().ProducesLines<ProgressLine>()
            .Describe("loadImages", "Loads images from an archive (docker save or OCI layout)", ErrorCode.ImageInvalid, ErrorCode.ResourceExhausted);
        all.MapPost("/import", ImportAsync).Needs(ResourceKind.Image, Verb.Create).AcceptsTar().ProducesLines<ProgressLine>()
            .Describe("importImage", "Makes an image of a root file system", ErrorCode.ImageInvalid, ErrorCode.ResourceExhausted);
        all.MapPost("/prune", PruneAsync).Needs(ResourceKind.Image, Verb.Delete).Describe("pruneImages", "Removes images without a name, or all that no container uses, and collects garbage");
        var one = all.MapGroup("/{reference}");
        one.MapGet("", GetAsync).Needs(ResourceKind.Image, Verb.Get).Describe("getImage", "Shows an image, by name (/ written as %2F), id, or unambiguous beginning of the id", ErrorCode.ImageNotFound);
        one.MapDelete("", RemoveAsync).Needs(ResourceKind.Image, Verb.Delete).Describe("removeImage", "Removes a name, or with the last one the image", ErrorCode.ImageNotFound, ErrorCode.Conflict);
        one.MapPost("/tag", TagAsync).Needs(ResourceKind.Image, Verb.Update).Describe("tagImage", "Gives an image another name", ErrorCode.ImageNotFound);
    }

    private static async Task<Ok<Image[]>> ListAsync(HttpContext http, IImageService images, CancellationToken cancellationToken) =>
        TypedResults.Ok((await images.ListAsync(http.Caller, cancellationToken)).ToArray());

    private static async Task<Ok<Image>> GetAsync(string reference, HttpContext http, IImageService images, CancellationToken cancellationToken) =>
        TypedResults.Ok(await images.GetAsync(http.Caller, ApiRequests.Unescape(reference), cancellationToken));

    private static async Task PullAsync(PullRequest request, HttpContext http, IImageService images, TaskList tasks)
    {
        using var lifetime = http.LinkLifetime();
        var caller = http.Caller;
        var credential = request.Credential is { } given ? new RegistryCredential(given.Username, given.Password, given.IdentityToken) : null;
        await new ProgressLines(http, tasks).RunAsync("pull", request.Reference, async progress =>
            [await images.PullAsync(caller, request.Reference, credential, progress, lifetime.Token)]);
    }

    private static async Task LoadAsync(HttpContext http, IImageService images, TaskList tasks)
    {
        using var lifetime = http.LinkLifetime();
        var caller = http.Caller;
        await new ProgressLines(http, tasks).RunAsync("load", "", progress =>
            images.LoadAsync(caller, http.ReadUnlimited(), progress, lifetime.Token));
    }

    private static async Task ImportAsync(string? reference, HttpContext http, IImageService images, TaskList tasks)
    {
        using var lifetime = http.LinkLifetime();
        var caller = http.Caller;
        await new ProgressLines(http, tasks).RunAsync("import", reference ?? "", async _ =>
            [await images.ImportAsync(caller, http.ReadUnlimited(), reference, new ImageConfiguration(), lifetime.Token)]);
    }

    private static async Task<NoContent> TagAsync(
        string reference, TagRequest request, HttpContext http, IImageService images, CancellationToken cancellationToken)
    {
        await images.TagAsync(http.Caller, ApiRequests.Unescape(reference), request.Target, cancellationToken);
        return TypedResults.NoContent();
    }

    private static async Task<Ok<ImageRemoval[]>> RemoveAsync(
        string reference, HttpContext http, IImageService images, CancellationToken cancellationToken, bool force = false) =>
        TypedResults.Ok((await images.RemoveAsync(http.Caller, ApiRequests.Unescape(reference), force, cancellationToken)).ToArray());

    private static async Task<Ok<PruneAnswer>> PruneAsync(HttpContext http, IImageService images, CancellationToken cancellationToken, bool all = false)
    {
        var (removed, freedBytes) = await images.PruneAsync(http.Caller, all, isMeant: null, cancellationToken);
        return TypedResults.Ok(new PruneAnswer(removed, freedBytes));
    }
}

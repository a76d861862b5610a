using Candela.Controller.Api.Http;
using Candela.Identity.Authorization;
using Candela.Model;
using Candela.Model.Networking;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;

namespace Candela.Controller.Api.Networks;

/// <summary>Segments, which are Docker's networks.</summary>
internal static class SegmentEndpoints
{
    public static void Map(IEndpointRouteBuilder api)
    {
        var all = api.MapGroup("/segments").WithTags("Segments");
        all.MapGet("", ListAsync).Needs(ResourceKind.Segment, Verb.List).Describe("listSegments", "Lists the segments (Docker's networks) of the project, the built-in one first");
        all.MapPost("", CreateAsync).Needs(ResourceKind.Segment, Verb.Create).Describe("createSegment", "Creates a segment", ErrorCode.NotFound, ErrorCode.AlreadyExists, ErrorCode.Conflict, ErrorCode.ResourceExhausted);
        var one = all.MapGroup("/{reference}");
        one.MapGet("", GetAsync).Needs(ResourceKind.Segment, Verb.Get).Describe("getSegment", "Shows a segment, by name or id", ErrorCode.NotFound);
        one.MapPatch("", UpdateAsync).Needs(ResourceKind.Segment, Verb.Update).Describe("updateSegment", "Changes a segment's routes and rate limits, for what is connected, too", ErrorCode.NotFound, ErrorCode.ResourceExhausted);
        one.MapDelete("", DeleteAsync).Needs(ResourceKind.Segment, Verb.Delete).Describe("deleteSegment", "Removes a segment that no container is connected to and no policy speaks of", ErrorCode.NotFound, ErrorCode.Conflict);
    }

    private static async Task<Ok<ContainerNetwork[]>> ListAsync(HttpContext http, INetworkService networks, CancellationToken cancellationToken) =>
        TypedResults.Ok((await networks.ListAsync(http.Caller, cancellationToken)).ToArray());

    private static async Task<Created<ContainerNetwork>> CreateAsync(NetworkSpec spec, HttpContext http, INetworkService networks, CancellationToken cancellationToken)
    {
        ContainerNetwork network = await networks.CreateAsync(http.Caller, spec, cancellationToken);
        return TypedResults.Created($"/v1/segments/{network.Id}", network);
    }

    private static async Task<Ok<ContainerNetwork>> GetAsync(string reference, HttpContext http, INetworkService networks, CancellationToken cancellationToken) =>
        TypedResults.Ok(await networks.GetAsync(http.Caller, reference, cancellationToken));

    private static async Task<Ok<ContainerNetwork>> UpdateAsync(string reference, SegmentChange change, HttpContext http, INetworkService networks, CancellationToken cancellationToken) =>
        TypedResults.Ok(await networks.UpdateAsync(http.Caller, reference, change, cancellationToken));

    private static async Task<NoContent> DeleteAsync(string reference, HttpContext http, INetworkService networks, CancellationToken cancellationToken)
    {
        await networks.RemoveAsync(http.Caller, reference, cancellationToken);
        return TypedResults.NoContent();
    }
}

using Candela.Controller.Api.Access;
using Candela.Controller.Api.Http;
using Candela.Identity.Authorization;
using Candela.Model;
using Candela.Model.Networking;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;

namespace Candela.Controller.Api.Networks;

/// <summary>The flow log and its counters.</summary>
internal static class FlowEndpoints
{
    public static void Map(IEndpointRouteBuilder api)
    {
        var flows = api.MapGroup("/flows").WithTags("Flows");
        flows.MapGet("", ReadAsync).Access(RouteAccess.Project(ResourceKind.NetworkPolicy, Verb.Get)).ProducesLines<FlowRecord>()
            .Describe("readFlows", "Who talked to whom, and what was dropped by which policy: the latest entries and, followed, those to come, as lines of JSON", ErrorCode.NotFound);
        flows.MapGet("/counters", CountAsync).Needs(ResourceKind.NetworkPolicy, Verb.Get).Describe("countFlows", "Packets and bytes by policy and reason");
    }

    private static async Task ReadAsync(
        HttpContext http, IFlowService flows, DateTimeOffset? since, DateTimeOffset? until, FlowOutcome? outcome, string? policy, string? container, int limit = 1000, bool follow = false)
    {
        Caller caller = http.Caller;
        using var lifetime = http.LinkLifetime();
        var query = new FlowQuery { Since = since, Until = until, Outcome = outcome, Policy = policy, Container = container, Limit = limit, Follow = follow };
        await using var entries = flows.ReadAsync(caller, query, lifetime.Token).GetAsyncEnumerator(lifetime.Token);
        var next = entries.MoveNextAsync().AsTask();
        if (next.IsCompleted)
            await next; // a failure at once still gets its status
        await http.StartStreamAsync(ApiRequests.LinesType);
        try
        {
            while (await next)
            {
                http.WriteLine(entries.Current, ApiJson.Default.FlowRecord);
                next = entries.MoveNextAsync().AsTask();
                if (!next.IsCompleted)
                    await http.Response.BodyWriter.FlushAsync(lifetime.Token);
            }
        }
        catch (OperationCanceledException) when (lifetime.IsCancellationRequested)
        {
            // The client has seen enough, or the daemon stops.
        }
    }

    private static async Task<Ok<FlowCounter[]>> CountAsync(HttpContext http, IFlowService flows, CancellationToken cancellationToken) =>
        TypedResults.Ok((await flows.CountAsync(http.Caller, cancellationToken)).ToArray());
}

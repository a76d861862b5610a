using Candela.Controller.Api.Http;
using Candela.Identity.Authorization;
using Candela.Model;
using Candela.Model.Networking;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;

namespace Candela.Controller.Api.Networks;

/// <summary>Network policies, and what holds where none decides.</summary>
internal static class NetworkPolicyEndpoints
{
    public static void Map(IEndpointRouteBuilder api)
    {
        var all = api.MapGroup("/network-policies").WithTags("Network policies");
        all.MapGet("", ListAsync).Needs(ResourceKind.NetworkPolicy, Verb.List).Describe("listNetworkPolicies", "Lists the network policies of the project, in the order in which they decide");
        all.MapPost("", CreateAsync).Needs(ResourceKind.NetworkPolicy, Verb.Create).Describe("createNetworkPolicy", "Creates a network policy; enforced when this answers", ErrorCode.NotFound, ErrorCode.AlreadyExists, ErrorCode.ResourceExhausted);
        var one = all.MapGroup("/{name}");
        one.MapGet("", GetAsync).Needs(ResourceKind.NetworkPolicy, Verb.Get).Describe("getNetworkPolicy", "Shows a network policy", ErrorCode.NotFound);
        one.MapPut("", ReplaceAsync).Needs(ResourceKind.NetworkPolicy, Verb.Update).Describe("replaceNetworkPolicy", "Replaces a network policy; enforced when this answers, for open connections, too", ErrorCode.NotFound, ErrorCode.Conflict);
        one.MapDelete("", DeleteAsync).Needs(ResourceKind.NetworkPolicy, Verb.Delete).Describe("deleteNetworkPolicy", "Removes a network policy", ErrorCode.NotFound);
        var settings = api.MapGroup("/networking").WithTags("Network policies");
        settings.MapGet("", GetSettingsAsync).Needs(ResourceKind.NetworkPolicy, Verb.Get).Describe("getNetworking", "Shows what holds in the project where no policy decides");
        settings.MapPut("", SetSettingsAsync).Needs(ResourceKind.NetworkPolicy, Verb.Update).Describe("setNetworking", "Changes what holds in the project where no policy decides");
    }

    private static async Task<Ok<NetworkPolicy[]>> ListAsync(HttpContext http, INetworkPolicyService policies, CancellationToken cancellationToken) =>
        TypedResults.Ok((await policies.ListPoliciesAsync(http.Caller, cancellationToken)).ToArray());

    private static async Task<Created<NetworkPolicy>> CreateAsync(NetworkPolicySpec spec, HttpContext http, INetworkPolicyService policies, CancellationToken cancellationToken)
    {
        NetworkPolicy policy = await policies.CreatePolicyAsync(http.Caller, spec, cancellationToken);
        return TypedResults.Created($"/v1/network-policies/{policy.Name}", policy);
    }

    private static async Task<Ok<NetworkPolicy>> GetAsync(string name, HttpContext http, INetworkPolicyService policies, CancellationToken cancellationToken) =>
        TypedResults.Ok(await policies.GetPolicyAsync(http.Caller, name, cancellationToken));

    private static async Task<Ok<NetworkPolicy>> ReplaceAsync(string name, NetworkPolicySpec spec, HttpContext http, INetworkPolicyService policies, CancellationToken cancellationToken)
    {
        NetworkRequests.CheckName(name, spec.Name);
        return TypedResults.Ok(await policies.ReplacePolicyAsync(http.Caller, spec, cancellationToken));
    }

    private static async Task<NoContent> DeleteAsync(string name, HttpContext http, INetworkPolicyService policies, CancellationToken cancellationToken)
    {
        await policies.RemovePolicyAsync(http.Caller, name, cancellationToken);
        return TypedResults.NoContent();
    }

    private static async Task<Ok<ProjectNetworking>> GetSettingsAsync(HttpContext http, INetworkPolicyService policies, CancellationToken cancellationToken) =>
        TypedResults.Ok(await policies.GetSettingsAsync(http.Caller, cancellationToken));

    private static async Task<Ok<ProjectNetworking>> SetSettingsAsync(ProjectNetworking settings, HttpContext http, INetworkPolicyService policies, CancellationToken cancellationToken) =>
        TypedResults.Ok(await policies.SetSettingsAsync(http.Caller, settings, cancellationToken));
}

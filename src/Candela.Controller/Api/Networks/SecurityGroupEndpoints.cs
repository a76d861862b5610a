using Candela.Controller.Api.Http;
using Candela.Identity.Authorization;
using Candela.Model;
using Candela.Model.Networking;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;

namespace Candela.Controller.Api.Networks;

/// <summary>Security groups.</summary>
internal static class SecurityGroupEndpoints
{
    public static void Map(IEndpointRouteBuilder api)
    {
        var all = api.MapGroup("/security-groups").WithTags("Security groups");
        all.MapGet("", ListAsync).Describe("listSecurityGroups", "Lists the security groups of the project");
        all.MapPost("", CreateAsync).Describe("createSecurityGroup", "Creates a security group: the containers that have some labels", ErrorCode.AlreadyExists, ErrorCode.ResourceExhausted);
        var one = all.MapGroup("/{name}");
        one.MapGet("", GetAsync).Describe("getSecurityGroup", "Shows a security group", ErrorCode.NotFound);
        one.MapPut("", ReplaceAsync).Describe("replaceSecurityGroup", "Replaces a security group; enforced when this answers", ErrorCode.NotFound, ErrorCode.Conflict);
        one.MapDelete("", DeleteAsync).Describe("deleteSecurityGroup", "Removes a security group that no policy speaks of", ErrorCode.NotFound, ErrorCode.Conflict);
        one.MapGet("/members", ListMembersAsync).Describe("listSecurityGroupMembers", "Lists the names of the connected containers that are members", ErrorCode.NotFound);
    }

    private static async Task<Ok<SecurityGroup[]>> ListAsync(HttpContext http, INetworkPolicyService policies, CancellationToken cancellationToken) =>
        TypedResults.Ok((await policies.ListGroupsAsync(await http.MayAsync(ResourceKind.NetworkPolicy, Verb.List), cancellationToken)).ToArray());

    private static async Task<Created<SecurityGroup>> CreateAsync(SecurityGroupSpec spec, HttpContext http, INetworkPolicyService policies, CancellationToken cancellationToken)
    {
        SecurityGroup group = await policies.CreateGroupAsync(await http.MayAsync(ResourceKind.NetworkPolicy, Verb.Create), spec, cancellationToken);
        return TypedResults.Created($"/v1/security-groups/{group.Name}", group);
    }

    private static async Task<Ok<SecurityGroup>> GetAsync(string name, HttpContext http, INetworkPolicyService policies, CancellationToken cancellationToken) =>
        TypedResults.Ok(await policies.GetGroupAsync(await http.MayAsync(ResourceKind.NetworkPolicy, Verb.Get), name, cancellationToken));

    private static async Task<Ok<SecurityGroup>> ReplaceAsync(string name, SecurityGroupSpec spec, HttpContext http, INetworkPolicyService policies, CancellationToken cancellationToken)
    {
        NetworkRequests.CheckName(name, spec.Name);
        return TypedResults.Ok(await policies.ReplaceGroupAsync(await http.MayAsync(ResourceKind.NetworkPolicy, Verb.Update), spec, cancellationToken));
    }

    private static async Task<NoContent> DeleteAsync(string name, HttpContext http, INetworkPolicyService policies, CancellationToken cancellationToken)
    {
        await policies.RemoveGroupAsync(await http.MayAsync(ResourceKind.NetworkPolicy, Verb.Delete), name, cancellationToken);
        return TypedResults.NoContent();
    }

    private static async Task<Ok<string[]>> ListMembersAsync(string name, HttpContext http, INetworkPolicyService policies, CancellationToken cancellationToken) =>
        TypedResults.Ok((await policies.ListMembersAsync(await http.MayAsync(ResourceKind.NetworkPolicy, Verb.Get), name, cancellationToken)).ToArray());
}

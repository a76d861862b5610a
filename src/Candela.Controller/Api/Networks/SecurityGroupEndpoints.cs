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
        all.MapGet("", ListAsync).Needs(ResourceKind.NetworkPolicy, Verb.List).Describe("listSecurityGroups", "Lists the security groups of the project");
        all.MapPost("", CreateAsync).Needs(ResourceKind.NetworkPolicy, Verb.Create).Describe("createSecurityGroup", "Creates a security group: the containers that have some labels", ErrorCode.AlreadyExists, ErrorCode.ResourceExhausted);
        var one = all.MapGroup("/{name}");
        one.MapGet("", GetAsync).Needs(ResourceKind.NetworkPolicy, Verb.Get).Describe("getSecurityGroup", "Shows a security group", ErrorCode.NotFound);
        one.MapPut("", ReplaceAsync).Needs(ResourceKind.NetworkPolicy, Verb.Update).Describe("replaceSecurityGroup", "Replaces a security group; enforced when this answers", ErrorCode.NotFound, ErrorCode.Conflict);
        one.MapDelete("", DeleteAsync).Needs(ResourceKind.NetworkPolicy, Verb.Delete).Describe("deleteSecurityGroup", "Removes a security group that no policy speaks of", ErrorCode.NotFound, ErrorCode.Conflict);
        one.MapGet("/members", ListMembersAsync).Needs(ResourceKind.NetworkPolicy, Verb.Get).Describe("listSecurityGroupMembers", "Lists the names of the connected containers that are members", ErrorCode.NotFound);
    }

    private static async Task<Ok<SecurityGroup[]>> ListAsync(HttpContext http, INetworkPolicyService policies, CancellationToken cancellationToken) =>
        TypedResults.Ok((await policies.ListGroupsAsync(http.Caller, cancellationToken)).ToArray());

    private static async Task<Created<SecurityGroup>> CreateAsync(SecurityGroupSpec spec, HttpContext http, INetworkPolicyService policies, CancellationToken cancellationToken)
    {
        SecurityGroup group = await policies.CreateGroupAsync(http.Caller, Checked(spec), cancellationToken);
        return TypedResults.Created($"/v1/security-groups/{group.Name}", group);
    }

    private static async Task<Ok<SecurityGroup>> GetAsync(string name, HttpContext http, INetworkPolicyService policies, CancellationToken cancellationToken) =>
        TypedResults.Ok(await policies.GetGroupAsync(http.Caller, name, cancellationToken));

    private static async Task<Ok<SecurityGroup>> ReplaceAsync(string name, SecurityGroupSpec spec, HttpContext http, INetworkPolicyService policies, CancellationToken cancellationToken)
    {
        NetworkRequests.CheckName(name, spec.Name);
        return TypedResults.Ok(await policies.ReplaceGroupAsync(http.Caller, Checked(spec), cancellationToken));
    }

    private static SecurityGroupSpec Checked(SecurityGroupSpec spec) =>
        spec.Labels.Checked("labels") is null ? throw new CandelaException(ErrorCode.InvalidArgument, "labels is missing") : spec;

    private static async Task<NoContent> DeleteAsync(string name, HttpContext http, INetworkPolicyService policies, CancellationToken cancellationToken)
    {
        await policies.RemoveGroupAsync(http.Caller, name, cancellationToken);
        return TypedResults.NoContent();
    }

    private static async Task<Ok<string[]>> ListMembersAsync(string name, HttpContext http, INetworkPolicyService policies, CancellationToken cancellationToken) =>
        TypedResults.Ok((await policies.ListMembersAsync(http.Caller, name, cancellationToken)).ToArray());
}

using Candela.Controller.Api.Http;
using Candela.Identity.Accounts;
using Candela.Identity.Administration;
using Candela.Identity.Authorization;
using Candela.Model;
using Candela.Model.Identity;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;

namespace Candela.Controller.Api.Identity;

/// <summary>Groups and their members.</summary>
internal static class GroupEndpoints
{
    private const int DefaultPageCount = 100;

    public static void Map(IEndpointRouteBuilder api)
    {
        var all = api.MapGroup("/groups").WithTags("Groups");
        all.MapGet("", ListAsync).Needs(ResourceKind.Group, Verb.List)
            .Describe("listGroups", $"Lists groups by name, at most 'limit' (1 to {AccountLimits.PageCount}); the next page is 'after' the last name", ErrorCode.NotFound);
        all.MapPost("", CreateAsync).Needs(ResourceKind.Group, Verb.Create).Describe("createGroup", "Creates a group", ErrorCode.NotFound, ErrorCode.AlreadyExists);
        var one = all.MapGroup("/{reference}");
        one.MapGet("", GetAsync).Needs(ResourceKind.Group, Verb.Get).Describe("getGroup", "Shows a group, by name or id", ErrorCode.NotFound);
        one.MapPatch("", UpdateAsync).Needs(ResourceKind.Group, Verb.Update).Describe("updateGroup", "Changes or renames a group", ErrorCode.NotFound, ErrorCode.Conflict, ErrorCode.AlreadyExists);
        one.MapDelete("", DeleteAsync).Needs(ResourceKind.Group, Verb.Delete).Describe("deleteGroup", "Removes a group with its memberships and bindings", ErrorCode.NotFound);
        one.MapGet("/members", ListMembersAsync).Needs(ResourceKind.Group, Verb.Get).Describe("listGroupMembers", "Lists the direct members of a group", ErrorCode.NotFound);
        one.MapPut("/members/{member}", AddMemberAsync).Needs(ResourceKind.Group, Verb.Update)
            .Describe("addGroupMember", "Takes user:NAME, group:NAME or service-account:NAME of the same domain into a group", ErrorCode.NotFound, ErrorCode.NotModified, ErrorCode.ResourceExhausted);
        one.MapDelete("/members/{member}", RemoveMemberAsync).Needs(ResourceKind.Group, Verb.Update).Describe("removeGroupMember", "Takes a member out of a group", ErrorCode.NotFound, ErrorCode.NotModified);
    }

    private static async Task<Ok<GroupReport[]>> ListAsync(
        HttpContext http, DirectoryAdministration directory, IdentityReports reports, CancellationToken cancellationToken, string? domain = null, string? after = null, int limit = DefaultPageCount)
    {
        var found = await directory.ListAsync(http.Actor, domain ?? Domain.SystemName, EntryKind.Group, after, limit, cancellationToken);
        return TypedResults.Ok(found.Cast<Group>().Select(reports.Of).ToArray());
    }

    private static async Task<Created<GroupReport>> CreateAsync(
        CreateGroupRequest request, HttpContext http, DirectoryAdministration directory, IdentityReports reports, CancellationToken cancellationToken, string? domain = null)
    {
        var group = await directory.CreateAsync(
            http.Actor,
            domain ?? Domain.SystemName,
            id => new Group { DomainId = id, Name = request.Name, Description = request.Description, GidNumber = request.GidNumber ?? 0 },
            password: null,
            mustChange: false,
            cancellationToken);
        return TypedResults.Created($"/v1/groups/{group.Name}", reports.Of(group));
    }

    private static async Task<Ok<GroupReport>> GetAsync(
        string reference, HttpContext http, DirectoryAdministration directory, IdentityReports reports, CancellationToken cancellationToken, string? domain = null) =>
        TypedResults.Ok(reports.Of((Group)await directory.GetAsync(http.Actor, Reference(reference, domain), cancellationToken)));

    private static async Task<Ok<GroupReport>> UpdateAsync(
        string reference, UpdateGroupRequest request, HttpContext http, DirectoryAdministration directory, IdentityReports reports, CancellationToken cancellationToken, string? domain = null) =>
        TypedResults.Ok(reports.Of(await directory.UpdateAsync<Group>(
            http.Actor, Reference(reference, domain), group => IdentityRequests.Change(group, request), request.Revision, cancellationToken)));

    private static async Task<NoContent> DeleteAsync(
        string reference, HttpContext http, DirectoryAdministration directory, CancellationToken cancellationToken, string? domain = null)
    {
        await directory.DeleteAsync(http.Actor, Reference(reference, domain), cancellationToken);
        return TypedResults.NoContent();
    }

    private static async Task<Ok<MemberReport[]>> ListMembersAsync(
        string reference, HttpContext http, DirectoryAdministration directory, IdentityReports reports, CancellationToken cancellationToken, string? domain = null) =>
        TypedResults.Ok((await directory.ListMembersAsync(http.Actor, Reference(reference, domain), cancellationToken)).Select(reports.OfMember).ToArray());

    private static async Task<NoContent> AddMemberAsync(
        string reference, string member, HttpContext http, DirectoryAdministration directory, CancellationToken cancellationToken, string? domain = null)
    {
        if (!await directory.AddMemberAsync(http.Actor, Reference(reference, domain), Member(member, domain), cancellationToken))
            throw new CandelaException(ErrorCode.NotModified, $"{member} is a member already");
        return TypedResults.NoContent();
    }

    private static async Task<NoContent> RemoveMemberAsync(
        string reference, string member, HttpContext http, DirectoryAdministration directory, CancellationToken cancellationToken, string? domain = null)
    {
        if (!await directory.RemoveMemberAsync(http.Actor, Reference(reference, domain), Member(member, domain), cancellationToken))
            throw new CandelaException(ErrorCode.NotModified, $"{member} is no member");
        return TypedResults.NoContent();
    }

    private static EntryReference Reference(string reference, string? domain) => IdentityRequests.Reference(EntryKind.Group, reference, domain);

    private static EntryReference Member(string member, string? domain) => ApiRequests.Unescape(member).Split(':', 2) switch
    {
        ["user", var name] => new(domain ?? Domain.SystemName, EntryKind.User, name),
        ["group", var name] => new(domain ?? Domain.SystemName, EntryKind.Group, name),
        ["service-account", var name] => new(domain ?? Domain.SystemName, EntryKind.ServiceAccount, name),
        ["machine", var name] => new(domain ?? Domain.SystemName, EntryKind.Machine, name),
        _ => throw new CandelaException(ErrorCode.InvalidArgument, $"'{member}' is no member: it must be like user:ada, group:developers or service-account:ci"),
    };
}

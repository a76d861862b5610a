using Candela.Controller.Api.Access;
using Candela.Controller.Api.Http;
using Candela.Identity.Administration;
using Candela.Identity.Authorization;
using Candela.Model;
using Candela.Model.Identity;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;

namespace Candela.Controller.Api.Identity;

/// <summary>Roles, who has them where, and what follows from it.</summary>
internal static class PolicyEndpoints
{
    public static void Map(IEndpointRouteBuilder api)
    {
        var roles = api.MapGroup("/roles").WithTags("Roles");
        roles.MapGet("", ListRolesAsync).Needs(ResourceKind.Role, Verb.List).Describe("listRoles", "Lists the roles that can be given in a tenant, or without one those for everywhere");
        roles.MapPost("", CreateRoleAsync).Needs(ResourceKind.Role, Verb.Create).Describe("createRole", "Creates a role", ErrorCode.AlreadyExists);
        var role = roles.MapGroup("/{name}");
        role.MapGet("", GetRoleAsync).Needs(ResourceKind.Role, Verb.Get).Describe("getRole", "Shows a role", ErrorCode.NotFound);
        role.MapPatch("", UpdateRoleAsync).Needs(ResourceKind.Role, Verb.Update).Describe("updateRole", "Changes what a role allows, for all who have it", ErrorCode.NotFound, ErrorCode.Conflict);
        role.MapDelete("", DeleteRoleAsync).Needs(ResourceKind.Role, Verb.Delete).Describe("deleteRole", "Removes a role that nobody has", ErrorCode.NotFound, ErrorCode.Conflict);
        var bindings = api.MapGroup("/bindings").WithTags("Bindings");
        bindings.MapGet("", ListBindingsAsync).Needs(ResourceKind.Binding, Verb.List).Describe("listBindings", "Lists who has which role at a scope and within it", ErrorCode.NotFound);
        bindings.MapPost("", BindAsync).Needs(ResourceKind.Binding, Verb.Create).Describe("createBinding", "Gives a role to somebody, somewhere", ErrorCode.NotFound);
        bindings.MapDelete("/{id}", UnbindAsync).Needs(ResourceKind.Binding, Verb.Delete).Describe("deleteBinding", "Takes a role away", ErrorCode.NotFound);
        api.MapGet("/can-i", DecideAsync).Access(RouteAccess.Own).WithTags("Bindings")
            .Describe("canI", "Whether the caller, or a subject, may do something somewhere, and why", ErrorCode.NotFound);
    }

    private static async Task<Ok<RoleReport[]>> ListRolesAsync(HttpContext http, PolicyAdministration policy, CancellationToken cancellationToken, string? tenant = null) =>
        TypedResults.Ok((await policy.ListRolesAsync(http.Actor, tenant, cancellationToken)).Select(IdentityReports.Of).ToArray());

    private static async Task<Created<RoleReport>> CreateRoleAsync(CreateRoleRequest request, HttpContext http, PolicyAdministration policy, CancellationToken cancellationToken)
    {
        var role = await policy.CreateRoleAsync(
            http.Actor, new Role { Name = request.Name, Tenant = request.Tenant, Description = request.Description, Permissions = request.Permissions.Checked("permissions") ?? [] }, cancellationToken);
        return TypedResults.Created($"/v1/roles/{role.Name}", IdentityReports.Of(role));
    }

    private static async Task<Ok<RoleReport>> GetRoleAsync(string name, HttpContext http, PolicyAdministration policy, CancellationToken cancellationToken, string? tenant = null) =>
        TypedResults.Ok(IdentityReports.Of(await policy.GetRoleAsync(http.Actor, tenant, name, cancellationToken)));

    private static async Task<Ok<RoleReport>> UpdateRoleAsync(
        string name, UpdateRoleRequest request, HttpContext http, PolicyAdministration policy, CancellationToken cancellationToken, string? tenant = null) =>
        TypedResults.Ok(IdentityReports.Of(await policy.UpdateRoleAsync(
            http.Actor, tenant, name, role => IdentityRequests.Change(role, request), request.Revision, cancellationToken)));

    private static async Task<NoContent> DeleteRoleAsync(string name, HttpContext http, PolicyAdministration policy, CancellationToken cancellationToken, string? tenant = null)
    {
        await policy.DeleteRoleAsync(http.Actor, tenant, name, cancellationToken);
        return TypedResults.NoContent();
    }

    private static async Task<Ok<BindingReport[]>> ListBindingsAsync(
        HttpContext http, PolicyAdministration policy, IdentityReports reports, CancellationToken cancellationToken, string? scope = null, string? subject = null)
    {
        var found = await policy.ListBindingsAsync(
            http.Actor, IdentityRequests.Scope(scope), subject is null ? null : policy.FindSubject(subject), cancellationToken);
        return TypedResults.Ok(found.Select(reports.Of).ToArray());
    }

    private static async Task<Created<BindingReport>> BindAsync(
        CreateBindingRequest request, HttpContext http, PolicyAdministration policy, IdentityReports reports, CancellationToken cancellationToken)
    {
        var binding = await policy.CreateBindingAsync(http.Actor, policy.FindSubject(request.Subject), request.Role, IdentityRequests.Scope(request.Scope), cancellationToken);
        return TypedResults.Created($"/v1/bindings/{binding.Id}", reports.Of(binding));
    }

    private static async Task<NoContent> UnbindAsync(Guid id, HttpContext http, PolicyAdministration policy, CancellationToken cancellationToken)
    {
        await policy.DeleteBindingAsync(http.Actor, id, cancellationToken);
        return TypedResults.NoContent();
    }

    private static async Task<Ok<DecisionReport>> DecideAsync(
        string permission, HttpContext http, PolicyAdministration policy, CancellationToken cancellationToken, string? scope = null, string? subject = null)
    {
        if (!Permission.TryParse(permission, out var asked))
            throw new CandelaException(ErrorCode.InvalidArgument, $"'{permission}' is no permission: it must be like container:create");
        return TypedResults.Ok(IdentityReports.Of(await policy.DecideAsync(
            http.Actor, subject is null ? null : policy.FindSubject(subject), asked, IdentityRequests.Scope(scope), cancellationToken)));
    }
}

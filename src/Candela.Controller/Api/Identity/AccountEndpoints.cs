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

/// <summary>Users and service accounts: the same calls on both.</summary>
internal static class AccountEndpoints
{
    private const int DefaultPageCount = 100;

    public static void Map(IEndpointRouteBuilder api)
    {
        Map(api.MapGroup("/users").WithTags("Users"), EntryKind.User, ResourceKind.User, "User", "user");
        Map(api.MapGroup("/service-accounts").WithTags("Service accounts"), EntryKind.ServiceAccount, ResourceKind.ServiceAccount, "ServiceAccount", "service account");
    }

    private static void Map(RouteGroupBuilder all, EntryKind kind, ResourceKind resource, string id, string name)
    {
        all.MapGet("", (HttpContext http, DirectoryAdministration directory, IdentityReports reports, CancellationToken cancellationToken, string? domain = null, string? after = null, int limit = DefaultPageCount) =>
                ListAsync(kind, domain, after, limit, http, directory, reports, cancellationToken))
            .Needs(resource, Verb.List).Describe($"list{id}s", $"Lists {name}s by name, at most 'limit' (1 to {AccountLimits.PageCount}); the next page is 'after' the last name", ErrorCode.NotFound);
        all.MapPost("", (CreateAccountRequest request, HttpContext http, DirectoryAdministration directory, IdentityReports reports, CancellationToken cancellationToken, string? domain = null) =>
                CreateAsync(kind, domain, request, http, directory, reports, cancellationToken))
            .Needs(resource, Verb.Create).Describe($"create{id}", $"Creates a {name}", ErrorCode.NotFound, ErrorCode.AlreadyExists);
        var one = all.MapGroup("/{reference}");
        one.MapGet("", (string reference, HttpContext http, DirectoryAdministration directory, IdentityReports reports, CancellationToken cancellationToken, string? domain = null) =>
                GetAsync(Reference(reference, domain), http, directory, reports, cancellationToken))
            .Needs(resource, Verb.Get).Describe($"get{id}", $"Shows a {name}, by name or id", ErrorCode.NotFound);
        one.MapPatch("", (string reference, UpdateAccountRequest request, HttpContext http, DirectoryAdministration directory, IdentityReports reports, CancellationToken cancellationToken, string? domain = null) =>
                UpdateAsync(Reference(reference, domain), request, http, directory, reports, cancellationToken))
            .Needs(resource, Verb.Update).Describe($"update{id}", $"Changes or renames a {name}", ErrorCode.NotFound, ErrorCode.Conflict, ErrorCode.AlreadyExists);
        one.MapDelete("", (string reference, HttpContext http, DirectoryAdministration directory, CancellationToken cancellationToken, string? domain = null) =>
                DoAsync(directory.DeleteAsync(http.Actor, Reference(reference, domain), cancellationToken)))
            .Needs(resource, Verb.Delete).Describe($"delete{id}", $"Removes a {name} with its memberships and bindings", ErrorCode.NotFound);
        one.MapGet("/credentials", (string reference, HttpContext http, DirectoryAdministration directory, CancellationToken cancellationToken, string? domain = null) =>
                GetCredentialsAsync(Reference(reference, domain), http, directory, cancellationToken))
            .Needs(resource, Verb.Get).Describe($"get{id}Credentials", $"What a {name} proves itself by, and whether it is locked", ErrorCode.NotFound);
        one.MapPut("/password", (string reference, ResetPasswordRequest request, HttpContext http, DirectoryAdministration directory, CancellationToken cancellationToken, string? domain = null) =>
                DoAsync(directory.ResetPasswordAsync(http.Actor, Reference(reference, domain), request.Password, request.MustChange ?? kind == EntryKind.User, cancellationToken)))
            .Needs(resource, Verb.Reset).Describe($"reset{id}Password", $"Sets the password of a {name} in its owner's stead, and ends its lock", ErrorCode.NotFound);
        one.MapDelete("/second-factor", (string reference, HttpContext http, DirectoryAdministration directory, CancellationToken cancellationToken, string? domain = null) =>
                DoAsync(directory.RemoveSecondFactorAsync(http.Actor, Reference(reference, domain), cancellationToken)))
            .Needs(resource, Verb.Reset).Describe($"remove{id}SecondFactor", $"Takes the second factor of a {name} away", ErrorCode.NotFound);
        one.MapPost("/unlock", (string reference, HttpContext http, DirectoryAdministration directory, CancellationToken cancellationToken, string? domain = null) =>
                DoAsync(directory.UnlockAsync(http.Actor, Reference(reference, domain), cancellationToken)))
            .Needs(resource, Verb.Reset).Describe($"unlock{id}", $"Ends the lock of a {name} after too many failures", ErrorCode.NotFound);

        EntryReference Reference(string reference, string? domain) => IdentityRequests.Reference(kind, reference, domain);
    }

    private static async Task<Ok<AccountReport[]>> ListAsync(
        EntryKind kind, string? domain, string? after, int limit, HttpContext http, DirectoryAdministration directory, IdentityReports reports, CancellationToken cancellationToken)
    {
        var found = await directory.ListAsync(http.Actor, domain ?? Domain.SystemName, kind, after, limit, cancellationToken);
        return TypedResults.Ok(found.Select(reports.OfAccount).ToArray());
    }

    private static async Task<Created<AccountReport>> CreateAsync(
        EntryKind kind, string? domain, CreateAccountRequest request, HttpContext http, DirectoryAdministration directory, IdentityReports reports, CancellationToken cancellationToken)
    {
        bool isUser = kind == EntryKind.User;
        var made = await directory.CreateAsync<DirectoryEntry>(
            http.Actor,
            domain ?? Domain.SystemName,
            id => isUser ? IdentityRequests.User(id, request) : IdentityRequests.ServiceAccount(id, request),
            request.Password,
            request.MustChangePassword ?? isUser,
            cancellationToken);
        return TypedResults.Created($"{http.Request.Path}/{made.Name}", reports.OfAccount(made));
    }

    private static async Task<Ok<AccountReport>> GetAsync(
        EntryReference reference, HttpContext http, DirectoryAdministration directory, IdentityReports reports, CancellationToken cancellationToken) =>
        TypedResults.Ok(reports.OfAccount(await directory.GetAsync(http.Actor, reference, cancellationToken)));

    private static async Task<Ok<AccountReport>> UpdateAsync(
        EntryReference reference, UpdateAccountRequest request, HttpContext http, DirectoryAdministration directory, IdentityReports reports, CancellationToken cancellationToken) =>
        TypedResults.Ok(reports.OfAccount(reference.Kind == EntryKind.User
            ? await directory.UpdateAsync<User>(http.Actor, reference, user => IdentityRequests.Change(user, request), request.Revision, cancellationToken)
            : await directory.UpdateAsync<ServiceAccount>(http.Actor, reference, account => IdentityRequests.Change(account, request), request.Revision, cancellationToken)));

    private static async Task<Ok<CredentialReport>> GetCredentialsAsync(
        EntryReference reference, HttpContext http, DirectoryAdministration directory, CancellationToken cancellationToken) =>
        TypedResults.Ok(IdentityReports.Of(await directory.GetCredentialsAsync(http.Actor, reference, cancellationToken)));

    private static async Task<NoContent> DoAsync(Task done)
    {
        await done;
        return TypedResults.NoContent();
    }
}

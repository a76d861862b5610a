using System.Text;
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

/// <summary>Domains: the system's and one for each tenant.</summary>
internal static class DomainEndpoints
{
    public static void Map(IEndpointRouteBuilder api)
    {
        var all = api.MapGroup("/domains").WithTags("Domains");
        all.MapGet("", ListAsync).Needs(ResourceKind.Domain, Verb.List).Describe("listDomains", "Lists domains");
        all.MapPost("", CreateAsync).Needs(ResourceKind.Domain, Verb.Create).Describe("createDomain", "Creates the domain of a tenant", ErrorCode.AlreadyExists);
        var one = all.MapGroup("/{domain}");
        one.MapGet("", GetAsync).Needs(ResourceKind.Domain, Verb.Get).Describe("getDomain", "Shows a domain with its password policy", ErrorCode.NotFound);
        one.MapPatch("", UpdateAsync).Needs(ResourceKind.Domain, Verb.Update).Describe("updateDomain", "Changes a domain or its password policy", ErrorCode.NotFound, ErrorCode.Conflict);
        one.MapDelete("", DeleteAsync).Needs(ResourceKind.Domain, Verb.Delete).Describe("deleteDomain", "Removes a domain without accounts and groups", ErrorCode.NotFound, ErrorCode.Conflict);
        one.MapGet("/ldif", ExportAsync).Needs(ResourceKind.Domain, Verb.Get).Produces<Stream>(StatusCodes.Status200OK, ApiRequests.LdifType)
            .Describe("exportDomain", "Writes accounts and groups as LDIF (RFC 2849), with password hashes if asked for", ErrorCode.NotFound);
        one.MapPost("/ldif", ImportAsync).Needs(ResourceKind.User, Verb.Create).AcceptsFile(ApiRequests.LdifType)
            .Describe("importDomain", "Makes the accounts, groups and memberships of an LDIF file; what exists stays", ErrorCode.NotFound);
    }

    private static async Task<Ok<DomainReport[]>> ListAsync(
        HttpContext http, DirectoryAdministration directory, IdentityReports reports, CancellationToken cancellationToken) =>
        TypedResults.Ok((await directory.ListDomainsAsync(http.Actor, cancellationToken)).Select(reports.Of).ToArray());

    private static async Task<Created<DomainReport>> CreateAsync(
        CreateDomainRequest request, HttpContext http, DirectoryAdministration directory, IdentityReports reports, CancellationToken cancellationToken)
    {
        var domain = await directory.CreateDomainAsync(
            http.Actor, new Domain { Name = request.Name ?? request.Tenant, Tenant = request.Tenant, Description = request.Description }, cancellationToken);
        return TypedResults.Created($"/v1/domains/{domain.Name}", reports.Of(domain));
    }

    private static async Task<Ok<DomainReport>> GetAsync(
        string domain, HttpContext http, DirectoryAdministration directory, IdentityReports reports, CancellationToken cancellationToken) =>
        TypedResults.Ok(reports.Of(await directory.GetDomainAsync(http.Actor, domain, cancellationToken)));

    private static async Task<Ok<DomainReport>> UpdateAsync(
        string domain, UpdateDomainRequest request, HttpContext http, DirectoryAdministration directory, IdentityReports reports, CancellationToken cancellationToken) =>
        TypedResults.Ok(reports.Of(await directory.UpdateDomainAsync(
            http.Actor, domain, former => IdentityRequests.Change(former, request), request.Revision, cancellationToken)));

    private static async Task<NoContent> DeleteAsync(string domain, HttpContext http, DirectoryAdministration directory, CancellationToken cancellationToken)
    {
        await directory.DeleteDomainAsync(http.Actor, domain, cancellationToken);
        return TypedResults.NoContent();
    }

    private static async Task ExportAsync(
        string domain, HttpContext http, DirectoryAdministration directory, CancellationToken cancellationToken, bool passwords = false)
    {
        http.Response.ContentType = ApiRequests.LdifType;
        var writer = new StreamWriter(http.Response.Body, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false), bufferSize: 16 * 1024);
        await directory.ExportAsync(http.Actor, domain, writer, passwords, cancellationToken);
        await writer.DisposeAsync(); // not on failure: it would send the head of a success
    }

    private static async Task<Ok<ImportReport>> ImportAsync(string domain, HttpContext http, DirectoryAdministration directory, CancellationToken cancellationToken)
    {
        using var reader = new StreamReader(http.ReadUnlimited(), new UTF8Encoding(false, throwOnInvalidBytes: false));
        return TypedResults.Ok(IdentityReports.Of(await directory.ImportAsync(http.Actor, domain, reader, cancellationToken)));
    }
}

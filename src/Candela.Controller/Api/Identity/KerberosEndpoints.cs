using Candela.Controller.Api.Http;
using Candela.Identity.Accounts;
using Candela.Identity.Administration;
using Candela.Identity.Authentication;
using Candela.Identity.Authorization;
using Candela.Identity.Kerberos;
using Candela.Model;
using Candela.Model.Identity;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;

namespace Candela.Controller.Api.Identity;

/// <summary>Kerberos principals of services, and keytabs.</summary>
internal static class KerberosEndpoints
{
    public static void Map(IEndpointRouteBuilder api)
    {
        var kerberos = api.MapGroup("/kerberos").WithTags("Kerberos");
        kerberos.MapPost("/keytabs", MakeKeytabAsync).Needs(ResourceKind.ServiceAccount, Verb.Reset).Describe("makeKeytab", "Gives new keys to a service account or its services, and the keytab with them; former keys end", ErrorCode.NotFound, ErrorCode.AlreadyExists, ErrorCode.NotSupported);
        kerberos.MapGet("/services", ListAsync).Needs(ResourceKind.ServiceAccount, Verb.List).Describe("listKerberosServices", "Lists principals of services", ErrorCode.NotSupported);
        kerberos.MapDelete("/services/{service}/{host}", DeleteAsync).Needs(ResourceKind.ServiceAccount, Verb.Reset).Describe("deleteKerberosService", "Removes a service's principal", ErrorCode.NotFound, ErrorCode.Conflict, ErrorCode.NotSupported);
    }

    private static async Task<Ok<KeytabReport>> MakeKeytabAsync(KeytabRequest request, HttpContext http, KerberosAdministration kerberos, CancellationToken cancellationToken)
    {
        http.Response.Headers.CacheControl = "no-store";
        var login = LoginName.Parse(request.Account);
        var (principals, keytab) = await kerberos.MakeKeytabAsync(http.Actor, new EntryReference(login.Domain, EntryKind.ServiceAccount, login.Name), request.Services.Checked("services") ?? [], cancellationToken);
        return TypedResults.Ok(new KeytabReport(principals, keytab));
    }

    private static async Task<Ok<KerberosServiceReport[]>> ListAsync(HttpContext http, KerberosAdministration kerberos, CancellationToken cancellationToken) =>
        TypedResults.Ok((await kerberos.ListServicesAsync(http.Actor, cancellationToken))
            .Select(service => new KerberosServiceReport(service.Principal, service.Account, service.KeyVersion, service.CreatedAt)).ToArray());

    private static async Task<NoContent> DeleteAsync(string service, string host, HttpContext http, KerberosAdministration kerberos, CancellationToken cancellationToken)
    {
        await kerberos.DeleteServiceAsync(http.Actor, $"{service}/{host}", cancellationToken);
        return TypedResults.NoContent();
    }
}

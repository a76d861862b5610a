using System.Security.Cryptography;
using Candela.Controller.Api.Access;
using Candela.Controller.Api.Http;
using Candela.Identity.Accounts;
using Candela.Identity.Administration;
using Candela.Identity.Authentication;
using Candela.Identity.Authorization;
using Candela.Identity.Certificates;
using Candela.Identity.Certificates.Administration;
using Candela.Identity.Certificates.Profiles;
using Candela.Identity.Certificates.Revocation;
using Candela.Model;
using Candela.Model.Identity;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Candela.Controller.Api.Identity;

/// <summary>Certificates on record, and client certificates for accounts.</summary>
internal static class CertificateEndpoints
{
    private const int DefaultCount = 1000;

    public static void Map(IEndpointRouteBuilder api)
    {
        api.MapGet("/whoami", WhoAmI).Access(RouteAccess.Everyone).WithTags("Self-service").Describe("whoAmI", "Who the caller is");
        api.MapGet("/certificate-roots", Roots).Access(RouteAccess.Everyone).WithTags("Certificates").Describe("getCertificateRoots", "Roots of the platform's certificate authority, for clients to trust");
        var all = api.MapGroup("/certificates").WithTags("Certificates");
        all.MapGet("", ListAsync).Needs(ResourceKind.Certificate, Verb.List).Describe("listCertificates", "Lists certificates on record, of one owner or of all");
        all.MapPost("", IssueAsync).Needs(ResourceKind.Certificate, Verb.Create).Describe("requestCertificate", "Issues a client certificate for an account", ErrorCode.NotFound);
        all.MapGet("/{serial}", GetAsync).Needs(ResourceKind.Certificate, Verb.Get).Describe("getCertificate", "Shows a certificate", ErrorCode.NotFound);
        all.MapDelete("/{serial}", RevokeAsync).Needs(ResourceKind.Certificate, Verb.Delete).Describe("revokeCertificate", "Revokes a certificate: from now on it is refused", ErrorCode.NotFound);
    }

    private static Ok<WhoAmIReport> WhoAmI(HttpContext http) =>
        TypedResults.Ok(new WhoAmIReport(http.Actor.Name, http.Actor.Subject?.ToString(), http.Actor.From));

    private static Ok<RootsReport> Roots(HttpContext http) => TypedResults.Ok(new RootsReport(Administration(http).RootsPem));

    private static async Task<Ok<CertificateReport[]>> ListAsync(HttpContext http, CancellationToken cancellationToken, string? owner = null, int limit = DefaultCount)
    {
        if (limit is < 1 or > DefaultCount)
            throw new CandelaException(ErrorCode.InvalidArgument, $"limit is 1 to {DefaultCount}, not {limit}");
        var found = await Administration(http).ListAsync(http.Actor, owner is null ? null : OwnerOf(http, owner), limit, cancellationToken);
        return TypedResults.Ok(found.Select(certificate => Report(http, certificate, withPem: false)).ToArray());
    }

    private static async Task<Created<CertificateReport>> IssueAsync(RequestCertificateRequest request, HttpContext http, CancellationToken cancellationToken)
    {
        var order = new CertificateOrder
        {
            Profile = CertificateProfile.Client,
            Owner = OwnerOf(http, request.Owner),
            CommonName = NameOf(request.Owner),
            Lifetime = request.LifetimeHours is { } hours ? TimeSpan.FromHours(Math.Clamp(hours, 1, 24 * 365)) : null,
        };
        var issued = await Administration(http).IssueAsync(http.Actor, order, Der(request.Request), cancellationToken);
        return TypedResults.Created($"/v1/certificates/{issued.Serial}", Report(http, issued, withPem: true));
    }

    private static async Task<Ok<CertificateReport>> GetAsync(string serial, HttpContext http, CancellationToken cancellationToken) =>
        TypedResults.Ok(Report(http, await Administration(http).GetAsync(http.Actor, serial, cancellationToken), withPem: true));

    private static async Task<Ok<CertificateReport>> RevokeAsync(string serial, HttpContext http, CancellationToken cancellationToken) =>
        TypedResults.Ok(Report(http, await Administration(http).RevokeAsync(http.Actor, serial, RevocationReason.CessationOfOperation, cancellationToken), withPem: false));

    private static CertificateAdministration Administration(HttpContext http) => http.RequestServices.GetRequiredService<CertificateAdministration>();

    /// <summary>The account's name without its domain: what people call themselves in signing requests. Whose it is says the record.</summary>
    private static string NameOf(string owner)
    {
        var name = owner[(owner.IndexOf(':', StringComparison.Ordinal) + 1)..];
        return name.LastIndexOf('@') is var at and > 0 ? name[..at] : name;
    }

    /// <summary>As the authority has it on record; what is no account stays as it is.</summary>
    private static string OwnerOf(HttpContext http, string text)
    {
        if (!text.Contains('@', StringComparison.Ordinal))
            return text;
        var subject = http.RequestServices.GetRequiredService<PolicyAdministration>().FindSubject(text);
        return http.RequestServices.GetRequiredService<IDirectory>().Current.Get(subject.EntryId) is { Kind: not EntryKind.Group } account
            ? CertificateOwner.Of(account)
            : throw new CandelaException(ErrorCode.InvalidArgument, $"{text} is no account");
    }

    private static CertificateReport Report(HttpContext http, IssuedCertificate certificate, bool withPem) => new()
    {
        Serial = certificate.Serial,
        Profile = certificate.Profile,
        Owner = CertificateOwner.AccountId(certificate.Owner) is { } id ? http.RequestServices.GetRequiredService<PolicyAdministration>().Describe(Subject.Entry(id)) : certificate.Owner,
        Subject = certificate.Subject,
        Names = certificate.Names,
        NotBefore = certificate.NotBefore,
        NotAfter = certificate.NotAfter,
        RevokedAt = certificate.RevokedAt,
        Pem = withPem ? certificate.ToPem() : null,
    };

    private static ReadOnlyMemory<byte> Der(string pem) =>
        PemEncoding.TryFind(pem, out var found) && pem[found.Label] is "CERTIFICATE REQUEST" or "NEW CERTIFICATE REQUEST"
            ? Convert.FromBase64String(pem[found.Base64Data])
            : throw new CandelaException(ErrorCode.InvalidArgument, "the request is no signing request in PEM: make one with openssl req -new");
}

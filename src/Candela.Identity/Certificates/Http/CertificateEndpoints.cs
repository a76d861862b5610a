using Candela.Identity.Certificates.Revocation;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;

namespace Candela.Identity.Certificates.Http;

/// <summary>What anyone may ask of the certificate authority: lists of revoked certificates, OCSP, the authorities' certificates.</summary>
public static class CertificateEndpoints
{
    private const string OcspRequestType = "application/ocsp-request";
    private const string OcspResponseType = "application/ocsp-response";
    private const int OcspPathLength = 2 * OcspRequest.DerBytes;

    /// <summary>
    /// Maps <c>crl/ID.crl</c>, <c>ocsp</c>, <c>certificates/ID.cer</c> and <c>certificates/roots.pem</c>. Needs a <see cref="CertificateAuthority"/>
    /// among the services. To be reached where <see cref="CertificateAuthorityOptions.PublicUrl"/> says, by plain http.
    /// </summary>
    public static IEndpointConventionBuilder MapCertificateAuthority(this IEndpointRouteBuilder endpoints)
    {
        var group = endpoints.MapGroup("").AllowAnonymous();
        group.MapGet("crl/{file}", CrlAsync);
        group.MapPost("ocsp", PostOcspAsync);
        group.MapGet("ocsp/{**request}", GetOcspAsync);
        group.MapGet("certificates/roots.pem", (CertificateAuthority authority) =>
            TypedResults.Text(string.Concat(authority.Roots.Select(r => IssuedCertificate.PemEncodingOf(r) + "\n")), "application/pem-certificate-chain"));
        group.MapGet("certificates/{file}", Certificate);
        return group;
    }

    private static async Task<Results<FileContentHttpResult, NotFound>> CrlAsync(
        string file, CertificateAuthority authority, TimeProvider time, HttpContext context, CancellationToken cancellationToken)
    {
        if (Id(file, ".crl") is not { } id || authority.FindCertificate(id) is null)
            return TypedResults.NotFound();
        var (der, next) = await authority.GetCrlAsync(id, cancellationToken);
        // Caches may keep it for a short while only: it is made anew soon after a revocation.
        var seconds = Math.Clamp((int)(next - time.GetUtcNow()).TotalSeconds, 0, 60);
        context.Response.Headers.CacheControl = $"public, max-age={seconds}";
        return TypedResults.File(der.ToArray(), "application/pkix-crl");
    }

    private static Results<FileContentHttpResult, NotFound> Certificate(string file, CertificateAuthority authority) =>
        Id(file, ".cer") is { } id && authority.FindCertificate(id) is { } der ? TypedResults.File(der.ToArray(), "application/pkix-cert") : TypedResults.NotFound();

    private static async Task<Results<FileContentHttpResult, StatusCodeHttpResult>> PostOcspAsync(
        HttpContext context, CertificateAuthority authority, CancellationToken cancellationToken)
    {
        if (context.Request.ContentType is not { } type || !type.StartsWith(OcspRequestType, StringComparison.OrdinalIgnoreCase))
            return TypedResults.StatusCode(StatusCodes.Status415UnsupportedMediaType);
        var body = new byte[OcspRequest.DerBytes + 1];
        var length = await context.Request.Body.ReadAtLeastAsync(body, body.Length, throwOnEndOfStream: false, cancellationToken);
        if (length > OcspRequest.DerBytes)
            return TypedResults.StatusCode(StatusCodes.Status413PayloadTooLarge);
        return TypedResults.File(await authority.AnswerOcspAsync(body.AsMemory(0, length), cancellationToken), OcspResponseType);
    }

    /// <summary>The request in base64 as part of the path (RFC 6960, appendix A.1); routing has already undone the percent encoding, but for <c>%2F</c>.</summary>
    private static async Task<Results<FileContentHttpResult, StatusCodeHttpResult>> GetOcspAsync(
        string request, HttpContext context, CertificateAuthority authority, CancellationToken cancellationToken)
    {
        if (request.Length > OcspPathLength)
            return TypedResults.StatusCode(StatusCodes.Status414UriTooLong);
        var text = request.Replace("%2F", "/", StringComparison.OrdinalIgnoreCase).Replace(' ', '+');
        var der = new byte[text.Length];
        var length = Convert.TryFromBase64String(text, der, out var written) ? written : 0;
        var answer = await authority.AnswerOcspAsync(der.AsMemory(0, length), cancellationToken);
        context.Response.Headers.CacheControl = $"public, max-age={(int)(OcspResponder.AnswerLifetime / 5).TotalSeconds}";
        return TypedResults.File(answer, OcspResponseType);
    }

    private static string? Id(string file, string extension) =>
        file.EndsWith(extension, StringComparison.Ordinal) && file.Length <= 64 ? file[..^extension.Length] : null;
}

using System.Security.Cryptography;
using Candela.Controller.Access;
using Candela.Controller.Api.Http;
using Candela.Model;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Candela.Controller.Api.Access;

/// <summary>
/// Whether a workload may talk to another, for proxies (nginx's auth_request, Traefik's ForwardAuth, Envoy's HTTP ext_authz): 200 means that it may, 403 that it
/// may not, 401 that it has not proven to be a workload that lives. Who is asked about is said by headers.
/// </summary>
internal static class PeerEndpoints
{
    private const string CertificateHeader = "Candela-Source-Certificate";
    private const string TokenHeader = "Candela-Source-Token";
    private const string IdHeader = "Candela-Source";
    private const int CertificateLength = 16 * 1024;

    public static void Map(IEndpointRouteBuilder api) => api.MapGet("/peer-decision", DecideAsync).Access(RouteAccess.Own).WithTags("Bindings").Describe(
        "decidePeer",
        $"Whether a workload may talk to another, by its certificate ({CertificateHeader}: PEM, percent-encoded), JWT-SVID ({TokenHeader}) or SPIFFE ID ({IdHeader}, verified by the caller)");

    private static async Task<Ok<PeerDecision>> DecideAsync(HttpContext http, CancellationToken cancellationToken, string? target = null)
    {
        var source = new PeerSource
        {
            Certificate = Header(http, CertificateHeader) is { } pem ? Der(pem) : (ReadOnlyMemory<byte>?)null,
            Token = Header(http, TokenHeader),
            Id = Header(http, IdHeader),
        };
        var decision = await http.RequestServices.GetRequiredService<PeerDecisions>().DecideAsync(http.Caller.Actor, source, target, cancellationToken);
        http.Response.Headers[IdHeader] = decision.Source;
        return decision.Allowed
            ? TypedResults.Ok(decision)
            : throw new CandelaException(ErrorCode.PermissionDenied, $"{decision.Source} may not talk to {decision.Target} ({decision.Explanation})");
    }

    private static string? Header(HttpContext http, string name) => http.Request.Headers[name].ToString() is { Length: > 0 } text ? text : null;

    /// <summary>As nginx writes it in <c>$ssl_client_escaped_cert</c>.</summary>
    private static ReadOnlyMemory<byte> Der(string escaped)
    {
        var text = Uri.UnescapeDataString(escaped);
        if (text.Length > CertificateLength || !PemEncoding.TryFind(text, out var found) || text[found.Label] != "CERTIFICATE")
            throw new CandelaException(ErrorCode.InvalidArgument, $"{CertificateHeader} is no certificate in PEM");
        return Convert.FromBase64String(text[found.Base64Data]);
    }
}

using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using System.Text.Json.Serialization;
using Candela.Identity.Administration;
using Candela.Identity.Auditing;
using Candela.Identity.Certificates;
using Candela.Identity.Certificates.Names;
using Candela.Identity.Certificates.Requests;
using Candela.Model;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;

namespace Candela.Identity.Machines.Http;

/// <summary>How machines join and renew over HTTP.</summary>
public static class MachineEndpoints
{
    private const int BodyBytes = 64 * 1024;

    /// <summary>
    /// Maps <c>machines/join</c> and <c>machines/renew</c>. Needs a <see cref="MachineEnrollment"/> and a <see cref="CertificateAuthority"/>
    /// among the services; to be reached by https on a listener that allows client certificates and leaves the judgement of them to this.
    /// </summary>
    public static IEndpointConventionBuilder MapMachines(this IEndpointRouteBuilder endpoints)
    {
        var group = endpoints.MapGroup("machines").AllowAnonymous();
        group.MapPost("join", JoinAsync);
        group.MapPost("renew", RenewAsync);
        return group;
    }

    private static Task<IResult> JoinAsync(HttpContext context, MachineEnrollment machines, CertificateAuthority authority, ProtocolAudit audit) =>
        RunAsync(context, authority, audit, "machine.join", async () =>
        {
            var body = await ReadAsync(context, MachineBodies.Default.JoinBody);
            var certificate = await machines.JoinAsync(body.Token, body.Name, Der(body.Request), context.Connection.RemoteIpAddress, context.RequestAborted);
            return (body.Name, certificate);
        });

    private static Task<IResult> RenewAsync(HttpContext context, MachineEnrollment machines, CertificateAuthority authority, ProtocolAudit audit) =>
        RunAsync(context, authority, audit, "machine.renew", async () =>
        {
            if (await context.Connection.GetClientCertificateAsync(context.RequestAborted) is not { } presented)
                throw new CandelaException(ErrorCode.Unauthenticated, "a machine renews its certificate with the one it has, by mutual TLS");
            var body = await ReadAsync(context, MachineBodies.Default.RenewBody);
            var certificate = await machines.RenewAsync(presented.RawData, Der(body.Request), context.Connection.RemoteIpAddress, context.RequestAborted);
            return (presented.GetNameInfo(X509NameType.DnsName, forIssuer: false), certificate);
        });

    private static async Task<IResult> RunAsync(
        HttpContext context, CertificateAuthority authority, ProtocolAudit audit, string action, Func<Task<(string Name, IssuedCertificate Certificate)>> call)
    {
        var from = context.Connection.RemoteIpAddress?.ToString() ?? "";
        try
        {
            var (name, certificate) = await call();
            audit.Done(Actor.Unproven(name, from), action, certificate.Serial);
            var roots = string.Concat(authority.Roots.Select(r => IssuedCertificate.PemEncodingOf(r) + "\n"));
            return TypedResults.Json(new CertificateBody(certificate.ToPem(), roots, certificate.NotAfter), MachineBodies.Default.CertificateBody);
        }
        catch (CandelaException e)
        {
            audit.Refused(Actor.Unproven("machine", from), action, "", e);
            return Problem(e);
        }
    }

    private static async Task<T> ReadAsync<T>(HttpContext context, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type)
    {
        var body = new byte[BodyBytes + 1];
        var length = await context.Request.Body.ReadAtLeastAsync(body, body.Length, throwOnEndOfStream: false, context.RequestAborted);
        try
        {
            if (length <= BodyBytes && JsonSerializer.Deserialize(body.AsSpan(0, length), type) is { } read)
                return read;
        }
        catch (JsonException e)
        {
            throw new CandelaException(ErrorCode.InvalidArgument, $"the request is not what is expected: {Printable.Of(e.Message)}", e);
        }

        throw new CandelaException(ErrorCode.InvalidArgument, $"a request has 1 to {BodyBytes} bytes");
    }

    /// <summary>PEM to DER; that it is a good request is for the enrollment to say.</summary>
    private static byte[] Der(string pem) => pem.Length <= 2 * SigningRequest.DerBytes && PemEncoding.TryFind(pem, out var fields)
        ? Convert.FromBase64String(pem[fields.Base64Data])
        : throw new CandelaException(ErrorCode.InvalidArgument, "the signing request is not PEM");

    private static ProblemHttpResult Problem(CandelaException error) => TypedResults.Problem(
        error.Message,
        statusCode: error.Code switch
        {
            ErrorCode.Unauthenticated => StatusCodes.Status401Unauthorized,
            ErrorCode.PermissionDenied => StatusCodes.Status403Forbidden,
            ErrorCode.AlreadyExists or ErrorCode.Conflict => StatusCodes.Status409Conflict,
            ErrorCode.InvalidArgument => StatusCodes.Status400BadRequest,
            ErrorCode.ResourceExhausted => StatusCodes.Status429TooManyRequests,
            _ => StatusCodes.Status503ServiceUnavailable,
        },
        extensions: [new("code", error.Code.ToString())]);
}

/// <summary>A machine wants to join.</summary>
/// <param name="Token">One-time token.</param>
/// <param name="Name">Name that it wants.</param>
/// <param name="Request">Signing request in PEM.</param>
internal sealed record JoinBody(string Token, string Name, string Request)
{
    /// <summary>Without the token.</summary>
    public override string ToString() => $"{nameof(JoinBody)} {Name}";
}

/// <summary>A machine wants its next certificate.</summary>
/// <param name="Request">Signing request in PEM.</param>
internal sealed record RenewBody(string Request);

/// <summary>A machine's certificate.</summary>
/// <param name="Certificate">With its chain, in PEM.</param>
/// <param name="Roots">Roots to trust, in PEM.</param>
/// <param name="NotAfter">Until when it is valid.</param>
internal sealed record CertificateBody(string Certificate, string Roots, DateTimeOffset NotAfter);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true, AllowDuplicateProperties = false)]
[JsonSerializable(typeof(JoinBody))]
[JsonSerializable(typeof(RenewBody))]
[JsonSerializable(typeof(CertificateBody))]
internal sealed partial class MachineBodies : JsonSerializerContext;

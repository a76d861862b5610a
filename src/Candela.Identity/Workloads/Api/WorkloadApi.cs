using System.Text.Json;
using Candela.Identity.Administration;
using Candela.Identity.Auditing;
using Candela.Identity.Certificates;
using Candela.Identity.Grpc;
using Candela.Identity.Workloads.Api.Messages;
using Candela.Identity.Workloads.Bundles;
using Candela.Model;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Candela.Identity.Workloads.Api;

/// <summary>
/// The SPIFFE Workload API (https://github.com/spiffe/spiffe/blob/main/standards/SPIFFE_Workload_API.md) over gRPC. Who calls is known from
/// the connection (<see cref="IAttestedConnection"/>); a connection without that is served nothing.
/// </summary>
public static class WorkloadApi
{
    private const string Service = "/SpiffeWorkloadAPI/";

    /// <summary>Metadata that every call must have, lest a program that is talked into a request reach it (Workload Endpoint, section 3).</summary>
    private const string SecurityHeader = "workload.spiffe.io";

    /// <summary>How long changes are gathered before they are sent.</summary>
    private static readonly TimeSpan GatherTime = TimeSpan.FromSeconds(1);

    /// <summary>Largest list of revoked certificates that is sent along, bytes; whoever needs a larger one fetches it by the address in the certificates.</summary>
    private const int CrlBytes = 16 * 1024;

    /// <summary>Maps the calls. Needs a <see cref="TrustDomain"/> and a <see cref="CertificateAuthority"/> among the services; the connections come from <see cref="AttestedConnections"/>.</summary>
    public static IEndpointConventionBuilder MapWorkloadApi(this IEndpointRouteBuilder endpoints)
    {
        var group = endpoints.MapGroup("").AllowAnonymous();
        Map(group, "FetchX509SVID", FetchX509SvidAsync);
        Map(group, "FetchX509Bundles", FetchX509BundlesAsync);
        Map(group, "FetchJWTSVID", FetchJwtSvidAsync);
        Map(group, "FetchJWTBundles", FetchJwtBundlesAsync);
        Map(group, "ValidateJWTSVID", ValidateJwtSvidAsync);
        return group;
    }

    private static void Map(RouteGroupBuilder group, string method, Func<Caller, Task> handle) => group.MapPost(
        Service + method,
        (HttpContext context, TrustDomain domain, CertificateAuthority authority, ProtocolAudit audit, TimeProvider time) => GrpcCall.RunAsync(context, async call =>
        {
            var container = context.Features.Get<IAttestedConnection>()?.Container;
            try
            {
                await handle(new Caller(call, await CheckAsync(call, container, domain), domain, authority, time));
            }
            catch (CandelaException e)
            {
                Refused(e);
                throw new GrpcException(StatusOf(e.Code), e.Message);
            }
            catch (GrpcException e) when (!e.IsRegular && e.Status is GrpcStatus.PermissionDenied or GrpcStatus.InvalidArgument)
            {
                Refused(e);
                throw;
            }

            void Refused(Exception reason) => audit.Refused(Actor.Unproven($"container:{container}", "workload-api"), $"workload.{method}", "", reason);
        }));

    private static async Task<HeldWorkload> CheckAsync(GrpcCall call, string? container, TrustDomain domain)
    {
        if (call.Metadata(SecurityHeader) != "true")
            throw new GrpcException(GrpcStatus.InvalidArgument, $"the metadata {SecurityHeader}: true is missing");
        if (container is null)
            throw new GrpcException(GrpcStatus.PermissionDenied, "this connection does not come from a container");
        // It may run, and not have been looked at yet since the controller began.
        return await domain.Workloads.AttachAsync(container, call.Cancellation) && domain.Workloads.FindHeld(container) is { HasEnded: false } workload ? workload : throw NoIdentity();
    }

    private static async Task FetchX509SvidAsync(Caller caller)
    {
        await caller.Call.ReadAsync(X509SVIDRequest.Parser);
        await caller.StreamAsync(async () =>
        {
            var svid = await caller.Domain.Workloads.CurrentAsync(caller.Workload, caller.Call.Cancellation);
            var response = new X509SVIDResponse();
            response.Svids.Add(new X509SVID
            {
                SpiffeId = svid.Id.ToString(),
                X509Svid = ByteString.CopyFrom([.. svid.Chain.SelectMany(c => c.ToArray())]),
                X509SvidKey = ByteString.CopyFrom(svid.PrivateKey.Span),
                Bundle = ByteString.CopyFrom(caller.Domain.Bundles.Own.X509Der),
            });
            if (await caller.CrlAsync() is { } crl)
                response.Crl.Add(crl);
            foreach (var bundle in caller.Domain.Bundles.Federated.Where(b => b.X509Authorities.Count > 0))
                response.FederatedBundles[KeyOf(bundle)] = ByteString.CopyFrom(bundle.X509Der);
            return response;
        });
    }

    private static async Task FetchX509BundlesAsync(Caller caller)
    {
        await caller.Call.ReadAsync(X509BundlesRequest.Parser);
        await caller.StreamAsync(async () =>
        {
            var response = new X509BundlesResponse();
            if (await caller.CrlAsync() is { } crl)
                response.Crl.Add(crl);
            foreach (var bundle in caller.AllBundles().Where(b => b.X509Authorities.Count > 0))
                response.Bundles[KeyOf(bundle)] = ByteString.CopyFrom(bundle.X509Der);
            return response;
        });
    }

    private static async Task FetchJwtSvidAsync(Caller caller)
    {
        var request = await caller.Call.ReadAsync(JWTSVIDRequest.Parser);
        if (request.SpiffeId.Length > 0 && request.SpiffeId != caller.Workload.Id.ToString())
            throw new GrpcException(GrpcStatus.PermissionDenied, "this identity is not the container's");
        var svid = caller.Domain.IssueJwt(caller.Workload.Document.Container, request.Audience);
        var response = new JWTSVIDResponse();
        response.Svids.Add(new JWTSVID { SpiffeId = svid.Id.ToString(), Svid = svid.Token });
        await caller.Call.WriteAsync(response);
    }

    private static async Task FetchJwtBundlesAsync(Caller caller)
    {
        await caller.Call.ReadAsync(JWTBundlesRequest.Parser);
        await caller.StreamAsync(() =>
        {
            var response = new JWTBundlesResponse();
            foreach (var bundle in caller.AllBundles().Where(b => b.JwtAuthorities.Count > 0))
                response.Bundles[KeyOf(bundle)] = ByteString.CopyFrom(bundle.ToJwtJson());
            return Task.FromResult(response);
        });
    }

    private static async Task ValidateJwtSvidAsync(Caller caller)
    {
        var request = await caller.Call.ReadAsync(ValidateJWTSVIDRequest.Parser);
        if (request.Audience.Length == 0 || request.Svid.Length == 0)
            throw new GrpcException(GrpcStatus.InvalidArgument, "audience and svid are needed");
        var (id, claims) = await caller.Domain.ValidateJwtAsync(request.Svid, request.Audience, caller.Call.Cancellation);
        await caller.Call.WriteAsync(new ValidateJWTSVIDResponse { SpiffeId = id.ToString(), Claims = ToStruct(claims) });
    }

    private static string KeyOf(TrustBundle bundle) => SpiffeId.OfTrustDomain(bundle.TrustDomain).ToString();

    private static GrpcException NoIdentity(bool isRegular = false) => new(GrpcStatus.PermissionDenied, "this container has no identity") { IsRegular = isRegular };

    private static GrpcStatus StatusOf(ErrorCode code) => code switch
    {
        ErrorCode.InvalidArgument or ErrorCode.Unauthenticated => GrpcStatus.InvalidArgument,
        ErrorCode.NotFound or ErrorCode.PermissionDenied => GrpcStatus.PermissionDenied,
        ErrorCode.Unavailable => GrpcStatus.Unavailable,
        ErrorCode.ResourceExhausted => GrpcStatus.ResourceExhausted,
        _ => GrpcStatus.Internal,
    };

    private static Struct ToStruct(JsonElement claims)
    {
        var result = new Struct();
        foreach (var claim in claims.EnumerateObject())
            result.Fields[claim.Name] = ToValue(claim.Value);
        return result;
    }

    private static Value ToValue(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => Value.ForString(value.GetString()),
        JsonValueKind.Number => Value.ForNumber(value.GetDouble()),
        JsonValueKind.True or JsonValueKind.False => Value.ForBool(value.GetBoolean()),
        JsonValueKind.Array => Value.ForList([.. value.EnumerateArray().Select(ToValue)]),
        JsonValueKind.Object => Value.ForStruct(ToStruct(value)),
        _ => Value.ForNull(),
    };

    private sealed record Caller(GrpcCall Call, HeldWorkload Workload, TrustDomain Domain, CertificateAuthority Authority, TimeProvider Time)
    {
        public IEnumerable<TrustBundle> AllBundles() => Domain.Bundles.Federated.Prepend(Domain.Bundles.Own);

        public async Task<ByteString?> CrlAsync()
        {
            var (der, _) = await Authority.GetCrlAsync(Authority.InUse.Workload, Call.Cancellation);
            return der.Length <= CrlBytes ? ByteString.CopyFrom(der.Span) : null;
        }

        /// <summary>Sends what there is, and again whenever it has changed, until the caller goes or the container ends.</summary>
        public async Task StreamAsync<T>(Func<Task<T>> make)
            where T : class, IMessage<T>
        {
            T? last = null;
            while (true)
            {
                // Taken before making: a change in between completes them.
                var changed = Task.WhenAny(Workload.Changed, Domain.Bundles.Changed, Authority.Revoked.Changed);
                if (Workload.HasEnded)
                    throw NoIdentity(isRegular: true);
                var message = await make();
                if (!message.Equals(last))
                    await Call.WriteAsync(last = message);
                await changed.WaitAsync(Call.Cancellation);
                if (!Workload.HasEnded)
                    await Task.WhenAny(Task.Delay(GatherTime, Time, Call.Cancellation), Workload.Changed);
            }
        }
    }
}

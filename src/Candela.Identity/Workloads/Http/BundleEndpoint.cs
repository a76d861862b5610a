using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Candela.Identity.Workloads.Http;

/// <summary>The bundle endpoint (SPIFFE Trust Domain and Bundle, section 5): where other trust domains fetch this one's bundle.</summary>
public static class BundleEndpoint
{
    /// <summary>Maps <c>spiffe/bundle</c>. Needs a <see cref="TrustDomain"/> among the services; to be reached by https.</summary>
    public static IEndpointConventionBuilder MapTrustBundle(this IEndpointRouteBuilder endpoints) =>
        endpoints.MapGet("spiffe/bundle", (TrustDomain domain, HttpContext context) =>
        {
            context.Response.Headers.CacheControl = "no-cache";
            return TypedResults.Bytes(domain.Bundle.ToJson(), "application/json");
        }).AllowAnonymous();
}

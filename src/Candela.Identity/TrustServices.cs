using Candela.Identity.Acme.Http;
using Candela.Identity.Administration;
using Candela.Identity.Auditing;
using Candela.Identity.Certificates.Administration;
using Candela.Identity.Certificates.Http;
using Candela.Identity.Machines.Http;
using Candela.Identity.Workloads.Http;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Candela.Identity;

/// <summary>Registration of certificates, workload identity, ACME and the joining of machines.</summary>
public static class TrustServices
{
    /// <summary>
    /// Adds what a <see cref="TrustHost"/> has, for endpoints and others to find; <see cref="CertificateAdministration"/> too, which needs what
    /// <see cref="IdentityServices.AddIdentity"/> adds. The host stays the caller's to dispose of.
    /// </summary>
    public static IServiceCollection AddTrust(this IServiceCollection services, TrustHost host)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<IAuditSink, LoggedAudit>();
        services.TryAddSingleton<ProtocolAudit>();
        services.AddSingleton(host.Authority);
        services.AddSingleton(host.Workloads);
        services.AddSingleton(host.Domain);
        services.AddSingleton(host.Machines);
        if (host.Acme is not null)
            services.AddSingleton(host.Acme);
        services.AddSingleton(provider => new CertificateAdministration(host, provider.GetRequiredService<AccessGuard>()));
        return services;
    }

    /// <summary>
    /// Maps what others ask over TLS: <c>acme/*</c> (if there is an ACME server), <c>machines/*</c>, <c>spiffe/bundle</c>. The listener asks for
    /// client certificates, requires none, and leaves the judgement of them to the endpoints.
    /// </summary>
    public static void MapTrust(this IEndpointRouteBuilder endpoints, TrustHost host)
    {
        if (host.Acme is not null)
            endpoints.MapGroup("acme").MapAcme();
        endpoints.MapMachines();
        endpoints.MapTrustBundle();
    }

    /// <summary>Maps what anyone may ask, by plain http too: <c>crl/*</c>, <c>ocsp</c>, <c>certificates/*</c>.</summary>
    public static void MapPublicTrust(this IEndpointRouteBuilder endpoints) => endpoints.MapCertificateAuthority();
}

using Candela.Identity.Administration;
using Candela.Identity.Auditing;
using Candela.Identity.Saml.Http;
using Candela.Identity.Saml.Keys;
using Candela.Identity.Saml.Providers;
using Candela.Identity.Saml.Sessions;
using Candela.Identity.SignIn.Pages;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Candela.Identity.Saml;

/// <summary>Registration of the SAML identity provider.</summary>
public static class SamlServices
{
    /// <summary>
    /// Adds the identity provider and <see cref="SamlAdministration"/>, over what <see cref="IdentityServices.AddIdentity"/> and
    /// <see cref="SignIn.SignInServices.AddSignIn"/> add. <see cref="SamlHost"/> must be started before the first request.
    /// </summary>
    public static IServiceCollection AddSaml(this IServiceCollection services, SamlOptions options)
    {
        services.AddSingleton(options);
        services.TryAddSingleton<ProtocolAudit>();
        services.AddSingleton<SamlSigningKeys>();
        services.AddSingleton<ServiceProviders>();
        services.AddSingleton<NameIdentifiers>();
        services.AddSingleton<SamlSessions>();
        services.AddSingleton<SingleSignOn>();
        services.AddSingleton<SingleLogout>();
        services.AddSingleton<SamlEndpoints>();
        services.AddSingleton<ISignOutRoute, SamlSignOut>();
        services.AddSingleton(provider => new SamlHost(provider.GetRequiredService<SamlSigningKeys>()));
        services.AddSingleton(provider => new SamlAdministration(
            provider.GetRequiredService<ServiceProviders>(),
            provider.GetRequiredService<SamlSigningKeys>(),
            provider.GetRequiredService<Accounts.IDirectory>(),
            provider.GetRequiredService<AccessGuard>(),
            options,
            provider.GetRequiredService<TimeProvider>()));
        return services;
    }

    /// <summary>Maps <c>saml/metadata</c>, <c>saml/sso</c> and <c>saml/slo</c>, to be reached by https at <see cref="SamlOptions.BaseUrl"/>.</summary>
    /// <param name="endpoints">Routes of the front door.</param>
    /// <param name="identity">Services to which <see cref="AddSaml"/> was added.</param>
    public static void MapSaml(this IEndpointRouteBuilder endpoints, IServiceProvider identity)
    {
        var saml = identity.GetRequiredService<SamlEndpoints>();
        endpoints.MapGet("saml/metadata", saml.MetadataAsync);
        endpoints.MapGet("saml/sso", saml.GetSignOnAsync);
        endpoints.MapPost("saml/sso", saml.PostSignOnAsync);
        endpoints.MapGet(SingleSignOn.ContinuePath, saml.ContinueSignOnAsync);
        endpoints.MapGet("saml/slo", saml.GetLogoutAsync);
        endpoints.MapPost("saml/slo", saml.PostLogoutAsync);
        endpoints.MapGet(SingleLogout.ContinuePath, saml.ContinueLogoutAsync);
    }
}

using Candela.Identity.Accounts;
using Candela.Identity.Administration;
using Candela.Identity.Auditing;
using Candela.Identity.Authentication;
using Candela.Identity.Federation.Ldap;
using Candela.Identity.Federation.OpenId;
using Candela.Identity.Federation.Pages;
using Candela.Identity.SignIn.Pages;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Candela.Identity.Federation;

/// <summary>Registration of identity providers elsewhere.</summary>
internal static class FederationServices
{
    /// <summary>Adds what needs no browser: <see cref="FederationAdministration"/>, and passwords that LDAP directories elsewhere check.</summary>
    public static void AddFederation(this IServiceCollection services)
    {
        services.AddSingleton<IdentityProviders>();
        services.AddSingleton<AccountLinks>();
        services.AddSingleton<FederatedAccounts>();
        services.AddSingleton<UpstreamConnections>();
        services.TryAddSingleton<ProtocolAudit>();
        services.AddSingleton<IUpstreamPasswords, UpstreamPasswords>();
        services.AddSingleton(provider => new FederationAdministration(
            provider.GetRequiredService<IdentityProviders>(),
            provider.GetRequiredService<AccountLinks>(),
            provider.GetRequiredService<IDirectory>(),
            provider.GetRequiredService<AccessGuard>()));
    }

    /// <summary>Adds the pages.</summary>
    public static void AddFederationPages(this IServiceCollection services)
    {
        services.AddSingleton<UpstreamClient>();
        services.AddSingleton<FederationPages>();
        services.AddSingleton<ISignInOption, FederationOption>();
    }

    /// <summary>Maps the pages.</summary>
    public static void MapFederation(this IEndpointRouteBuilder endpoints, IServiceProvider identity)
    {
        var pages = identity.GetRequiredService<FederationPages>();
        endpoints.MapGet(FederationPages.BeginRoute, (HttpContext context) => pages.BeginAsync(context, $"{context.GetRouteValue("provider")}"));
        endpoints.MapGet(FederationPages.EndRoute, (HttpContext context) => pages.EndAsync(context, $"{context.GetRouteValue("provider")}"));
        endpoints.MapGet(FederationPages.AccountPath, pages.ShowAccountAsync);
        endpoints.MapPost(FederationPages.AccountPath, pages.PostLinkAsync);
        endpoints.MapPost(FederationPages.AccountPath + "/remove", pages.PostRemoveAsync);
    }
}

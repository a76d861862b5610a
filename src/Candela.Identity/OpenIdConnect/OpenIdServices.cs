using Candela.Identity.SignIn;
using Candela.Identity.OpenIdConnect.Clients;
using Candela.Identity.OpenIdConnect.Endpoints;
using Candela.Identity.OpenIdConnect.Grants;
using Candela.Identity.OpenIdConnect.Tokens;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Candela.Identity.OpenIdConnect;

/// <summary>Registration of the OpenID provider.</summary>
public static class OpenIdServices
{
    /// <summary>
    /// Adds <see cref="IAccessTokens"/> and <see cref="OpenIdProvider"/>, which must be started first, over what
    /// <see cref="IdentityServices.AddIdentity"/> and <see cref="SignIn.SignInServices.AddSignIn"/> add.
    /// </summary>
    /// <exception cref="ArgumentException">An option is out of range; the message says which.</exception>
    public static IServiceCollection AddOpenIdConnect(this IServiceCollection services, OpenIdOptions options)
    {
        options.Check();
        services.AddSingleton(options);
        services.AddSingleton<ProviderTrust>();
        services.AddSingleton<ProviderKeys>();
        services.AddSingleton<ClientAuthenticator>();
        services.AddSingleton<GrantStore>();
        services.AddSingleton<RefreshTokens>();
        services.AddSingleton<Codes>();
        services.AddSingleton<Refreshing>();
        services.AddSingleton<DeviceGrants>();
        services.AddSingleton<AccountClaims>();
        services.AddSingleton<TokenIssuer>();
        services.AddSingleton<OwnTokens>();
        services.AddSingleton<AccessTokens>();
        services.AddSingleton<IAccessTokens>(provider => provider.GetRequiredService<AccessTokens>());
        services.AddSingleton<OAuthEndpoint>();
        services.AddSingleton<DiscoveryEndpoint>();
        services.AddSingleton<AuthorizeEndpoint>();
        services.AddSingleton<TokenExchange>();
        services.AddSingleton<TokenEndpoint>();
        services.AddSingleton<UserInfoEndpoint>();
        services.AddSingleton<IntrospectionEndpoint>();
        services.AddSingleton<RevocationEndpoint>();
        services.AddSingleton<DeviceEndpoint>();
        services.AddSingleton<LogoutEndpoint>();
        services.AddSingleton<BackChannelLogout>();
        services.AddSingleton<ISessionEnd>(provider => provider.GetRequiredService<BackChannelLogout>());
        services.AddSingleton(provider => new OpenIdProvider(
            provider.GetRequiredService<ProviderKeys>(), provider.GetRequiredService<ProviderTrust>(), provider.GetRequiredService<GrantStore>(),
            provider.GetRequiredService<TimeProvider>(), provider.GetRequiredService<ILogger<OpenIdProvider>>()));
        return services;
    }

    /// <summary>
    /// Maps <c>.well-known/openid-configuration</c>, <c>oauth2/*</c> and <c>device</c>, to be reached by https. The listener asks for client
    /// certificates, requires none, and leaves the judgement of them to the endpoints.
    /// </summary>
    /// <param name="endpoints">Routes of the front door.</param>
    /// <param name="identity">Services to which <see cref="AddOpenIdConnect"/> was added.</param>
    public static void MapOpenIdConnect(this IEndpointRouteBuilder endpoints, IServiceProvider identity)
    {
        var discovery = identity.GetRequiredService<DiscoveryEndpoint>();
        endpoints.MapGet(DiscoveryEndpoint.OpenIdPath, discovery.GetAsync);
        endpoints.MapGet(DiscoveryEndpoint.OAuthPath, discovery.GetAsync);
        endpoints.MapGet(DiscoveryEndpoint.KeysPath, discovery.GetKeysAsync);
        var authorize = identity.GetRequiredService<AuthorizeEndpoint>();
        endpoints.MapGet(AuthorizeEndpoint.Path, authorize.GetAsync);
        endpoints.MapPost(AuthorizeEndpoint.Path, AuthorizeEndpoint.PostAsync);
        endpoints.MapPost(AuthorizeEndpoint.ConsentPath, authorize.PostConsentAsync);
        endpoints.MapPost(TokenEndpoint.Path, identity.GetRequiredService<TokenEndpoint>().PostAsync);
        endpoints.MapMethods(UserInfoEndpoint.Path, ["GET", "POST"], identity.GetRequiredService<UserInfoEndpoint>().RunAsync);
        endpoints.MapPost(IntrospectionEndpoint.Path, identity.GetRequiredService<IntrospectionEndpoint>().PostAsync);
        endpoints.MapPost(RevocationEndpoint.Path, identity.GetRequiredService<RevocationEndpoint>().PostAsync);
        var device = identity.GetRequiredService<DeviceEndpoint>();
        endpoints.MapPost(DeviceEndpoint.Path, device.PostAsync);
        endpoints.MapGet(DeviceEndpoint.PagePath, device.GetPageAsync);
        endpoints.MapPost(DeviceEndpoint.PagePath, device.PostPageAsync);
        var logout = identity.GetRequiredService<LogoutEndpoint>();
        endpoints.MapGet(LogoutEndpoint.Path, logout.GetAsync);
        endpoints.MapPost(LogoutEndpoint.Path, LogoutEndpoint.PostAsync);
        endpoints.MapPost(LogoutEndpoint.ConfirmPath, logout.PostConfirmAsync);
    }
}

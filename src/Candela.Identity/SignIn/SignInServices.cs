using Candela.Identity.Auditing;
using Candela.Identity.Federation;
using Candela.Identity.Passkeys;
using Candela.Identity.Passkeys.Pages;
using Candela.Identity.SignIn.Pages;
using Candela.Identity.Storage;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Candela.Identity.SignIn;

/// <summary>Registration of signing in with a browser.</summary>
public static class SignInServices
{
    /// <summary>Adds <see cref="ISignInSessions"/> and the pages, over what <see cref="IdentityServices.AddIdentity"/> adds.</summary>
    /// <exception cref="ArgumentException">An option is out of range; the message says which.</exception>
    public static IServiceCollection AddSignIn(this IServiceCollection services, SignInOptions options)
    {
        options.Check();
        services.AddSingleton(options);
        services.TryAddSingleton<ProtocolAudit>();
        services.AddSingleton<ExpiryLeases>();
        services.AddSingleton<SignInSessions>();
        services.AddSingleton<ISignInSessions>(provider => provider.GetRequiredService<SignInSessions>());
        services.AddSingleton<SignInPages>();
        services.AddSingleton<PasskeyService>();
        services.AddSingleton<PasskeyPages>();
        services.AddSingleton<ISignInOption, PasskeyOption>();
        services.AddFederationPages();
        return services;
    }

    /// <summary>Maps the pages <c>sign-in</c>, <c>sign-out</c> and <c>account</c>, to be reached by https at <see cref="SignInOptions.PublicUrl"/>.</summary>
    /// <param name="endpoints">Routes of the front door.</param>
    /// <param name="identity">Services to which <see cref="AddSignIn"/> was added.</param>
    public static void MapSignIn(this IEndpointRouteBuilder endpoints, IServiceProvider identity)
    {
        var pages = identity.GetRequiredService<SignInPages>();
        endpoints.MapGet("sign-in", pages.ShowAsync);
        endpoints.MapPost("sign-in", pages.PostAsync);
        endpoints.MapGet("sign-in/code", pages.ShowCodeAsync);
        endpoints.MapPost("sign-in/code", pages.PostCodeAsync);
        endpoints.MapGet("sign-in/password", pages.ShowNewPasswordAsync);
        endpoints.MapPost("sign-in/password", pages.PostNewPasswordAsync);
        endpoints.MapGet("sign-in/ticket", pages.ByTicketAsync);
        endpoints.MapGet("sign-out", pages.ShowSignOutAsync);
        endpoints.MapPost("sign-out", pages.PostSignOutAsync);
        endpoints.MapGet("account", pages.ShowAccountAsync);
        endpoints.MapFederation(identity);
        var passkeys = identity.GetRequiredService<PasskeyPages>();
        endpoints.MapGet(PasskeyScript.Path, PasskeyScript.WriteAsync);
        endpoints.MapGet(PasskeyPages.SignInPath, passkeys.ShowSignInAsync);
        endpoints.MapPost(PasskeyPages.SignInPath, passkeys.PostSignInAsync);
        endpoints.MapGet(PasskeyPages.AccountPath, passkeys.ShowAccountAsync);
        endpoints.MapPost(PasskeyPages.AccountPath, passkeys.PostAddAsync);
        endpoints.MapPost(PasskeyPages.AccountPath + "/remove", passkeys.PostRemoveAsync);
        endpoints.MapPost(PasskeyPages.AccountPath + "/require", passkeys.PostRequireAsync);
    }
}

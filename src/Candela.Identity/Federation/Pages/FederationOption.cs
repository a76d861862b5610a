using Candela.Identity.SignIn.Pages;

namespace Candela.Identity.Federation.Pages;

/// <summary>The sign-in page's links to OpenID providers.</summary>
internal sealed class FederationOption(IdentityProviders providers) : ISignInOption
{
    /// <inheritdoc/>
    public async ValueTask<IReadOnlyList<SignInLink>> ListAsync(CancellationToken cancellationToken) =>
        [.. (await providers.ListAsync(cancellationToken)).Where(provider => provider is { OpenId: not null, Listed: true } && providers.IsUsable(provider))
            .Select(provider => new SignInLink($"Sign in with {provider.ShownName}", FederationPages.BeginPathOf(provider.Name)))];
}

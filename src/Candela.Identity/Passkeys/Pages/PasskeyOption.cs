using Candela.Identity.SignIn.Pages;

namespace Candela.Identity.Passkeys.Pages;

/// <summary>The link on the sign-in page.</summary>
internal sealed class PasskeyOption : ISignInOption
{
    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<SignInLink>> ListAsync(CancellationToken cancellationToken) => new([new SignInLink("Sign in with a passkey", PasskeyPages.SignInPath)]);
}

using Candela.Identity.SignIn.Pages;

namespace Candela.Identity.Passkeys.Pages;

/// <summary>The link on the sign-in page.</summary>
internal sealed class PasskeyOption : ISignInOption
{
    /// <inheritdoc/>
    public string Label => "Sign in with a passkey";

    /// <inheritdoc/>
    public string Path => PasskeyPages.SignInPath;
}

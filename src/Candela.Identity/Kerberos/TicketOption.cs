using Candela.Identity.SignIn.Pages;

namespace Candela.Identity.Kerberos;

/// <summary>The sign-in page's link for those who have a Kerberos ticket.</summary>
internal sealed class TicketOption : ISignInOption
{
    /// <summary>Path of the page that takes tickets.</summary>
    public const string PagePath = "/sign-in/ticket";

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<SignInLink>> ListAsync(CancellationToken cancellationToken) => new([new SignInLink("Sign in with your Kerberos ticket", PagePath)]);
}

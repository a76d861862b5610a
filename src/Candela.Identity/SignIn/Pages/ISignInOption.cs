namespace Candela.Identity.SignIn.Pages;

/// <summary>Other ways to sign in, besides the password: links on the sign-in page. Their pages end with <see cref="ISignInSessions.BeginAsync"/>.</summary>
public interface ISignInOption
{
    /// <summary>The links there are now.</summary>
    ValueTask<IReadOnlyList<SignInLink>> ListAsync(CancellationToken cancellationToken);
}

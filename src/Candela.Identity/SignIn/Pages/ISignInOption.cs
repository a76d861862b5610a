namespace Candela.Identity.SignIn.Pages;

/// <summary>Another way to sign in, besides the password: a link on the sign-in page. Its page ends with <see cref="ISignInSessions.BeginAsync"/>.</summary>
public interface ISignInOption
{
    /// <summary>What the link says.</summary>
    string Label { get; }

    /// <summary>Path of its page, which is given where to lead back to in the query's <c>to</c>.</summary>
    string Path { get; }
}

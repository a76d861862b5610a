using Candela.Identity.Accounts;
using Microsoft.AspNetCore.Http;

namespace Candela.Identity.SignIn;

/// <summary>
/// Who is signed in with a browser: one session for all of identity's pages, OpenID Connect, SAML and the console. The browser holds a random
/// value in a <c>__Host-</c> cookie, the state store a document below its digest. Safe for use from many threads.
/// </summary>
public interface ISignInSessions
{
    /// <summary>The session of a request; null: nobody is signed in, or no longer (expired, signed out, disabled, password changed since).</summary>
    Task<SignInSession?> FindAsync(HttpContext context, CancellationToken cancellationToken);

    /// <summary>A session by its <see cref="SignInSession.Id"/>, for tokens that last as long as it; null: it has ended.</summary>
    Task<SignInSession?> FindAsync(string id, CancellationToken cancellationToken);

    /// <summary>
    /// Signs somebody in who has just proved who they are, whatever by. What the cookie was before is worth nothing from now on: nobody can
    /// prepare a session for somebody else (session fixation).
    /// </summary>
    /// <param name="context">Request; the new cookie goes into its response.</param>
    /// <param name="account">Who.</param>
    /// <param name="methods">How, as in <see cref="SignInSession.Methods"/>.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    Task<SignInSession> BeginAsync(HttpContext context, DirectoryEntry account, IReadOnlyList<string> methods, CancellationToken cancellationToken);

    /// <summary>Ends a session by its <see cref="SignInSession.Id"/>, if it goes on.</summary>
    Task EndAsync(string id, CancellationToken cancellationToken);

    /// <summary>Ends the session of a request, if there is one.</summary>
    Task EndAsync(HttpContext context, CancellationToken cancellationToken);

    /// <summary>
    /// What a form must send back in its field <see cref="FormTokenField"/>: bound to the browser's cookie, which is set if there is none. Every
    /// form has one, the sign-in form too.
    /// </summary>
    ValueTask<string> GetFormTokenAsync(HttpContext context, CancellationToken cancellationToken);

    /// <summary>
    /// Whether a posted form comes from a page of ours in this browser: the token fits the cookie, and the browser names no other origin. To be
    /// asked before anything else is done with the form.
    /// </summary>
    ValueTask<bool> IsOwnFormAsync(HttpContext context, IFormCollection form, CancellationToken cancellationToken);

    /// <summary>Name of the form field with the form token.</summary>
    const string FormTokenField = "form_token";

    /// <summary>The address of the sign-in page that leads back to a path of this server.</summary>
    /// <param name="returnTo">Path and query; what is no path of this server is left out.</param>
    /// <param name="again">Ask even if somebody is signed in.</param>
    string SignInPath(string returnTo, bool again = false);
}

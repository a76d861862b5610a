namespace Candela.Identity.Federation.OpenId;

/// <summary>
/// A sign-in that somebody is on the way of, at an OpenID provider. It travels as <c>state</c>, sealed: strangers make nothing be stored, and
/// nobody reads or makes it up.
/// </summary>
/// <param name="Provider">Name of the provider.</param>
/// <param name="Revision">Its revision: what was begun with other settings is not ended.</param>
/// <param name="Nonce">To come back in the ID token.</param>
/// <param name="Verifier">PKCE code verifier (RFC 7636).</param>
/// <param name="Browser">Digest of what only the browser that began has.</param>
/// <param name="To">Where to lead back to.</param>
/// <param name="IsAgain">A former sign-in at the provider does not count.</param>
/// <param name="LinkSession">Session of the account that is to be linked; null: it is a sign-in.</param>
/// <param name="BegunAt">When.</param>
internal sealed record PendingSignIn(
    string Provider, long Revision, string Nonce, string Verifier, byte[] Browser, string To, bool IsAgain, string? LinkSession, DateTimeOffset BegunAt);

namespace Candela.Identity.Saml.Sessions;

/// <summary>A service provider's session that came from a sign-in session: one for each service provider.</summary>
/// <param name="SignInSession">The sign-in session.</param>
/// <param name="Provider">Name of the service provider.</param>
/// <param name="EntityId">Its entity id.</param>
/// <param name="Index">Session index that it was given.</param>
/// <param name="NameIdFormat">Format of the name identifier.</param>
/// <param name="NameId">Name identifier that it was given.</param>
internal sealed record SamlSession(string SignInSession, string Provider, string EntityId, string Index, string NameIdFormat, string NameId);

namespace Candela.Identity.Saml;

/// <summary>Somebody who is signed in may not sign in to a service provider.</summary>
internal sealed class SamlRefusal(string message) : Exception(message);

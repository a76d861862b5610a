namespace Candela.Identity.Saml.Bindings;

/// <summary>Which way a message goes, and so the parameter that carries it (saml-bindings-2.0-os, 3.4.3).</summary>
internal enum SamlMessageKind
{
    /// <summary><c>SAMLRequest</c>.</summary>
    Request,

    /// <summary><c>SAMLResponse</c>.</summary>
    Response,
}

namespace Candela.Identity.OpenIdConnect.Clients;

/// <summary>How a client proves who it is (OpenID Connect Core, section 9; RFC 8705, section 2).</summary>
public enum ClientAuthentication
{
    /// <summary>Not at all: a public client, such as a program on people's computers.</summary>
    None,

    /// <summary>By a secret: <c>client_secret_basic</c> or <c>client_secret_post</c>.</summary>
    Secret,

    /// <summary>By a token that it signs: <c>private_key_jwt</c>.</summary>
    PrivateKeyJwt,

    /// <summary>By mutual TLS with a certificate of Candela's own authority: <c>tls_client_auth</c>.</summary>
    Tls,

    /// <summary>By mutual TLS with a certificate whose key is registered: <c>self_signed_tls_client_auth</c>.</summary>
    SelfSignedTls,
}

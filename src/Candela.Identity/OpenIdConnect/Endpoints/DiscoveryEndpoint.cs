using System.Text.Json;
using Candela.Identity.Jose;
using Candela.Identity.OpenIdConnect.Clients;
using Candela.Identity.OpenIdConnect.Tokens;
using Candela.Identity.SignIn;
using Microsoft.AspNetCore.Http;

namespace Candela.Identity.OpenIdConnect.Endpoints;

/// <summary>What the provider can do, and its keys (OpenID Connect Discovery 1.0; RFC 8414).</summary>
internal sealed class DiscoveryEndpoint(ProviderKeys keys, SignInOptions signIn)
{
    public const string OpenIdPath = "/.well-known/openid-configuration";
    public const string OAuthPath = "/.well-known/oauth-authorization-server";
    public const string KeysPath = "/oauth2/jwks";

    private static readonly string[] ClientMethods = ["client_secret_basic", "client_secret_post", "private_key_jwt", "tls_client_auth", "self_signed_tls_client_auth"];

    /// <summary>GET /.well-known/openid-configuration, and the like for OAuth</summary>
    public Task GetAsync(HttpContext context)
    {
        Allow(context);
        return OAuthEndpoint.WriteAsync(context, Write);
    }

    /// <summary>GET /oauth2/jwks</summary>
    public Task GetKeysAsync(HttpContext context)
    {
        Allow(context);
        return OAuthEndpoint.WriteAsync(context, writer =>
        {
            writer.WriteStartArray("keys");
            foreach (var (kind, key) in new[] { keys.Signing, keys.Rsa }.SelectMany(kind => kind.Published.Select(key => (kind, key))))
            {
                writer.WriteStartObject();
                key.WriteMembers(writer);
                writer.WriteString("use", "sig");
                writer.WriteString("alg", kind.Algorithm.Name);
                writer.WriteString("kid", key.Thumbprint);
                writer.WriteEndObject();
            }

            writer.WriteEndArray();
        });
    }

    private void Write(Utf8JsonWriter writer)
    {
        var issuer = signIn.Origin;
        writer.WriteString("issuer", issuer);
        writer.WriteString("authorization_endpoint", issuer + AuthorizeEndpoint.Path);
        writer.WriteString("token_endpoint", issuer + TokenEndpoint.Path);
        writer.WriteString("userinfo_endpoint", issuer + UserInfoEndpoint.Path);
        writer.WriteString("jwks_uri", issuer + KeysPath);
        writer.WriteString("introspection_endpoint", issuer + IntrospectionEndpoint.Path);
        writer.WriteString("revocation_endpoint", issuer + RevocationEndpoint.Path);
        writer.WriteString("device_authorization_endpoint", issuer + DeviceEndpoint.Path);
        writer.WriteString("end_session_endpoint", issuer + LogoutEndpoint.Path);
        AccountClaims.Write(writer, "scopes_supported", Scopes.Standard);
        AccountClaims.Write(writer, "claims_supported", AccountClaims.Names);
        AccountClaims.Write(writer, "response_types_supported", ["code"]);
        AccountClaims.Write(writer, "response_modes_supported", ["query"]);
        AccountClaims.Write(writer, "grant_types_supported", GrantTypes.All);
        AccountClaims.Write(writer, "code_challenge_methods_supported", ["S256"]);
        AccountClaims.Write(writer, "prompt_values_supported", ["none", "login", "consent", "select_account"]);
        AccountClaims.Write(writer, "subject_types_supported", ["public"]);
        AccountClaims.Write(writer, "id_token_signing_alg_values_supported", IdTokenAlgorithms.All);
        foreach (var endpoint in new[] { "token", "introspection", "revocation" })
        {
            // A public client authenticates by nothing, where it may call at all.
            AccountClaims.Write(writer, $"{endpoint}_endpoint_auth_methods_supported", endpoint == "introspection" ? ClientMethods : [.. ClientMethods, "none"]);
            AccountClaims.Write(writer, $"{endpoint}_endpoint_auth_signing_alg_values_supported", JwsAlgorithm.Names);
        }

        writer.WriteBoolean("backchannel_logout_supported", true);
        writer.WriteBoolean("backchannel_logout_session_supported", true);
        writer.WriteBoolean("tls_client_certificate_bound_access_tokens", true);
        writer.WriteBoolean("authorization_response_iss_parameter_supported", true);
        writer.WriteBoolean("claims_parameter_supported", false);
        writer.WriteBoolean("request_parameter_supported", false);
        writer.WriteBoolean("request_uri_parameter_supported", false);
    }

    /// <summary>Public, and kept for a while: well below the time for which a new key is announced.</summary>
    private static void Allow(HttpContext context)
    {
        context.Response.Headers.CacheControl = "public, max-age=300";
        context.Response.Headers.AccessControlAllowOrigin = "*";
        context.Response.Headers.XContentTypeOptions = "nosniff";
    }
}

using Candela.Identity.Storage;

namespace Candela.Identity.OpenIdConnect;

/// <summary>Where the provider's documents are in the state store. Codes and secrets are there as digests only.</summary>
internal static class OpenIdKeys
{
    public const string Root = IdentityKeys.Root + "oauth/";
    public const string Clients = Root + "clients/";
    public const string Grants = Root + "grants/";
    public const string SigningKeys = Root + "signing-keys";
    public const string RsaSigningKeys = Root + "signing-keys-rsa";
    public const string RefreshKey = Root + "refresh-key";

    public static string Client(string id) => Clients + id;

    public static string Grant(string id) => Grants + id;

    public static string Code(string digest) => $"{Root}codes/{digest}";

    public static string Device(string digest) => $"{Root}devices/{digest}";

    public static string UserCode(string code) => $"{Root}user-codes/{code}";

    public static string Consent(Guid accountId, string clientId) => $"{Root}consents/{accountId}/{clientId}";

    /// <summary>An access token that was revoked before its end.</summary>
    public static string Revoked(string tokenId) => $"{Root}revoked/{tokenId}";

    /// <summary>A client assertion that was used (RFC 7523, section 3, jti).</summary>
    public static string Assertion(string digest) => $"{Root}assertions/{digest}";
}

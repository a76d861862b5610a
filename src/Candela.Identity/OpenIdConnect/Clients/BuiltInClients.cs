namespace Candela.Identity.OpenIdConnect.Clients;

/// <summary>Clients that come with Candela.</summary>
public static class BuiltInClients
{
    /// <summary>The command line <c>candela</c>: a public client that signs people in by device code, or by a loopback redirect.</summary>
    public const string CommandLine = "candela-cli";

    /// <summary>For whom tokens of the REST API are.</summary>
    /// <param name="issuer">The provider.</param>
    public static string ApiAudience(string issuer) => issuer + "/v1";

    internal static OAuthClient? Find(string id, Guid systemDomainId, string issuer) => id != CommandLine ? null : new OAuthClient
    {
        Id = CommandLine,
        DomainId = systemDomainId,
        DisplayName = "candela (command line)",
        Authentication = ClientAuthentication.None,
        Grants = [GrantTypes.AuthorizationCode, GrantTypes.DeviceCode, GrantTypes.RefreshToken],
        RedirectUris = ["http://127.0.0.1/callback", "http://[::1]/callback"],
        Scopes = [Scopes.OpenId, Scopes.Profile, Scopes.OfflineAccess],
        Audiences = [ApiAudience(issuer)],
    };
}

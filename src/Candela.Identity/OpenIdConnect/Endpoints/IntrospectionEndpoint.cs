using Candela.Identity.Jose;
using Candela.Identity.OpenIdConnect.Clients;
using Candela.Identity.OpenIdConnect.Grants;
using Candela.Identity.OpenIdConnect.Tokens;
using Candela.Identity.SignIn.Pages;
using Microsoft.AspNetCore.Http;

namespace Candela.Identity.OpenIdConnect.Endpoints;

/// <summary>The introspection endpoint (RFC 7662): for clients that a token was given to or is for; all others hear that it is none.</summary>
internal sealed class IntrospectionEndpoint(OAuthEndpoint endpoint, AccessTokens tokens, RefreshTokens refreshTokens, GrantStore grants, AccountClaims claims)
{
    public const string Path = "/oauth2/introspect";

    /// <summary>POST /oauth2/introspect</summary>
    public Task PostAsync(HttpContext context) => endpoint.RunAsync(context, "oauth.introspect", async (client, form) =>
    {
        if (client.Authentication == ClientAuthentication.None)
            throw OAuthException.InvalidClient("a public client may not ask");
        var text = form.Text("token");
        if (await TryAccessAsync(context, client, text) || await TryRefreshAsync(context, client, text))
            return "active";
        await OAuthEndpoint.WriteAsync(context, writer => writer.WriteBoolean("active", false));
        return "inactive";
    });

    private async Task<bool> TryAccessAsync(HttpContext context, OAuthClient client, string text)
    {
        AccessToken token;
        try
        {
            token = await tokens.CheckAsync(tokens.Read(text), context.RequestAborted);
        }
        catch (JoseException)
        {
            return false;
        }

        if (token.ClientId != client.Id && !token.Audiences.Any(client.Audiences.Contains))
            return false;
        await OAuthEndpoint.WriteAsync(context, writer =>
        {
            writer.WriteBoolean("active", true);
            writer.WriteString("token_type", "Bearer");
            if (token.Account is { } account)
                writer.WriteString("username", claims.NameOf(account));
            foreach (var claim in token.Claims.EnumerateObject())
                claim.WriteTo(writer);
        });
        return true;
    }

    private async Task<bool> TryRefreshAsync(HttpContext context, OAuthClient client, string text)
    {
        if (await refreshTokens.ReadAsync(text, context.RequestAborted) is not var (id, sequence) || await grants.FindAliveAsync(id, context.RequestAborted) is not var (grant, account, _) ||
            grant.ClientId != client.Id || grant.Sequence != sequence)
            return false;
        await OAuthEndpoint.WriteAsync(context, writer =>
        {
            writer.WriteBoolean("active", true);
            writer.WriteString("client_id", client.Id);
            writer.WriteString("sub", $"{account.Id}");
            writer.WriteString("username", claims.NameOf(account));
            writer.WriteString("scope", string.Join(' ', grant.Scopes));
            writer.WriteNumber("exp", grant.ExpiresAt.ToUnixTimeSeconds());
        });
        return true;
    }
}

using Candela.Identity.Jose;
using Candela.Identity.OpenIdConnect.Grants;
using Candela.Identity.OpenIdConnect.Tokens;
using Candela.Identity.SignIn.Pages;
using Candela.Identity.Storage;
using Candela.State;
using Microsoft.AspNetCore.Http;

namespace Candela.Identity.OpenIdConnect.Endpoints;

/// <summary>The revocation endpoint (RFC 7009): a refresh token with all tokens of its sign-in, or one access token.</summary>
internal sealed class RevocationEndpoint(OAuthEndpoint endpoint, AccessTokens tokens, RefreshTokens refreshTokens, GrantStore grants, IStateStore store, ExpiryLeases leases)
{
    public const string Path = "/oauth2/revoke";

    private static readonly TimeSpan Longest = TimeSpan.FromHours(1);

    /// <summary>POST /oauth2/revoke: says 200 for tokens that are none or another client's, too (section 2.2).</summary>
    public Task PostAsync(HttpContext context) => endpoint.RunAsync(context, "oauth.revoke", async (client, form) =>
    {
        var text = form.Text("token");
        if (text.Length == 0)
            throw OAuthException.InvalidRequest("token is missing");
        context.Response.StatusCode = StatusCodes.Status200OK;
        if (await refreshTokens.ReadAsync(text, context.RequestAborted) is var (id, _))
        {
            if (await grants.FindAliveAsync(id, context.RequestAborted) is not var (grant, _, _) || grant.ClientId != client.Id)
                return "nothing";
            await grants.RevokeAsync(id, context.RequestAborted);
            return $"grant {id}";
        }

        try
        {
            var token = tokens.Read(text);
            if (token.ClientId != client.Id)
                return "nothing";
            await store.CommitAsync(
                new StateTransaction().Put(OpenIdKeys.Revoked(token.Id), ReadOnlyMemory<byte>.Empty, await leases.GetAsync(Longest, context.RequestAborted)), context.RequestAborted);
            return $"token {token.Id}";
        }
        catch (JoseException)
        {
            return "nothing";
        }
    });
}

using Candela.Identity.OpenIdConnect.Clients;
using Candela.Identity.OpenIdConnect.Tokens;
using Candela.Identity.SignIn.Pages;
using Candela.Model;
using Microsoft.AspNetCore.Http;

namespace Candela.Identity.OpenIdConnect.Endpoints;

/// <summary>The userinfo endpoint (OpenID Connect Core, section 5.3).</summary>
internal sealed class UserInfoEndpoint(IAccessTokens tokens, AccountClaims claims)
{
    public const string Path = "/oauth2/userinfo";

    /// <summary>GET and POST /oauth2/userinfo</summary>
    public async Task RunAsync(HttpContext context)
    {
        const string Scheme = "Bearer ";
        HtmlPage.Harden(context.Response);
        if (context.Request.Headers.Authorization is not [{ } header] || !header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase))
        {
            Refuse(context, StatusCodes.Status401Unauthorized, "Bearer");
            return;
        }

        try
        {
            var token = await tokens.ValidateAsync(header[Scheme.Length..].Trim(), audience: null, context.Connection.ClientCertificate, context.RequestAborted);
            if (token.Account is not { } account || !token.Scopes.Contains(Scopes.OpenId))
                Refuse(context, StatusCodes.Status403Forbidden, "Bearer error=\"insufficient_scope\", scope=\"openid\"");
            else
                await OAuthEndpoint.WriteAsync(context, writer =>
                {
                    writer.WriteString("sub", $"{account.Id}");
                    claims.Write(writer, account, [.. token.Scopes]);
                });
        }
        catch (CandelaException e) when (e.Code == ErrorCode.Unauthenticated)
        {
            Refuse(context, StatusCodes.Status401Unauthorized, "Bearer error=\"invalid_token\"");
        }
    }

    private static void Refuse(HttpContext context, int status, string challenge)
    {
        context.Response.StatusCode = status;
        context.Response.Headers.WWWAuthenticate = challenge;
    }
}

using System.Text.Json;
using Candela.Identity.Accounts;
using Candela.Identity.Administration;
using Candela.Identity.Auditing;
using Candela.Identity.Jose;
using Candela.Identity.OpenIdConnect.Clients;
using Candela.Identity.OpenIdConnect.Tokens;
using Candela.Identity.SignIn;
using Candela.Identity.SignIn.Pages;
using Candela.Model;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;

namespace Candela.Identity.OpenIdConnect.Endpoints;

/// <summary>Logout that a client has begun (OpenID Connect RP-Initiated Logout 1.0).</summary>
internal sealed class LogoutEndpoint(OwnTokens tokens, ClientStore clients, ISignInSessions sessions, IDirectory directory, IEnumerable<ISignOutRoute> routes, ProtocolAudit audit)
{
    public const string Path = "/oauth2/logout";
    public const string ConfirmPath = "/oauth2/logout/confirm";

    /// <summary>GET /oauth2/logout</summary>
    public async Task GetAsync(HttpContext context)
    {
        var query = context.Request.Query;
        var hint = ReadHint(query["id_token_hint"].ToString());
        if (await NextAsync(context, hint, query["client_id"].ToString(), query["post_logout_redirect_uri"].ToString(), query["state"].ToString()) is not var (next, isGood) || !isGood)
        {
            await HtmlPage.WriteErrorAsync(context, StatusCodes.Status400BadRequest, "That did not work", "The application wants you to be led to an address that is not registered for it. You are still signed in.");
            return;
        }

        var session = await sessions.FindAsync(context, context.RequestAborted);
        // Who shows an ID token of this very session means it; everybody else could be a link on another site.
        if (session is not null && hint?.Text("sid") != session.Id)
        {
            var token = await sessions.GetFormTokenAsync(context, context.RequestAborted);
            await HtmlPage.WriteAsync(context, "Sign out?", Html.Of($"""
                <p>An application asks you to sign out. You will be asked to sign in again by what you open next.</p>
                <form method="post" action="{ConfirmPath}">{Html.Hidden(ISignInSessions.FormTokenField, token)}{Html.Hidden("request", context.Request.QueryString.Value ?? "")}<button>Sign out</button></form>
                """));
            return;
        }

        await EndAsync(context, session, next);
    }

    /// <summary>POST /oauth2/logout: led on by GET, as another site's form brings no cookie along.</summary>
    public static async Task PostAsync(HttpContext context)
    {
        var form = await Forms.ReadAsync(context);
        HtmlPage.Harden(context.Response);
        context.Response.StatusCode = StatusCodes.Status303SeeOther;
        context.Response.Headers.Location = form is null ? Path : QueryHelpers.AddQueryString(Path, form.ToDictionary());
    }

    /// <summary>POST /oauth2/logout/confirm: the answer of whoever was asked.</summary>
    public async Task PostConfirmAsync(HttpContext context)
    {
        if (await Forms.ReadAsync(context) is not { } form || !await sessions.IsOwnFormAsync(context, form, context.RequestAborted))
        {
            audit.Refused(Actor.Unproven("", OAuthEndpoint.FromOf(context)), "signin.end", "", new CandelaException(ErrorCode.PermissionDenied, "the form is not one of ours"));
            await HtmlPage.WriteErrorAsync(context, StatusCodes.Status403Forbidden, "The form has expired", "You are still signed in. Sign out at /sign-out.");
            return;
        }

        var query = QueryHelpers.ParseQuery(form.Text("request"));
        string Text(string name) => query.TryGetValue(name, out var values) ? values.ToString() : "";
        var next = await NextAsync(context, ReadHint(Text("id_token_hint")), Text("client_id"), Text("post_logout_redirect_uri"), Text("state"));
        await EndAsync(context, await sessions.FindAsync(context, context.RequestAborted), next is var (address, isGood) && isGood ? address : null);
    }

    private async Task EndAsync(HttpContext context, SignInSession? session, string? next)
    {
        if (session is not null)
        {
            await sessions.EndAsync(context, context.RequestAborted);
            audit.Done(Actor.Of(session.Account, directory.Current.GetDomain(session.Account.DomainId)!, OAuthEndpoint.FromOf(context)), "signin.end", session.Id);
            foreach (var route in routes)
            {
                if (await route.TryAnswerAsync(context, session.Id, next))
                    return;
            }
        }

        if (next is null)
            await HtmlPage.WriteAsync(context, "Signed out", Html.Of($"""<p>You are signed out. <a href="/sign-in">Sign in</a></p>"""));
        else
            await HtmlPage.LeadOnAsync(context, "Signed out", next);
    }

    /// <summary>Where to lead afterwards, if that is said and registered for the client that the hint or the id names.</summary>
    private async Task<(string? Address, bool IsGood)?> NextAsync(HttpContext context, JsonElement? hint, string clientId, string redirectUri, string state)
    {
        var named = hint?.Text("aud");
        if (named is not null && clientId.Length > 0 && named != clientId)
            return (null, false);
        if (redirectUri.Length == 0)
            return (null, true);
        var client = await clients.FindEnabledAsync(named ?? clientId, context.RequestAborted);
        if (client is null || !RedirectUris.Contains(client.PostLogoutRedirectUris, redirectUri))
            return (null, false);
        return (state.Length is 0 or > 1024 ? redirectUri : QueryHelpers.AddQueryString(redirectUri, "state", state), true);
    }

    /// <summary>Claims of an ID token of ours, expired or not; null: it is none.</summary>
    private JsonElement? ReadHint(string token)
    {
        try
        {
            return token.Length == 0 ? null : tokens.Read(token, TokenIssuer.IdTokenType, mayHaveExpired: true);
        }
        catch (JoseException)
        {
            return null;
        }
    }
}

using System.Text.Json;
using Candela.Identity.Accounts;
using Candela.Identity.Administration;
using Candela.Identity.Auditing;
using Candela.Identity.OpenIdConnect.Clients;
using Candela.Identity.OpenIdConnect.Grants;
using Candela.Identity.OpenIdConnect.Tokens;
using Candela.Identity.SignIn;
using Candela.Identity.SignIn.Pages;
using Candela.Identity.Storage;
using Candela.Model;
using Candela.State;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Primitives;

namespace Candela.Identity.OpenIdConnect.Endpoints;

/// <summary>The authorization endpoint: signs somebody in, asks for consent, gives the client a code (OAuth 2.1, section 4.1).</summary>
internal sealed class AuthorizeEndpoint(
    ClientStore clients, ISignInSessions sessions, IDirectory directory, AccountClaims claims, IStateStore store, ExpiryLeases leases, SignInOptions signIn, OpenIdOptions options,
    BackChannelLogout logout, TimeProvider time, ProtocolAudit audit)
{
    public const string Path = "/oauth2/authorize";
    public const string ConsentPath = "/oauth2/consent";

    /// <summary>GET /oauth2/authorize</summary>
    public Task GetAsync(HttpContext context) =>
        RunAsync(context, context.Request.Query.ToDictionary(), RedirectAsync, (request, query) => DecideAsync(context, request, query));

    /// <summary>POST /oauth2/authorize: the like in a form (OpenID Connect Core, section 3.1.2.1). Led on by GET, as another site's form brings no cookie along.</summary>
    public static async Task PostAsync(HttpContext context)
    {
        if (await Forms.ReadAsync(context) is not { } form)
            await HtmlPage.WriteErrorAsync(context, StatusCodes.Status400BadRequest, "That did not work", "The application's request is malformed.");
        else
            Redirect(context, QueryHelpers.AddQueryString(Path, form.ToDictionary()));
    }

    /// <summary>POST /oauth2/consent: the answer of whoever was asked.</summary>
    public async Task PostConsentAsync(HttpContext context)
    {
        if (await Forms.ReadAsync(context) is not { } form || !await sessions.IsOwnFormAsync(context, form, context.RequestAborted))
        {
            audit.Refused(Actor.Unproven("", OAuthEndpoint.FromOf(context)), "oauth.consent", "", new CandelaException(ErrorCode.PermissionDenied, "the form is not one of ours"));
            await HtmlPage.WriteErrorAsync(context, StatusCodes.Status403Forbidden, "The form has expired", "Go back to the application and sign in again.");
            return;
        }

        var text = form.Text("request");
        await RunAsync(context, QueryHelpers.ParseQuery(text), LeadOnAsync, async (request, query) =>
        {
            if (await sessions.FindAsync(context, context.RequestAborted) is not { } session)
                return sessions.SignInPath(Path + text);
            CheckAccount(request, session);
            if (form.Text("decision") != "allow")
                throw new OAuthException("access_denied", "the user has refused");
            var consent = JsonSerializer.SerializeToUtf8Bytes(new ConsentDocument(request.Scopes, time.GetUtcNow()), OpenIdJson.Default.ConsentDocument);
            await store.CommitAsync(new StateTransaction().Put(OpenIdKeys.Consent(session.Account.Id, request.Client.Id), consent), context.RequestAborted);
            audit.Done(ActorOf(context, session.Account), "oauth.consent", $"{request.Client.Id} {string.Join(' ', request.Scopes)}");
            return await CodeAsync(context, request, session);
        });
    }

    private async Task RunAsync(
        HttpContext context, Dictionary<string, StringValues> query, Func<HttpContext, string, Task> lead, Func<AuthorizationRequest, Dictionary<string, StringValues>, Task<string?>> decide)
    {
        AuthorizationRequest? request = null;
        try
        {
            request = await AuthorizationRequest.BeginAsync(query, clients, context.RequestAborted);
            if (await decide(request.Complete(query), query) is { } next)
                await lead(context, next);
        }
        catch (OAuthException e)
        {
            audit.Refused(Actor.Unproven(request?.Client.Id ?? "", OAuthEndpoint.FromOf(context)), "oauth.authorize", e.Error, e.ForAudit());
            if (request is null)
                await HtmlPage.WriteErrorAsync(context, StatusCodes.Status400BadRequest, "That did not work", e.Message);
            else
                await lead(context, Answer(request, [new("error", e.Error), new("error_description", e.Message)]));
        }
    }

    /// <summary>Where to go next; null: a page was shown.</summary>
    private async Task<string?> DecideAsync(HttpContext context, AuthorizationRequest request, Dictionary<string, StringValues> query)
    {
        var isSilent = request.Prompt.Contains("none");
        var session = await sessions.FindAsync(context, context.RequestAborted);
        var mustSignIn = request.Prompt.Contains("login") || request.Prompt.Contains("select_account") || time.GetUtcNow() - session?.SignedInAt > request.MaximumAge;
        if (session is null || mustSignIn)
        {
            if (isSilent)
                throw new OAuthException("login_required", "nobody is signed in, or not recently enough");
            // Asked once: what comes back from the sign-in page has been signed in to just now.
            query["prompt"] = request.Prompt.Contains("consent") ? "consent" : "";
            if (request.MaximumAge == TimeSpan.Zero)
                query.Remove("max_age");
            var back = QueryHelpers.AddQueryString(Path, query.Where(parameter => parameter.Value != ""));
            return LocalPath.IsValid(back) ? sessions.SignInPath(back, again: mustSignIn) : throw OAuthException.InvalidRequest("the request is too long");
        }

        CheckAccount(request, session);
        if (!request.Client.Trusted && (request.Prompt.Contains("consent") || !await HasConsentAsync(request, session, context.RequestAborted)))
        {
            if (isSilent)
                throw new OAuthException("consent_required", "the user has not been asked yet");
            await ConsentPageAsync(context, request, session);
            return null;
        }

        return await CodeAsync(context, request, session);
    }

    /// <summary>A tenant's client is for the tenant's accounts only.</summary>
    private void CheckAccount(AuthorizationRequest request, SignInSession session)
    {
        if (request.Client.DomainId != session.Account.DomainId && request.Client.DomainId != directory.Current.SystemDomain.Id)
            throw new OAuthException("access_denied", "this application is for accounts of its own domain only");
    }

    private async Task<bool> HasConsentAsync(AuthorizationRequest request, SignInSession session, CancellationToken cancellationToken) =>
        await store.GetAsync(OpenIdKeys.Consent(session.Account.Id, request.Client.Id), cancellationToken) is { } entry &&
        JsonSerializer.Deserialize(entry.Value.Span, OpenIdJson.Default.ConsentDocument) is { } consent && consent.At >= request.Client.CreatedAt && request.Scopes.All(consent.Scopes.Contains);

    private async Task ConsentPageAsync(HttpContext context, AuthorizationRequest request, SignInSession session)
    {
        var scopes = Html.Join(request.Scopes.Select(scope => Html.Of($"<li>{Scopes.Describe(scope)}</li>")));
        var token = await sessions.GetFormTokenAsync(context, context.RequestAborted);
        var query = context.Request.QueryString.Value ?? "";
        await HtmlPage.WriteAsync(context, $"Sign in to {request.Client.ShownName}?", Html.Of($"""
            <p>You are signed in as <strong>{claims.NameOf(session.Account)}</strong>. <strong>{request.Client.ShownName}</strong> ({request.Client.Id}, {new Uri(request.RedirectUri).Host}) would be able to:</p>
            <ul>{scopes}</ul>
            <form method="post" action="{ConsentPath}">{Html.Hidden(ISignInSessions.FormTokenField, token)}{Html.Hidden("request", query)}
            <button name="decision" value="allow">Allow</button><button name="decision" value="deny">Refuse</button></form>
            <p><a href="{sessions.SignInPath(Path + query, again: true)}">Sign in as somebody else</a></p>
            """));
    }

    private async Task<string> CodeAsync(HttpContext context, AuthorizationRequest request, SignInSession session)
    {
        var now = time.GetUtcNow();
        var isOffline = request.Scopes.Contains(Scopes.OfflineAccess) && request.Client.Grants.Contains(GrantTypes.RefreshToken);
        var document = new CodeDocument
        {
            Grant = new GrantDocument
            {
                ClientId = request.Client.Id,
                AccountId = session.Account.Id,
                Scopes = request.Scopes,
                Audiences = request.Audiences,
                AuthenticatedAt = session.SignedInAt,
                Methods = session.Methods,
                SessionId = session.Id,
                IsOffline = isOffline,
                Nonce = request.Nonce,
                CreatedAt = now,
                ExpiresAt = now + (isOffline ? options.RefreshIdleTime : signIn.Lifetime),
            },
            RedirectUri = request.RedirectUri,
            Challenge = request.Challenge,
            ExpiresAt = now + options.CodeLifetime,
        };
        await logout.RememberAsync(request.Client, session.Account.Id, session.Id, context.RequestAborted);
        var code = Digest.NewValue();
        var digest = Digest.Of(code);
        await store.CommitAsync(
            new StateTransaction().Put(
                OpenIdKeys.Code(digest), JsonSerializer.SerializeToUtf8Bytes(document, OpenIdJson.Default.CodeDocument), await leases.GetAsync(Codes.Retention, context.RequestAborted)),
            context.RequestAborted);
        audit.Done(ActorOf(context, session.Account), "oauth.authorize", $"{request.Client.Id} {string.Join(' ', request.Scopes)}");
        return Answer(request, [new("code", code)]);
    }

    /// <summary>The client's address with the answer; always with who answers (RFC 9207), lest it take ours for another's.</summary>
    private string Answer(AuthorizationRequest request, IEnumerable<KeyValuePair<string, string?>> members)
    {
        List<KeyValuePair<string, string?>> all = [.. members, new("iss", signIn.Origin)];
        if (request.State is not null)
            all.Add(new("state", request.State));
        return QueryHelpers.AddQueryString(request.RedirectUri, all);
    }

    private static Task RedirectAsync(HttpContext context, string address)
    {
        Redirect(context, address);
        return Task.CompletedTask;
    }

    private static void Redirect(HttpContext context, string address)
    {
        HtmlPage.Harden(context.Response);
        // 303, never 307: what was posted here is nobody else's (RFC 9700, section 4.12).
        context.Response.StatusCode = StatusCodes.Status303SeeOther;
        context.Response.Headers.Location = address;
    }

    private static Task LeadOnAsync(HttpContext context, string address) => HtmlPage.LeadOnAsync(context, "Back to the application", address);

    private Actor ActorOf(HttpContext context, DirectoryEntry account) => Actor.Of(account, directory.Current.GetDomain(account.DomainId)!, OAuthEndpoint.FromOf(context));
}

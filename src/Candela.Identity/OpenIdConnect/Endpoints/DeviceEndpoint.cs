using System.Collections.Concurrent;
using System.Threading.RateLimiting;
using Candela.Identity.Accounts;
using Candela.Identity.Administration;
using Candela.Identity.Auditing;
using Candela.Identity.OpenIdConnect.Clients;
using Candela.Identity.OpenIdConnect.Grants;
using Candela.Identity.OpenIdConnect.Tokens;
using Candela.Identity.SignIn;
using Candela.Identity.SignIn.Pages;
using Candela.Model;
using Microsoft.AspNetCore.Http;

namespace Candela.Identity.OpenIdConnect.Endpoints;

/// <summary>The device authorization endpoint, and the page where people say which device is theirs (RFC 8628, sections 3.1 and 3.3).</summary>
internal sealed class DeviceEndpoint(
    OAuthEndpoint endpoint, DeviceGrants devices, ClientStore clients, ISignInSessions sessions, IDirectory directory, AccountClaims claims, SignInOptions signIn, ProtocolAudit audit,
    TimeProvider time) : IDisposable
{
    public const string Path = "/oauth2/device_authorization";
    public const string PagePath = "/device";

    /// <summary>Wrong codes that an account may give before it has to wait (section 5.1).</summary>
    private const int WrongCount = 10;

    private static readonly TimeSpan WrongTime = TimeSpan.FromMinutes(10);

    private readonly ConcurrentDictionary<Guid, (int Count, DateTimeOffset Since)> _wrong = new();

    /// <summary>Devices that may begin to wait from one address: who proves nothing must not be able to fill the store.</summary>
    private readonly PartitionedRateLimiter<string> _begun = PartitionedRateLimiter.Create<string, string>(from => RateLimitPartition.GetTokenBucketLimiter(
        from, _ => new TokenBucketRateLimiterOptions { TokenLimit = 30, TokensPerPeriod = 1, ReplenishmentPeriod = TimeSpan.FromSeconds(2), QueueLimit = 0 }));

    /// <summary>POST /oauth2/device_authorization</summary>
    public Task PostAsync(HttpContext context) => endpoint.RunAsync(context, "oauth.device", async (client, form) =>
    {
        if (!client.Grants.Contains(GrantTypes.DeviceCode))
            throw new OAuthException("unauthorized_client", "the client may not use device codes");
        using var permit = _begun.AttemptAcquire(OAuthEndpoint.FromOf(context));
        if (!permit.IsAcquired)
            throw new OAuthException("slow_down", "too many devices of this address wait: try again in a minute", StatusCodes.Status429TooManyRequests);
        var scopes = AuthorizationRequest.ScopesOf(client, form.Text("scope"));
        var audiences = AuthorizationRequest.AudiencesOf(client, form.TryGetValue("resource", out var resource) ? resource : []);
        var (code, document) = await devices.BeginAsync(client, scopes, audiences, context.RequestAborted);
        await OAuthEndpoint.WriteAsync(context, writer =>
        {
            writer.WriteString("device_code", code);
            writer.WriteString("user_code", document.UserCode);
            writer.WriteString("verification_uri", signIn.Origin + PagePath);
            writer.WriteString("verification_uri_complete", $"{signIn.Origin}{PagePath}?user_code={document.UserCode}");
            writer.WriteNumber("expires_in", (int)(document.ExpiresAt - time.GetUtcNow()).TotalSeconds);
            writer.WriteNumber("interval", document.IntervalSeconds);
        });
        return document.UserCode;
    });

    public void Dispose() => _begun.Dispose();

    /// <summary>GET /device</summary>
    public async Task GetPageAsync(HttpContext context)
    {
        var given = context.Request.Query["user_code"].ToString();
        if (await sessions.FindAsync(context, context.RequestAborted) is not { } session)
        {
            HtmlPage.Harden(context.Response);
            context.Response.StatusCode = StatusCodes.Status303SeeOther;
            context.Response.Headers.Location = sessions.SignInPath(UserCodes.Read(given) is { } code ? $"{PagePath}?user_code={code}" : PagePath);
        }
        else if (given.Length == 0)
        {
            await CodePageAsync(context, error: null);
        }
        else
        {
            await AskAsync(context, session, given);
        }
    }

    /// <summary>POST /device</summary>
    public async Task PostPageAsync(HttpContext context)
    {
        if (await Forms.ReadAsync(context) is not { } form || !await sessions.IsOwnFormAsync(context, form, context.RequestAborted) ||
            await sessions.FindAsync(context, context.RequestAborted) is not { } session)
        {
            audit.Refused(Actor.Unproven("", OAuthEndpoint.FromOf(context)), "oauth.device.answer", "", new CandelaException(ErrorCode.PermissionDenied, "the form is not one of ours, or nobody is signed in"));
            await HtmlPage.WriteErrorAsync(context, StatusCodes.Status403Forbidden, "The form has expired", $"Open {signIn.Origin}{PagePath} again.");
            return;
        }

        // Found again for whoever answers: what they may not allow, they cannot refuse either.
        if (await FindAsync(session, form.Text("user_code"), context.RequestAborted) is not var (document, client))
        {
            await CodePageAsync(context, "That code is wrong, used or expired. Look at the device again.");
            return;
        }

        var allowed = form.Text("decision") == "allow";
        var done = await devices.AnswerAsync(document.UserCode, session, allowed, context.RequestAborted);
        audit.Done(
            Actor.Of(session.Account, directory.Current.GetDomain(session.Account.DomainId)!, OAuthEndpoint.FromOf(context)), allowed ? "oauth.device.allow" : "oauth.device.deny", $"{client.Id} {document.UserCode}");
        await HtmlPage.WriteAsync(
            context, !done ? "Too late" : allowed ? "The device is signed in" : "Refused", Html.Of($"<p>{(done ? "You can close this page and go back to the device." : "Begin again on the device.")}</p>"));
    }

    private async Task AskAsync(HttpContext context, SignInSession session, string given)
    {
        if (await FindAsync(session, given, context.RequestAborted) is not var (document, client))
        {
            await CodePageAsync(context, "That code is wrong, used or expired. Look at the device again.");
            return;
        }

        var scopes = Html.Join(document.Scopes.Select(scope => Html.Of($"<li>{Scopes.Describe(scope)}</li>")));
        var token = await sessions.GetFormTokenAsync(context, context.RequestAborted);
        await HtmlPage.WriteAsync(context, "Sign in a device?", Html.Of($"""
            <p>Does your device show <strong>{document.UserCode}</strong>? If somebody else has sent you this code or address, refuse: they would be signed in as you.</p>
            <p>You are <strong>{claims.NameOf(session.Account)}</strong>. <strong>{client.ShownName}</strong> ({client.Id}) would be able to act for you, and to:</p>
            <ul>{scopes}</ul>
            <form method="post" action="{PagePath}">{Html.Hidden(ISignInSessions.FormTokenField, token)}{Html.Hidden("user_code", document.UserCode)}
            <button name="decision" value="allow">Allow</button><button name="decision" value="deny">Refuse</button></form>
            """));
    }

    private static async Task CodePageAsync(HttpContext context, string? error) => await HtmlPage.WriteAsync(
        context,
        "Sign in a device",
        Html.Of($"""
            {(error is null ? Html.Empty : Html.Of($"""<p role="alert">{error}</p>"""))}<form method="get" action="{PagePath}">
            <label for="user_code">The code that your device shows</label>
            <input id="user_code" name="user_code" autocomplete="off" autocapitalize="characters" spellcheck="false" required autofocus placeholder="XXXX-XXXX">
            <button>Go on</button></form>
            """),
        error is null ? StatusCodes.Status200OK : StatusCodes.Status404NotFound);

    /// <summary>The device that waits with a code, and its client, if this account may sign in to that.</summary>
    private async Task<(DeviceDocument Document, OAuthClient Client)?> FindAsync(SignInSession session, string given, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var id = session.Account.Id;
        if (_wrong.TryGetValue(id, out var wrong) && now - wrong.Since >= WrongTime)
            _wrong.TryRemove(id, out wrong);
        if (wrong.Count >= WrongCount)
            return null;
        if (UserCodes.Read(given) is { } code && await devices.FindAsync(code, cancellationToken) is { } document && await clients.FindEnabledAsync(document.ClientId, cancellationToken) is { } client &&
            (client.DomainId == session.Account.DomainId || client.DomainId == directory.Current.SystemDomain.Id))
            return (document, client);
        _wrong.AddOrUpdate(id, (1, now), (_, former) => (former.Count + 1, former.Since));
        return null;
    }
}

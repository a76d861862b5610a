using System.Security.Cryptography;
using System.Text;
using Candela.Identity.Accounts;
using Candela.Identity.Administration;
using Candela.Identity.Auditing;
using Candela.Identity.Authentication;
using Candela.Identity.Federation.OpenId;
using Candela.Identity.Jose;
using Candela.Identity.Secrets;
using Candela.Identity.SignIn;
using Candela.Identity.SignIn.Pages;
using Candela.Model;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;

namespace Candela.Identity.Federation.Pages;

/// <summary>Sign-in by an OpenID provider (authorization code with PKCE; RFC 9700, sections 2.1 and 4), and the page where one links one's account.</summary>
internal sealed class FederationPages(
    IdentityProviders providers, AccountLinks links, FederatedAccounts accounts, UpstreamClient client, SignInSessions sessions, SignInPages signIn, Authenticator authenticator, IDirectory directory,
    ISecretBox secrets, SignInOptions options, ProtocolAudit audit, TimeProvider time)
{
    public const string BeginRoute = "/sign-in/with/{provider}";
    public const string EndRoute = "/sign-in/from/{provider}";
    public const string AccountPath = "/account/links";

    /// <summary>Who links an account has signed in within this time: an open browser is not enough.</summary>
    private static readonly TimeSpan FreshTime = TimeSpan.FromMinutes(10);

    public static string BeginPathOf(string provider) => $"/sign-in/with/{provider}";

    /// <summary>Where a provider sends browsers back to: each has an address of its own, so that no provider's answer is taken for another's (RFC 9700, section 4.4.2).</summary>
    public static string EndPathOf(string provider) => $"/sign-in/from/{provider}";

    /// <summary>GET /sign-in/with/PROVIDER</summary>
    public Task BeginAsync(HttpContext context, string provider) => GuardAsync(context, provider, async () =>
    {
        var found = await FindAsync(provider, context.RequestAborted);
        var to = SignInPages.To(context.Request.Query["to"]);
        SignInPages.Redirect(context, await AddressAsync(context, found, to, isAgain: context.Request.Query["again"] == "1", linkSession: null));
    });

    /// <summary>GET /sign-in/from/PROVIDER</summary>
    public Task EndAsync(HttpContext context, string provider) => GuardAsync(context, provider, async () =>
    {
        var query = context.Request.Query;
        var found = await FindAsync(provider, context.RequestAborted);
        if (secrets.TryOpen(Single(query["state"]), FederationJson.Default.PendingSignIn) is not { } pending)
            throw new FederationException("the answer belongs to no request of ours (state)");
        if (pending.Provider != provider || pending.Revision != found.Revision)
            throw new FederationException("the request was made to another provider, or before its settings were changed");
        if (time.GetUtcNow() - pending.BegunAt > options.PendingTime)
            throw new FederationException("too much time has passed", "Too much time has passed. Try again.");
        var browser = await BrowserAsync(context);
        if (!CryptographicOperations.FixedTimeEquals(pending.Browser, browser))
            throw new FederationException("the request was begun in another browser");
        // RFC 9207, section 2.4: who names itself must be who was asked; who says it always does, must.
        var metadata = await client.GetMetadataAsync(found, context.RequestAborted);
        if (query.ContainsKey("iss") ? Single(query["iss"]) != found.OpenId!.Issuer : metadata.NamesItself)
            throw new FederationException("the answer is of another provider than was asked (iss)");
        if (Single(query["error"]) is { } error)
            throw new FederationException($"the provider says {Certificates.Names.Printable.Of(error)}", $"{found.ShownName} did not sign you in.");
        if (Single(query["code"]) is not { Length: <= 4096 } code)
            throw new FederationException("the answer has no code");
        var claims = await client.RedeemAsync(found, code, options.Origin + EndPathOf(provider), pending.Verifier, pending.Nonce, context.RequestAborted);
        var provenAt = IdTokenCheck.Number(claims, "auth_time") is { } seconds ? DateTimeOffset.FromUnixTimeSeconds(seconds) : (DateTimeOffset?)null;
        if (pending.IsAgain && !(provenAt >= pending.BegunAt - IdTokenCheck.Skew))
            throw new FederationException("the provider does not say that somebody has just signed in (auth_time)", $"{found.ShownName} does not say that you have just signed in there. Sign in with your password.");
        var profile = ClaimMapping.Read(found, claims);
        await (pending.LinkSession is { } session ? LinkAsync(context, found, profile, session) : SignInAsync(context, found, profile, provenAt, pending.To));
    });

    /// <summary>GET /account/links</summary>
    public Task ShowAccountAsync(HttpContext context) => WithSessionAsync(context, async session =>
    {
        var token = Html.Hidden(ISignInSessions.FormTokenField, await sessions.GetFormTokenAsync(context, context.RequestAborted));
        var rows = new List<Html>();
        foreach (var provider in (await providers.ListAsync(context.RequestAborted)).Where(p => p.OpenId is not null && p.DomainId == session.Account.DomainId && providers.IsUsable(p)))
        {
            var link = await links.FindAsync(provider.Name, session.Account.Id, context.RequestAborted);
            rows.Add(link is null
                ? Html.Of($"""<li><form method="post" action="{AccountPath}">{token}{Html.Hidden("provider", provider.Name)}<button>Link with {provider.ShownName}</button></form></li>""")
                : Html.Of($"""<li><form method="post" action="{AccountPath}/remove">{token}{Html.Hidden("provider", provider.Name)}{provider.ShownName}, since {link.CreatedAt.UtcDateTime.ToString("yyyy-MM-dd", System.Globalization.CultureInfo.InvariantCulture)} <button>Remove the link</button></form></li>"""));
        }

        await HtmlPage.WriteAsync(context, "Linked accounts", Html.Of($"""
            <p>Who can sign in with a linked account can sign in to this one.</p>
            <ul>{Html.Join(rows)}</ul><p><a href="/account">Your account</a></p>
            """));
    });

    /// <summary>POST /account/links</summary>
    public Task PostLinkAsync(HttpContext context) => signIn.WithFormAsync(context, (form, _) => WithSessionAsync(context, session => GuardAsync(context, form.Text("provider"), async () =>
    {
        var found = await FindAsync(form.Text("provider"), context.RequestAborted);
        await HtmlPage.LeadOnAsync(context, $"On to {found.ShownName}", await AddressAsync(context, found, AccountPath, isAgain: false, session.Id));
    })));

    /// <summary>POST /account/links/remove</summary>
    public Task PostRemoveAsync(HttpContext context) => signIn.WithFormAsync(context, (form, _) => WithSessionAsync(context, async session =>
    {
        var provider = form.Text("provider");
        // An account that was made for its subject would be left with no way in.
        if (IdentityProviderCheck.IsName(provider) && await links.FindAsync(provider, session.Account.Id, context.RequestAborted) is { OwnsAccount: false } link)
        {
            await links.RemoveAsync(provider, link, context.RequestAborted);
            audit.Done(ActorOf(context, session.Account), "self.link.remove", provider);
        }

        SignInPages.Redirect(context, AccountPath);
    }));

    private async Task SignInAsync(HttpContext context, IdentityProvider provider, UpstreamProfile profile, DateTimeOffset? provenAt, string to)
    {
        var account = await accounts.AdmitAsync(provider, profile, context.RequestAborted);
        var result = await authenticator.AdmitByUpstreamAsync(account, context.RequestAborted);
        // A provider that does not say when has perhaps not asked for long.
        await signIn.GoOnAsync(
            context, result, $"{account.Name} by {provider.Name}", [$"fed:{provider.Name}"], to,
            error => HtmlPage.WriteErrorAsync(context, SignInPages.StatusOf(result), "That did not work", error), provenAt ?? time.GetUtcNow() - options.IdleTime);
    }

    private async Task LinkAsync(HttpContext context, IdentityProvider provider, UpstreamProfile profile, string linkSession)
    {
        if (await sessions.FindAsync(context, context.RequestAborted) is not { } session || session.Id != linkSession)
            throw new FederationException("who began to link has signed out meanwhile");
        await accounts.LinkAsync(provider, profile.Subject, session.Account, context.RequestAborted);
        audit.Done(ActorOf(context, session.Account), "self.link.add", $"{provider.Name} {Certificates.Names.Printable.Of(profile.Subject)}");
        SignInPages.Redirect(context, AccountPath);
    }

    /// <summary>Where the browser goes to sign in.</summary>
    private async Task<string> AddressAsync(HttpContext context, IdentityProvider provider, string to, bool isAgain, string? linkSession)
    {
        var metadata = await client.GetMetadataAsync(provider, context.RequestAborted);
        var (nonce, verifier) = (Random(), Random());
        var pending = new PendingSignIn(provider.Name, provider.Revision, nonce, verifier, await BrowserAsync(context), to, isAgain, linkSession, time.GetUtcNow());
        var query = new Dictionary<string, string?>
        {
            ["response_type"] = "code",
            ["client_id"] = provider.OpenId!.ClientId,
            ["redirect_uri"] = options.Origin + EndPathOf(provider.Name),
            ["scope"] = string.Join(' ', provider.OpenId.Scopes),
            ["state"] = secrets.Seal(pending, FederationJson.Default.PendingSignIn),
            ["nonce"] = nonce,
            ["code_challenge"] = Base64UrlText.Encode(SHA256.HashData(Encoding.ASCII.GetBytes(verifier))),
            ["code_challenge_method"] = "S256",
            // With it, the provider must say when somebody has signed in (OpenID Connect Core, section 2: auth_time).
            ["max_age"] = isAgain ? "0" : ((long)options.Lifetime.TotalSeconds).ToString(System.Globalization.CultureInfo.InvariantCulture),
        };
        if (isAgain)
            query["prompt"] = "login";
        return QueryHelpers.AddQueryString(metadata.AuthorizationEndpoint.AbsoluteUri, query);
    }

    /// <summary>What only this browser has: the answer of a sign-in that somebody else has begun is worth nothing here, nor ours elsewhere.</summary>
    private async Task<byte[]> BrowserAsync(HttpContext context) => SHA256.HashData(Encoding.ASCII.GetBytes(await sessions.GetFormTokenAsync(context, context.RequestAborted)));

    private async Task<IdentityProvider> FindAsync(string name, CancellationToken cancellationToken) =>
        await providers.FindEnabledAsync(name, cancellationToken) is { OpenId: not null } found ? found : throw new FederationException("there is no such identity provider", "There is no such identity provider.");

    private async Task GuardAsync(HttpContext context, string provider, Func<Task> run)
    {
        try
        {
            await run();
        }
        catch (FederationException e)
        {
            var from = context.Connection.RemoteIpAddress?.ToString() ?? "";
            audit.Refused(Actor.Unproven("", from), "signin", $"by {Certificates.Names.Printable.Of(provider)}", new CandelaException(ErrorCode.Unauthenticated, e.Message, e));
            await HtmlPage.WriteAsync(
                context, "That did not work", Html.Of($"""<p role="alert">{e.Advice ?? "The sign-in was not accepted. Try again, or ask an administrator."}</p><p><a href="/sign-in">Sign in</a></p>"""),
                StatusCodes.Status401Unauthorized);
        }
    }

    private async Task WithSessionAsync(HttpContext context, Func<SignInSession, Task> next)
    {
        var session = await sessions.FindAsync(context, context.RequestAborted);
        if (session is null || time.GetUtcNow() - session.SignedInAt > FreshTime)
            SignInPages.Redirect(context, sessions.SignInPath(AccountPath, again: session is not null));
        else
            await next(session);
    }

    private Actor ActorOf(HttpContext context, DirectoryEntry account) =>
        Actor.Of(account, directory.Current.GetDomain(account.DomainId)!, context.Connection.RemoteIpAddress?.ToString() ?? "");

    private static string? Single(Microsoft.Extensions.Primitives.StringValues values) => values is [{ Length: > 0 } one] ? one : null;

    private static string Random() => Base64UrlText.Encode(RandomNumberGenerator.GetBytes(32));
}

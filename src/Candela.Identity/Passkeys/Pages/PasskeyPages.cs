using System.Globalization;
using Candela.Identity.Administration;
using Candela.Identity.Accounts;
using Candela.Identity.Auditing;
using Candela.Identity.Jose;
using Candela.Identity.SignIn;
using Candela.Identity.SignIn.Pages;
using Candela.Model;
using Microsoft.AspNetCore.Http;

namespace Candela.Identity.Passkeys.Pages;

/// <summary>The pages to sign in by a passkey, without a password or after it, and to add and remove one's own.</summary>
internal sealed class PasskeyPages(PasskeyService passkeys, SignInSessions sessions, SignInPages signIn, IDirectory directory, ProtocolAudit audit, TimeProvider time)
{
    public const string SignInPath = "/sign-in/passkey";
    public const string AccountPath = "/account/passkeys";

    /// <summary>Who adds a passkey or removes one has signed in within this time: an open browser is not enough.</summary>
    private static readonly TimeSpan FreshTime = TimeSpan.FromMinutes(10);

    private static readonly Html Script = Html.Of($"""<script src="{PasskeyScript.Path}" defer></script>""");

    /// <summary>GET /sign-in/passkey</summary>
    public async Task ShowSignInAsync(HttpContext context) => await SignInPageAsync(context, SignInPages.To(context.Request.Query["to"]), error: null, StatusCodes.Status200OK);

    /// <summary>POST /sign-in/passkey</summary>
    public Task PostSignInAsync(HttpContext context) => signIn.WithFormAsync(context, async (form, to) =>
    {
        var begun = await sessions.FindAsync(context, SignInStage.Code, context.RequestAborted);
        try
        {
            var (result, methods) = await passkeys.SignInAsync(begun?.Account, form.Text("state"), form.Text("credential"), context.RequestAborted);
            await signIn.GoOnAsync(
                context, result, "passkey", [.. begun?.Methods ?? [], .. methods], to, error => SignInPageAsync(context, to, error, SignInPages.StatusOf(result)));
        }
        catch (PasskeyException e)
        {
            audit.Refused(Actor.Unproven("passkey", From(context)), "signin", "", e);
            await SignInPageAsync(context, to, "The passkey was not accepted. Try again, or sign in with your password.", StatusCodes.Status401Unauthorized);
        }
    });

    /// <summary>GET /account/passkeys</summary>
    public Task ShowAccountAsync(HttpContext context) => WithSessionAsync(context, session => AccountPageAsync(context, session, error: null, StatusCodes.Status200OK));

    /// <summary>POST /account/passkeys</summary>
    public Task PostAddAsync(HttpContext context) => ChangeAsync(context, "self.passkey.add", (session, form) =>
        passkeys.RegisterAsync(session.Account, form.Text("state"), form.Text("credential"), form.Text("name"), context.RequestAborted));

    /// <summary>POST /account/passkeys/remove</summary>
    public Task PostRemoveAsync(HttpContext context) => ChangeAsync(context, "self.passkey.remove", (session, form) =>
        passkeys.RemoveAsync(session.Account.Id, Base64UrlText.TryDecode(form.Text("id")) ?? [], context.RequestAborted));

    /// <summary>POST /account/passkeys/require</summary>
    public Task PostRequireAsync(HttpContext context) => ChangeAsync(context, "self.passkey.require", (session, form) =>
        passkeys.RequireAsync(session.Account.Id, form.Text("required") == "yes", context.RequestAborted));

    private Task ChangeAsync(HttpContext context, string action, Func<SignInSession, IFormCollection, Task> change) => signIn.WithFormAsync(context, (form, _) => WithSessionAsync(context, async session =>
    {
        var actor = Actor.Of(session.Account, directory.Current.GetDomain(session.Account.DomainId)!, From(context));
        try
        {
            await change(session, form);
        }
        catch (Exception e) when (e is PasskeyException or CandelaException { Code: not ErrorCode.Internal })
        {
            audit.Refused(actor, action, "", e);
            await AccountPageAsync(context, session, e is CandelaException ? e.Message : "The passkey was not accepted. Try again.", StatusCodes.Status400BadRequest);
            return;
        }

        audit.Done(actor, action, "");
        SignInPages.Redirect(context, AccountPath);
    }));

    /// <summary>For who has signed in lately; others sign in (again) first.</summary>
    private async Task WithSessionAsync(HttpContext context, Func<SignInSession, Task> next)
    {
        var session = await sessions.FindAsync(context, context.RequestAborted);
        if (session is null || time.GetUtcNow() - session.SignedInAt > FreshTime)
            SignInPages.Redirect(context, sessions.SignInPath(AccountPath, again: session is not null));
        else
            await next(session);
    }

    private async Task SignInPageAsync(HttpContext context, string to, string? error, int status)
    {
        var begun = await sessions.FindAsync(context, SignInStage.Code, context.RequestAborted);
        var (options, state) = await passkeys.BeginSignInAsync(begun?.Account, context.RequestAborted);
        await HtmlPage.WriteAsync(context, "Passkey", Html.Of($"""
            <form method="post" action="{SignInPath}" data-passkey="get" data-options="{options}">{await FormTokenAsync(context)}{Html.Hidden("to", to)}{Html.Hidden("state", state)}{Html.Hidden("credential", "")}
            <p role="alert">{error}</p><button disabled>Use a passkey</button></form>
            <noscript><p>Passkeys need script in the browser.</p></noscript>
            <p><a href="{sessions.SignInPath(to)}">Sign in with your password</a></p>
            """), status, Script, hasScript: true);
    }

    private async Task AccountPageAsync(HttpContext context, SignInSession session, string? error, int status)
    {
        var (known, required) = await passkeys.ListAsync(session.Account.Id, context.RequestAborted);
        var (options, state) = await passkeys.BeginRegistrationAsync(session.Account, context.RequestAborted);
        var token = await FormTokenAsync(context);
        var rows = Html.Join(known.Select(p => Html.Of($"""
            <li>{p.Name}, added {Date(p.CreatedAt)}, {(p.UsedAt is { } used ? $"last used {Date(used)}" : "never used")}
            <form method="post" action="{AccountPath}/remove">{token}{Html.Hidden("id", Base64UrlText.Encode(p.Id))}<button>Remove {p.Name}</button></form></li>
            """)));
        var require = known.Count == 0 ? Html.Empty : Html.Of($"""
            <form method="post" action="{AccountPath}/require">{token}{Html.Hidden("required", required ? "no" : "yes")}
            <p>{(required ? "After your password, a passkey is asked for, too: programs that know only the password cannot sign in." : "Your password alone is enough to sign in.")}</p>
            <button>{(required ? "Let the password be enough" : "Ask for a passkey after the password")}</button></form>
            """);
        await HtmlPage.WriteAsync(context, "Your passkeys", Html.Of($"""
            <ul>{rows}</ul>
            <form method="post" action="{AccountPath}" data-passkey="create" data-options="{options}">{token}{Html.Hidden("state", state)}{Html.Hidden("credential", "")}
            <p role="alert">{error}</p><label for="name">Name of the new passkey</label><input id="name" name="name" maxlength="{PasskeyService.NameLength.ToString(CultureInfo.InvariantCulture)}" required>
            <button disabled>Add a passkey</button></form>
            <noscript><p>Adding a passkey needs script in the browser.</p></noscript>{require}
            <p><a href="/account">Your account</a></p>
            """), status, Script, hasScript: true);
    }

    private async Task<Html> FormTokenAsync(HttpContext context) => Html.Hidden(ISignInSessions.FormTokenField, await sessions.GetFormTokenAsync(context, context.RequestAborted));

    private static string Date(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

    private static string From(HttpContext context) => context.Connection.RemoteIpAddress?.ToString() ?? "";
}

using Candela.Identity.Accounts;
using Candela.Identity.Administration;
using Candela.Identity.Auditing;
using Candela.Identity.Authentication;
using Candela.Identity.Kerberos;
using Candela.Model;
using Microsoft.AspNetCore.Http;

namespace Candela.Identity.SignIn.Pages;

/// <summary>The pages to sign in (password, code, new password where one is due) and out.</summary>
internal sealed class SignInPages(
    SignInSessions sessions, IDirectory directory, IAuthenticator authenticator, ICredentials credentials, IEnumerable<ISignInOption> options, IEnumerable<ISignOutRoute> routes, ProtocolAudit audit, TicketAcceptor? tickets = null)
{
    /// <summary>Where one is led to who comes from nowhere.</summary>
    private const string Home = "/account";

    /// <summary>The same whatever was wrong: who guesses learns nothing.</summary>
    private const string Refusal = "The name, password or code is wrong, or the account cannot sign in now. Check them and try again, or ask an administrator.";

    private const string Crowd = "Too many people sign in at this moment. Try again in a few seconds.";

    /// <summary>GET /sign-in</summary>
    public async Task ShowAsync(HttpContext context)
    {
        var to = To(context.Request.Query["to"]);
        if (context.Request.Query["again"] != "1" && await sessions.FindAsync(context, context.RequestAborted) is not null)
            Redirect(context, to);
        else
            await PasswordPageAsync(context, to, error: null, StatusCodes.Status200OK);
    }

    /// <summary>POST /sign-in</summary>
    public Task PostAsync(HttpContext context) => WithFormAsync(context, async (form, to) =>
    {
        var login = LoginName.Parse(form.Text("name").Trim());
        var result = await authenticator.VerifyPasswordAsync(login, form.Text("password"), context.RequestAborted);
        await GoOnAsync(context, result, login.ToString(), ["pwd"], to, error => PasswordPageAsync(context, to, error, StatusOf(result)));
    });

    /// <summary>GET /sign-in/code</summary>
    public Task ShowCodeAsync(HttpContext context) => AtStageAsync(context, SignInStage.Code, To(context.Request.Query["to"]), (_, to) => CodePageAsync(context, to, null, StatusCodes.Status200OK));

    /// <summary>POST /sign-in/code</summary>
    public Task PostCodeAsync(HttpContext context) => WithFormAsync(context, (form, begun) => AtStageAsync(context, SignInStage.Code, begun, async (session, to) =>
    {
        var result = await authenticator.VerifySecondFactorAsync(session.Account.Id, form.Text("code").Replace(" ", "", StringComparison.Ordinal), context.RequestAborted);
        await GoOnAsync(context, result, NameOf(session.Account), [.. session.Methods, "otp", "mfa"], to, error => CodePageAsync(context, to, error, StatusOf(result)));
    }));

    /// <summary>GET /sign-in/password</summary>
    public Task ShowNewPasswordAsync(HttpContext context) =>
        AtStageAsync(context, SignInStage.NewPassword, To(context.Request.Query["to"]), (_, to) => NewPasswordPageAsync(context, to, null, StatusCodes.Status200OK));

    /// <summary>POST /sign-in/password</summary>
    public Task PostNewPasswordAsync(HttpContext context) => WithFormAsync(context, (form, begun) => AtStageAsync(context, SignInStage.NewPassword, begun, async (session, to) =>
    {
        var actor = ActorOf(context, session.Account);
        try
        {
            if (form.Text("new") != form.Text("repeated"))
                throw new CandelaException(ErrorCode.InvalidArgument, "The two are not the same: give the new password twice.");
            await credentials.SetPasswordAsync(session.Account.Id, form.Text("new"), mustChange: false, context.RequestAborted);
        }
        catch (CandelaException e) when (e.Code == ErrorCode.InvalidArgument)
        {
            audit.Refused(actor, "signin.new-password", "", e);
            await NewPasswordPageAsync(context, to, e.Message, StatusCodes.Status400BadRequest);
            return;
        }

        audit.Done(actor, "signin.new-password", "");
        await CompleteAsync(context, session.Account, session.Methods, to);
    }));

    /// <summary>GET /sign-in/ticket: by a Kerberos ticket, which browsers send to sites that they were told to trust.</summary>
    public async Task ByTicketAsync(HttpContext context)
    {
        var to = To(context.Request.Query["to"]);
        var ticket = tickets is null ? null : HttpTicket.Accept(context, tickets);
        if (ticket is { Account: { } account })
        {
            if ((await credentials.GetStatusAsync(account.Id, context.RequestAborted)).HasTotp)
                await StageAsync(context, account, ["wia"], SignInStage.Code, "/sign-in/code", to);
            else
                await CompleteAsync(context, account, ["wia"], to);
            return;
        }

        if (ticket is not null)
            audit.Refused(Actor.Unproven(Certificates.Names.Printable.Of(ticket.Principal), From(context)), "signin", "ticket", new CandelaException(ErrorCode.Unauthenticated, "no ticket of an account that can sign in now"));
        await PasswordPageAsync(context, to, "No Kerberos ticket has come that signs you in. Get one (kinit), allow your browser to send it to this site, or give your password.", StatusCodes.Status401Unauthorized);
    }

    /// <summary>GET /sign-out</summary>
    public async Task ShowSignOutAsync(HttpContext context) => await HtmlPage.WriteAsync(context, "Sign out", Html.Of($"""
        <p>You will be asked to sign in again by what you open next.</p>
        <form method="post" action="/sign-out">{await FormTokenAsync(context)}<button>Sign out</button></form>
        """));

    /// <summary>POST /sign-out</summary>
    public Task PostSignOutAsync(HttpContext context) => WithFormAsync(context, async (_, _) =>
    {
        var session = await sessions.FindAsync(context, context.RequestAborted);
        await sessions.EndAsync(context, context.RequestAborted);
        if (session is not null)
        {
            audit.Done(ActorOf(context, session.Account), "signin.end", session.Id);
            foreach (var route in routes)
            {
                if (await route.TryAnswerAsync(context, session.Id, returnTo: null))
                    return;
            }
        }

        await HtmlPage.WriteAsync(context, "Signed out", Html.Of($"""<p>You are signed out. <a href="/sign-in">Sign in</a></p>"""));
    });

    /// <summary>GET /account</summary>
    public async Task ShowAccountAsync(HttpContext context)
    {
        if (await sessions.FindAsync(context, context.RequestAborted) is not { } session)
            Redirect(context, sessions.SignInPath(Home));
        else
            await HtmlPage.WriteAsync(context, "Your account", Html.Of($"""<p>You are signed in as <strong>{NameOf(session.Account)}</strong>.</p><p><a href="{Passkeys.Pages.PasskeyPages.AccountPath}">Passkeys</a></p><p><a href="{Federation.Pages.FederationPages.AccountPath}">Linked accounts</a></p><p><a href="/sign-out">Sign out</a></p>"""));
    }

    /// <summary>Goes on after a proof: signs in, asks for what is missing, or repeats the page.</summary>
    /// <param name="context">Request.</param>
    /// <param name="result">What came of the proof.</param>
    /// <param name="name">Whose it was said to be, for the audit log.</param>
    /// <param name="methods">How it was given.</param>
    /// <param name="to">Where to lead back to.</param>
    /// <param name="repeat">Shows the page again, with what is wrong.</param>
    /// <param name="provenAt">When it was given, if that was elsewhere; null: now.</param>
    public async Task GoOnAsync(
        HttpContext context, AuthenticationResult result, string name, IReadOnlyList<string> methods, string to, Func<string, Task> repeat, DateTimeOffset? provenAt = null)
    {
        switch (result.Outcome)
        {
            case AuthenticationOutcome.Succeeded:
                await CompleteAsync(context, result.Account!, methods, to, provenAt);
                break;
            case AuthenticationOutcome.SecondFactorRequired:
                await StageAsync(context, result.Account!, methods, SignInStage.Code, "/sign-in/code", to);
                break;
            case AuthenticationOutcome.PasswordChangeRequired:
                await StageAsync(context, result.Account!, methods, SignInStage.NewPassword, "/sign-in/password", to);
                break;
            case AuthenticationOutcome.Busy:
                await repeat(Crowd);
                break;
            default:
                audit.Refused(Actor.Unproven(Certificates.Names.Printable.Of(name), From(context)), "signin", "", new CandelaException(ErrorCode.Unauthenticated, $"{result.Reason}"));
                await repeat(Refusal);
                break;
        }
    }

    private async Task CompleteAsync(HttpContext context, DirectoryEntry account, IReadOnlyList<string> methods, string to, DateTimeOffset? provenAt = null)
    {
        var session = await sessions.BeginAsync(context, account, methods, SignInStage.Complete, context.RequestAborted, provenAt);
        audit.Done(ActorOf(context, account), "signin", $"{session.Id} {string.Join('+', methods)}");
        await HtmlPage.LeadOnAsync(context, "Signed in", to);
    }

    private async Task StageAsync(HttpContext context, DirectoryEntry account, IReadOnlyList<string> methods, SignInStage stage, string page, string to)
    {
        await sessions.BeginAsync(context, account, methods, stage, context.RequestAborted);
        Redirect(context, $"{page}?to={Uri.EscapeDataString(to)}");
    }

    /// <summary>Reads a form of ours; others are refused.</summary>
    public async Task WithFormAsync(HttpContext context, Func<IFormCollection, string, Task> next)
    {
        if (await Forms.ReadAsync(context) is not { } form)
        {
            await HtmlPage.WriteErrorAsync(context, StatusCodes.Status400BadRequest, "That was no form", "The form is malformed or too large. Go back and try again.");
            return;
        }

        if (!await sessions.IsOwnFormAsync(context, form, context.RequestAborted))
        {
            audit.Refused(Actor.Unproven("", From(context)), "signin.form", context.Request.Path, new CandelaException(ErrorCode.PermissionDenied, "the form is not one of ours"));
            await HtmlPage.WriteErrorAsync(context, StatusCodes.Status403Forbidden, "The form has expired", "The form was not made by this server for this browser, or cookies are off. Open the page again and repeat.");
            return;
        }

        await next(form, To(form.Text("to")));
    }

    private async Task AtStageAsync(HttpContext context, SignInStage stage, string to, Func<SignInSession, string, Task> next)
    {
        if (await sessions.FindAsync(context, stage, context.RequestAborted) is { } session)
            await next(session, to);
        else
            Redirect(context, sessions.SignInPath(to));
    }

    private async Task PasswordPageAsync(HttpContext context, string to, string? error, int status)
    {
        // Whoever must prove who they are anew must do so by whatever way.
        var isAgain = context.Request.Query["again"] == "1" || (context.Request.HasFormContentType && (await Forms.ReadAsync(context))?.Text("again") == "1");
        var more = isAgain ? "&again=1" : "";
        var links = new List<Html>();
        foreach (var option in options)
            links.AddRange((await option.ListAsync(context.RequestAborted)).Select(link => Html.Of($"""<p><a href="{link.Path}?to={Uri.EscapeDataString(to)}{more}">{link.Label}</a></p>""")));
        await HtmlPage.WriteAsync(context, "Sign in", Html.Of($"""
            {Alert(error)}<form method="post" action="/sign-in">{await FormTokenAsync(context)}{Html.Hidden("to", to)}{(isAgain ? Html.Hidden("again", "1") : Html.Empty)}
            <label for="name">Name</label><input id="name" name="name" autocomplete="username" autocapitalize="none" spellcheck="false" required autofocus placeholder="name@domain">
            <label for="password">Password</label><input id="password" name="password" type="password" autocomplete="current-password" required>
            <button>Sign in</button></form>{Html.Join(links)}
            """), status);
    }

    private async Task CodePageAsync(HttpContext context, string to, string? error, int status) => await HtmlPage.WriteAsync(context, "One-time code", Html.Of($"""
        {Alert(error)}<form method="post" action="/sign-in/code">{await FormTokenAsync(context)}{Html.Hidden("to", to)}
        <label for="code">The code that your authenticator shows, or a recovery code</label>
        <input id="code" name="code" autocomplete="one-time-code" autocapitalize="none" spellcheck="false" required autofocus>
        <button>Go on</button></form>
        <p><a href="{Passkeys.Pages.PasskeyPages.SignInPath}?to={Uri.EscapeDataString(to)}">Use a passkey instead</a></p>
        """), status);

    private async Task NewPasswordPageAsync(HttpContext context, string to, string? error, int status) => await HtmlPage.WriteAsync(context, "Choose a new password", Html.Of($"""
        <p>Your password has expired, or was set by somebody else.</p>
        {Alert(error)}<form method="post" action="/sign-in/password">{await FormTokenAsync(context)}{Html.Hidden("to", to)}
        <label for="new">New password</label><input id="new" name="new" type="password" autocomplete="new-password" required autofocus>
        <label for="repeated">The same again</label><input id="repeated" name="repeated" type="password" autocomplete="new-password" required>
        <button>Change password</button></form>
        """), status);

    private static Html Alert(string? error) => error is null ? Html.Empty : Html.Of($"""<p role="alert">{error}</p>""");

    private async Task<Html> FormTokenAsync(HttpContext context) =>
        Html.Hidden(ISignInSessions.FormTokenField, await sessions.GetFormTokenAsync(context, context.RequestAborted));

    /// <summary>HTTP status of what is not let in.</summary>
    public static int StatusOf(AuthenticationResult result) =>
        result.Outcome == AuthenticationOutcome.Busy ? StatusCodes.Status503ServiceUnavailable : StatusCodes.Status401Unauthorized;

    /// <summary>Where to lead back to; what is no path of this server leads home.</summary>
    public static string To(string? to) => LocalPath.IsValid(to) ? to! : Home;

    /// <summary>Leads on to a path of this server.</summary>
    public static void Redirect(HttpContext context, string path)
    {
        HtmlPage.Harden(context.Response);
        context.Response.StatusCode = StatusCodes.Status303SeeOther;
        context.Response.Headers.Location = path;
    }

    private Actor ActorOf(HttpContext context, DirectoryEntry account) => Actor.Of(account, directory.Current.GetDomain(account.DomainId)!, From(context));

    private string NameOf(DirectoryEntry account) => $"{account.Name}@{directory.Current.GetDomain(account.DomainId)?.Name}";

    private static string From(HttpContext context) => context.Connection.RemoteIpAddress?.ToString() ?? "";
}

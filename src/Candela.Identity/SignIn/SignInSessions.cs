using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Candela.Identity.Accounts;
using Candela.Identity.Authentication;
using Candela.Identity.Jose;
using Candela.Identity.Secrets;
using Candela.Identity.Storage;
using Candela.State;
using Microsoft.AspNetCore.Http;

namespace Candela.Identity.SignIn;

/// <summary>Sessions in the state store.</summary>
internal sealed class SignInSessions(
    IStateStore store, ISecretBox secrets, IDirectory directory, CredentialStore credentials, ExpiryLeases leases, SignInOptions options, IEnumerable<ISessionEnd> ends, TimeProvider time) : ISignInSessions
{
    /// <summary>The prefix makes browsers insist on https, this very host and the path / (RFC 6265bis, section 4.1.3.2).</summary>
    public const string CookieName = "__Host-candela-session";

    private const int CookieBytes = 32;
    private const string Prefix = IdentityKeys.Root + "sessions/";

    /// <summary>Key of the value that the answer sets, where the request itself has another or none.</summary>
    private static readonly object FreshCookie = new();

    /// <summary>How exactly the last use is known.</summary>
    private static readonly TimeSpan UseStep = TimeSpan.FromMinutes(1);

    private readonly InstallationSecret _formKey = new(store, secrets, IdentityKeys.Root + "form-key");

    /// <inheritdoc/>
    public async Task<SignInSession?> FindAsync(HttpContext context, CancellationToken cancellationToken) =>
        await FindAsync(context, SignInStage.Complete, cancellationToken);

    /// <summary>The session of a request at a stage; null: there is none.</summary>
    public async Task<SignInSession?> FindAsync(HttpContext context, SignInStage stage, CancellationToken cancellationToken) =>
        CookieOf(context) is { } cookie ? await FindAsync(IdOf(cookie), stage, used: true, cancellationToken) : null;

    /// <inheritdoc/>
    public Task<SignInSession?> FindAsync(string id, CancellationToken cancellationToken) => FindAsync(id, SignInStage.Complete, used: false, cancellationToken);

    /// <inheritdoc/>
    public Task<SignInSession> BeginAsync(HttpContext context, DirectoryEntry account, IReadOnlyList<string> methods, CancellationToken cancellationToken) =>
        BeginAsync(context, account, methods, SignInStage.Complete, cancellationToken);

    /// <summary>Begins a session at a stage.</summary>
    /// <param name="context">Request.</param>
    /// <param name="account">Who.</param>
    /// <param name="methods">How they have proved it.</param>
    /// <param name="stage">Stage.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <param name="provenAt">When they have, if that was elsewhere; null: now.</param>
    public async Task<SignInSession> BeginAsync(
        HttpContext context, DirectoryEntry account, IReadOnlyList<string> methods, SignInStage stage, CancellationToken cancellationToken, DateTimeOffset? provenAt = null)
    {
        var now = time.GetUtcNow();
        var former = CookieOf(context);
        var cookie = NewCookie(context);
        var id = IdOf(cookie);
        var document = new SignInDocument { AccountId = account.Id, Stage = stage, SignedInAt = provenAt < now ? provenAt.Value : now, BegunAt = now, UsedAt = now, Methods = methods };
        var transaction = new StateTransaction();
        if (former is not null)
            transaction.Delete(Prefix + IdOf(former));
        await PutAsync(transaction, id, document, cancellationToken);
        await store.CommitAsync(transaction, cancellationToken);
        return new SignInSession(id, account, document.SignedInAt, methods);
    }

    /// <inheritdoc/>
    public async Task EndAsync(HttpContext context, CancellationToken cancellationToken)
    {
        if (CookieOf(context) is not { } cookie)
            return;
        await EndAsync(IdOf(cookie), cancellationToken);
        NewCookie(context);
    }

    /// <inheritdoc/>
    public async Task EndAsync(string id, CancellationToken cancellationToken)
    {
        // As when one is looked for: only a digest becomes part of a key.
        if (id.Length != 43)
            return;
        await store.CommitAsync(new StateTransaction().Delete(Prefix + id), cancellationToken);
        foreach (var end in ends)
            await end.OnEndedAsync(id, cancellationToken);
    }

    /// <inheritdoc/>
    public async ValueTask<string> GetFormTokenAsync(HttpContext context, CancellationToken cancellationToken) =>
        Base64UrlText.Encode(Mac(await _formKey.GetAsync(cancellationToken), CookieOf(context) ?? NewCookie(context)));

    /// <inheritdoc/>
    public async ValueTask<bool> IsOwnFormAsync(HttpContext context, IFormCollection form, CancellationToken cancellationToken)
    {
        var headers = context.Request.Headers;
        if (headers.Origin is not [] && headers.Origin != options.Origin)
            return false;
        if (headers["Sec-Fetch-Site"] is not [] and var site && site != "same-origin")
            return false;
        var key = await _formKey.GetAsync(cancellationToken);
        return CookieOf(context) is { } cookie && form[ISignInSessions.FormTokenField] is [{ } text] && Base64UrlText.TryDecode(text) is { } token &&
            CryptographicOperations.FixedTimeEquals(token, Mac(key, cookie));
    }

    /// <inheritdoc/>
    public string SignInPath(string returnTo, bool again = false)
    {
        var path = "/sign-in" + (LocalPath.IsValid(returnTo) ? "?to=" + Uri.EscapeDataString(returnTo) : "");
        return again ? path + (path.Contains('?', StringComparison.Ordinal) ? "&" : "?") + "again=1" : path;
    }

    private async Task<SignInSession?> FindAsync(string id, SignInStage stage, bool used, CancellationToken cancellationToken)
    {
        // An id is a digest; what else there may be in a token is not looked up.
        if (id.Length != 43 || await store.GetAsync(Prefix + id, cancellationToken) is not { } entry)
            return null;
        var document = JsonSerializer.Deserialize(entry.Value.Span, SignInJson.Default.SignInDocument)!;
        var now = time.GetUtcNow();
        if (document.Stage != stage || now >= EndOf(document) || await AccountAsync(document, cancellationToken) is not { } account)
            return null;
        if (used && now - document.UsedAt >= UseStep)
        {
            var transaction = new StateTransaction().Expect(Prefix + id, entry.Revision);
            await PutAsync(transaction, id, document with { UsedAt = now }, cancellationToken);
            // Somebody else may have written the same, or the session may have ended meanwhile: both are well.
            await store.CommitAsync(transaction, cancellationToken);
        }

        return new SignInSession(id, account, document.SignedInAt, document.Methods);
    }

    /// <summary>Its account, if that may still be let in and has the password that it had.</summary>
    private async Task<DirectoryEntry?> AccountAsync(SignInDocument document, CancellationToken cancellationToken)
    {
        var current = directory.Current;
        if (current.Get(document.AccountId) is not { Enabled: true, Kind: not EntryKind.Group } account || current.GetDomain(account.DomainId) is not { Enabled: true })
            return null;
        var (credential, _) = await credentials.ReadAsync(account.Id, cancellationToken);
        return credential.PasswordChangedAt <= (document.BegunAt ?? document.SignedInAt) ? account : null;
    }

    private async Task PutAsync(StateTransaction transaction, string id, SignInDocument document, CancellationToken cancellationToken) => transaction.Put(
        Prefix + id,
        JsonSerializer.SerializeToUtf8Bytes(document, SignInJson.Default.SignInDocument),
        await leases.GetAsync(document.Stage == SignInStage.Complete ? options.Lifetime : options.PendingTime, cancellationToken));

    private DateTimeOffset EndOf(SignInDocument document)
    {
        var begunAt = document.BegunAt ?? document.SignedInAt;
        if (document.Stage != SignInStage.Complete)
            return begunAt + options.PendingTime;
        var (idle, last) = (document.UsedAt + options.IdleTime, begunAt + options.Lifetime);
        return idle < last ? idle : last;
    }

    /// <summary>The browser's cookie, or what the answer to this request makes of it; null: none that could be ours.</summary>
    private static string? CookieOf(HttpContext context) =>
        context.Items[FreshCookie] as string ?? (context.Request.Cookies[CookieName] is { } value && Base64UrlText.TryDecode(value) is { Length: CookieBytes } ? value : null);

    private static string NewCookie(HttpContext context)
    {
        var cookie = Base64UrlText.Encode(RandomNumberGenerator.GetBytes(CookieBytes));
        context.Items[FreshCookie] = cookie;
        context.Response.Cookies.Append(CookieName, cookie, Attributes());
        return cookie;
    }

    /// <summary>Without an expiry: it goes with the browser. Lax: the way back from another site's link or redirect works, its forms do not.</summary>
    private static CookieOptions Attributes() => new() { HttpOnly = true, Secure = true, SameSite = SameSiteMode.Lax, Path = "/", IsEssential = true };

    private static string IdOf(string cookie) => Base64UrlText.Encode(SHA256.HashData(Encoding.ASCII.GetBytes(cookie)));

    private static byte[] Mac(byte[] key, string cookie) => HMACSHA256.HashData(key, Encoding.ASCII.GetBytes(cookie));
}

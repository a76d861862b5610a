using System.Net;
using Candela.Identity.Authentication;
using Candela.Identity.SignIn;

namespace Candela.Identity.Tests.SignIn;

/// <summary>Signing in and out with a browser, and what must not work there.</summary>
public sealed class SignInTests : IAsyncLifetime
{
    private SignInBench _bench = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _bench = await SignInBench.StartAsync();

    public ValueTask DisposeAsync() => _bench.DisposeAsync();

    [Fact]
    public async Task A_user_signs_in_and_out()
    {
        await _bench.AddUserAsync("ada");
        using var browser = _bench.Open();
        var anonymous = await browser.GetAsync("/account");
        Assert.Equal("/sign-in?to=%2Faccount", anonymous.Next);
        var done = await browser.SignInAsync("ada", SignInBench.Password);
        Assert.Equal("/account", done.Next);
        Assert.Contains("ada@system", (await browser.FollowAsync(done)).Text, StringComparison.Ordinal);
        Assert.Equal("/account", (await browser.GetAsync("/sign-in")).Next);

        var stolen = browser.Cookie;
        await browser.SubmitAsync(await browser.GetAsync("/sign-out"));
        Assert.NotEqual(stolen, browser.Cookie);
        using var thief = _bench.Open(stolen);
        Assert.Equal(HttpStatusCode.SeeOther, (await thief.GetAsync("/account")).Status);
        Assert.Equal(["signin", "signin.end"], _bench.Audited.Select(record => record.Action));
    }

    [Fact]
    public async Task A_second_factor_is_asked_for_and_a_password_that_must_be_changed()
    {
        var ada = await _bench.AddUserAsync("ada", mustChange: true);
        var enrolment = await _bench.Identity.Credentials.BeginTotpAsync(ada.Id, Token);
        await _bench.Identity.Credentials.ConfirmTotpAsync(ada.Id, Code(enrolment), Token);
        _bench.Identity.Time.Advance(TimeSpan.FromSeconds(30));
        using var browser = _bench.Open();
        var code = await browser.FollowAsync(await browser.SignInAsync("ada", SignInBench.Password));
        Assert.Contains("One-time code", code.Text, StringComparison.Ordinal);

        // Half a sign-in is none.
        Assert.Equal(HttpStatusCode.SeeOther, (await browser.GetAsync("/account")).Status);
        Assert.Equal("/sign-in?to=%2Faccount", (await browser.GetAsync("/sign-in/password")).Next);
        Assert.Equal(HttpStatusCode.Unauthorized, (await browser.SubmitAsync(code, ("code", "000000"))).Status);
        var change = await browser.FollowAsync(await browser.SubmitAsync(await browser.GetAsync("/sign-in/code"), ("code", Code(enrolment))));
        Assert.Contains("Choose a new password", change.Text, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.SeeOther, (await browser.GetAsync("/account")).Status);
        Assert.Contains("not the same", (await browser.SubmitAsync(change, ("new", "something else entirely"), ("repeated", "other"))).Alert, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.BadRequest, (await browser.SubmitAsync(change, ("new", SignInBench.Password), ("repeated", SignInBench.Password))).Status);
        _bench.Identity.Time.Advance(TimeSpan.FromSeconds(1));
        var done = await browser.SubmitAsync(change, ("new", "something else entirely"), ("repeated", "something else entirely"));
        Assert.Contains("ada@system", (await browser.FollowAsync(done)).Text, StringComparison.Ordinal);
        Assert.Equal("pwd+otp+mfa", _bench.Audited.Last(record => record.Action == "signin").Target.Split(' ')[1]);
    }

    [Fact]
    public async Task A_session_that_was_prepared_for_somebody_is_worth_nothing()
    {
        await _bench.AddUserAsync("ada");
        using var attacker = _bench.Open();
        await attacker.GetAsync("/sign-in");
        using var victim = _bench.Open(attacker.Cookie);
        await victim.SignInAsync("ada", SignInBench.Password);
        Assert.NotEqual(attacker.Cookie, victim.Cookie);
        Assert.Equal(HttpStatusCode.OK, (await victim.GetAsync("/account")).Status);
        Assert.Equal(HttpStatusCode.SeeOther, (await attacker.GetAsync("/account")).Status);
    }

    [Fact]
    public async Task Forms_of_other_sites_are_refused()
    {
        await _bench.AddUserAsync("ada");
        using var browser = _bench.Open();
        var page = await browser.GetAsync("/sign-in");
        (string, string)[] good = [("name", "ada"), ("password", SignInBench.Password)];
        Assert.Equal(HttpStatusCode.Forbidden, (await browser.SubmitAsync(page, [.. good, ("form_token", "")])).Status);
        using var other = _bench.Open();
        var foreign = await other.GetAsync("/sign-in");
        Assert.Equal(HttpStatusCode.Forbidden, (await browser.SubmitAsync(foreign, good)).Status);
        browser.PostHeaders["Origin"] = "https://evil.example";
        Assert.Equal(HttpStatusCode.Forbidden, (await browser.SubmitAsync(page, good)).Status);
        browser.PostHeaders["Origin"] = "null";
        Assert.Equal(HttpStatusCode.Forbidden, (await browser.SubmitAsync(page, good)).Status);
        browser.PostHeaders.Remove("Origin");
        browser.PostHeaders["Sec-Fetch-Site"] = "cross-site";
        Assert.Equal(HttpStatusCode.Forbidden, (await browser.SubmitAsync(page, good)).Status);
        Assert.Equal(5, _bench.Audited.Count(record => record is { Action: "signin.form", Failure: not null }));
        browser.PostHeaders["Sec-Fetch-Site"] = "same-origin";
        browser.PostHeaders["Origin"] = "https://candela.example";
        Assert.Equal("/account", (await browser.SubmitAsync(page, good)).Next);

        // Who is signed in is not signed out by others.
        var mine = browser.Cookie;
        browser.PostHeaders.Clear();
        Assert.Equal(HttpStatusCode.Forbidden, (await browser.PostAsync("/sign-out", [])).Status);
        Assert.Equal(mine, browser.Cookie);
        Assert.Equal(HttpStatusCode.OK, (await browser.GetAsync("/account")).Status);
    }

    [Theory]
    [InlineData("https://evil.example/")]
    [InlineData("//evil.example/")]
    [InlineData("/\\evil.example/")]
    [InlineData("\\\\evil.example")]
    [InlineData("/\t/evil.example")]
    [InlineData("javascript:alert(1)")]
    [InlineData("/\"><script>")]
    [InlineData("")]
    public async Task A_sign_in_leads_nowhere_else(string to)
    {
        await _bench.AddUserAsync("ada");
        using var browser = _bench.Open();
        Assert.Equal("/account", (await browser.SignInAsync("ada", SignInBench.Password, to)).Next);
        Assert.Equal("/account", (await browser.GetAsync("/sign-in?to=" + Uri.EscapeDataString(to))).Next);
    }

    [Fact]
    public async Task Refusals_tell_nothing()
    {
        await _bench.AddUserAsync("ada");
        var off = await _bench.AddUserAsync("off");
        await _bench.Identity.Directory.UpdateAsync(off with { Enabled = false }, Token);
        string?[] answers = await Task.WhenAll(new[] { ("ada", "wrong"), ("nobody", "wrong"), ("off", SignInBench.Password), ("x@nowhere", "wrong") }.Select(async login =>
        {
            using var browser = _bench.Open();
            var page = await browser.SignInAsync(login.Item1, login.Item2);
            Assert.Equal(HttpStatusCode.Unauthorized, page.Status);
            return page.Alert;
        }));
        Assert.Single(answers.Distinct());
        Assert.NotNull(answers[0]);
    }

    [Fact]
    public async Task A_session_ends_with_time_with_the_account_and_with_the_password()
    {
        var ada = await _bench.AddUserAsync("ada");
        using var browser = _bench.Open();
        await browser.SignInAsync("ada", SignInBench.Password);
        for (var i = 0; i < 12; i++)
        {
            _bench.Identity.Time.Advance(TimeSpan.FromMinutes(45));
            Assert.Equal(HttpStatusCode.OK, (await browser.GetAsync("/account")).Status);
        }

        _bench.Identity.Time.Advance(TimeSpan.FromMinutes(61));
        Assert.Equal(HttpStatusCode.SeeOther, (await browser.GetAsync("/account")).Status);

        await browser.SignInAsync("ada", SignInBench.Password);
        _bench.Identity.Time.Advance(TimeSpan.FromMinutes(61));
        Assert.Equal(HttpStatusCode.SeeOther, (await browser.GetAsync("/account")).Status);

        await browser.SignInAsync("ada", SignInBench.Password);
        await _bench.Identity.Directory.UpdateAsync(ada with { Enabled = false }, Token);
        Assert.Equal(HttpStatusCode.SeeOther, (await browser.GetAsync("/account")).Status);
        var woken = (Candela.Identity.Accounts.User)_bench.Identity.Directory.Current.Get(ada.Id)!;
        await _bench.Identity.Directory.UpdateAsync(woken with { Enabled = true }, Token);
        Assert.Equal(HttpStatusCode.OK, (await browser.GetAsync("/account")).Status);
        _bench.Identity.Time.Advance(TimeSpan.FromSeconds(1));
        await _bench.Identity.Credentials.SetPasswordAsync(ada.Id, "something else entirely", mustChange: false, Token);
        Assert.Equal(HttpStatusCode.SeeOther, (await browser.GetAsync("/account")).Status);
    }

    [Fact]
    public async Task Pages_allow_nothing_that_they_do_not_need()
    {
        using var browser = _bench.Open();
        var page = await browser.GetAsync("/sign-in?to=%2Fa%3Fb%3D%22%3E");
        var policy = Assert.Single(page.Headers.GetValues("Content-Security-Policy"));
        Assert.StartsWith("default-src 'none'; style-src 'sha256-", policy, StringComparison.Ordinal);
        Assert.Contains("frame-ancestors 'none'", policy, StringComparison.Ordinal);
        Assert.DoesNotContain("unsafe", policy, StringComparison.Ordinal);
        Assert.DoesNotContain("<script", page.Text, StringComparison.OrdinalIgnoreCase);
        Assert.Equal("no-store", page.Headers.CacheControl?.ToString());
        Assert.Equal("nosniff", Assert.Single(page.Headers.GetValues("X-Content-Type-Options")));

        // What is not a form of ours in size or kind.
        Assert.Equal(HttpStatusCode.BadRequest, (await browser.PostAsync("/sign-in", new() { ["name"] = new string('a', 70_000) })).Status);
        Assert.Equal(HttpStatusCode.BadRequest, (await browser.PostAsync("/sign-in", Enumerable.Range(0, 100).ToDictionary(i => $"f{i}", _ => ""))).Status);
    }

    [Fact]
    public async Task Sessions_are_known_at_every_controller_and_by_digest_only()
    {
        await _bench.AddUserAsync("ada");
        using var browser = _bench.Open();
        await browser.SignInAsync("ada", SignInBench.Password);
        var page = await _bench.Identity.Store.RangeAsync("/identity/sessions/", null, 10, Token);
        var entry = Assert.Single(page.Entries);
        Assert.DoesNotContain(browser.Cookie!, entry.Key + System.Text.Encoding.UTF8.GetString(entry.Value.Span), StringComparison.Ordinal);
        var id = entry.Key["/identity/sessions/".Length..];
        Assert.Equal("ada", (await _bench.Identity.Get<ISignInSessions>().FindAsync(id, Token))!.Account.Name);
        Assert.Null(await _bench.Identity.Get<ISignInSessions>().FindAsync(browser.Cookie!, Token));
    }

    /// <summary>The one-time code of a time.</summary>
    internal static string Code(TotpEnrolment enrolment, DateTimeOffset time)
    {
        const string alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
        var bits = string.Concat(enrolment.Secret.Select(c => Convert.ToString(alphabet.IndexOf(c, StringComparison.Ordinal), 2).PadLeft(5, '0')));
        byte[] secret = [.. bits.Chunk(8).Where(bit => bit.Length == 8).Select(bit => Convert.ToByte(new string(bit), 2))];
        return Totp.Code(secret, Totp.StepOf(time));
    }

    private string Code(TotpEnrolment enrolment) => Code(enrolment, _bench.Identity.Time.GetUtcNow());
}

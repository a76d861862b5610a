using System.Net;
using Candela.Identity.Authorization;
using Candela.Identity.OpenIdConnect.Clients;
using Candela.Identity.OpenIdConnect.Tokens;

namespace Candela.Identity.Tests.OpenIdConnect;

/// <summary>Sign-in to a client, its tokens, and their end.</summary>
public sealed class AuthorizationCodeTests : IAsyncLifetime
{
    private OpenIdBench _bench = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _bench = await OpenIdBench.StartAsync();
        await _bench.Pages.AddUserAsync("ada");
    }

    public ValueTask DisposeAsync() => _bench.DisposeAsync();

    [Fact]
    public async Task A_client_learns_who_signed_in()
    {
        await _bench.AddClientAsync();
        using var browser = _bench.Pages.Open();
        var answer = await OpenIdBench.AuthorizeAsync(browser, "ada");
        Assert.Equal("s1", answer["state"]);
        Assert.Equal(OpenIdBench.Issuer, answer["iss"]);
        var (status, tokens) = await _bench.RedeemAsync(answer["code"]);
        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Equal("Bearer", tokens.GetProperty("token_type").GetString());
        Assert.Equal(600, tokens.GetProperty("expires_in").GetInt64());

        var identity = OpenIdBench.ClaimsOf(tokens.GetProperty("id_token").GetString()!);
        var ada = _bench.Identity.Directory.Current.Find(_bench.Identity.SystemId, "ada")!;
        Assert.Equal($"{ada.Id}", identity.GetProperty("sub").GetString());
        Assert.Equal("app@system", identity.GetProperty("aud").GetString());
        Assert.Equal("n1", identity.GetProperty("nonce").GetString());
        Assert.Equal("ada@system", identity.GetProperty("preferred_username").GetString());
        Assert.Equal("pwd", identity.GetProperty("amr")[0].GetString());

        var access = tokens.GetProperty("access_token").GetString()!;
        Assert.Equal("at+jwt", OpenIdBench.HeaderOf(access).GetProperty("typ").GetString());
        Assert.Equal("https://api.example/", OpenIdBench.ClaimsOf(access).GetProperty("aud").GetString());
        var info = await _bench.UserInfoAsync(access);
        Assert.Equal($"{ada.Id}", info.Body.GetProperty("sub").GetString());
        Assert.False(info.Body.TryGetProperty("email", out _));
        var read = await _bench.Identity.Get<IAccessTokens>().ValidateAsync(access, "https://api.example/", null, Token);
        Assert.Equal("ada", read.Account!.Name);
        Assert.Equal(OpenIdBench.Issuer, (await _bench.GetJsonAsync("/.well-known/openid-configuration")).GetProperty("issuer").GetString());
        Assert.Equal(OpenIdBench.HeaderOf(access).GetProperty("kid").GetString(), (await _bench.GetJsonAsync("/oauth2/jwks")).GetProperty("keys")[0].GetProperty("kid").GetString());

        // Asked once; the next time the session and the consent are enough.
        var page = await browser.GetAsync(OpenIdBench.AuthorizePath());
        Assert.Contains("code", OpenIdBench.AnswerOf(page).Keys);
        Assert.Equal("/oauth2/consent", (await browser.GetAsync(OpenIdBench.AuthorizePath(("prompt", "consent")))).Action);
        Assert.Equal("/oauth2/consent", (await browser.GetAsync(OpenIdBench.AuthorizePath(("scope", "openid email")))).Action);
        Assert.Equal(["signin", "oauth.consent", "oauth.authorize", "oauth.token", "oauth.authorize"], _bench.Pages.Audited.Select(record => record.Action));
    }

    [Fact]
    public async Task Prompts_and_ages_are_kept_to()
    {
        await _bench.AddClientAsync(client => client with { Trusted = true });
        using var browser = _bench.Pages.Open();
        Assert.Equal("login_required", OpenIdBench.AnswerOf(await browser.GetAsync(OpenIdBench.AuthorizePath(("prompt", "none"))))["error"]);
        await OpenIdBench.AuthorizeAsync(browser, "ada");
        Assert.Contains("code", OpenIdBench.AnswerOf(await browser.GetAsync(OpenIdBench.AuthorizePath(("prompt", "none")))).Keys);
        _bench.Identity.Time.Advance(TimeSpan.FromMinutes(10));
        var again = await browser.GetAsync(OpenIdBench.AuthorizePath(("max_age", "300")));
        Assert.EndsWith("&again=1", again.Next, StringComparison.Ordinal);
        Assert.Equal("login_required", OpenIdBench.AnswerOf(await browser.GetAsync(OpenIdBench.AuthorizePath(("max_age", "300"), ("prompt", "none"))))["error"]);
        foreach (var (name, value) in new[] { ("max_age", "300"), ("prompt", "login"), ("max_age", "0") })
        {
            var answer = await OpenIdBench.AuthorizeAsync(browser, "ada", (name, value));
            Assert.Equal(_bench.Identity.Time.GetUtcNow().ToUnixTimeSeconds(), OpenIdBench.ClaimsOf((await _bench.RedeemAsync(answer["code"])).Body.GetProperty("id_token").GetString()!).GetProperty("auth_time").GetInt64());
        }

        await _bench.Identity.Get<ClientStore>().UpdateAsync("app@system", client => client with { Trusted = false }, Token);
        Assert.Equal("consent_required", OpenIdBench.AnswerOf(await browser.GetAsync(OpenIdBench.AuthorizePath(("prompt", "none"))))["error"]);
        var refused = await browser.SubmitAsync(await browser.GetAsync(OpenIdBench.AuthorizePath()), ("decision", "deny"));
        Assert.Equal("access_denied", OpenIdBench.AnswerOf(refused)["error"]);
    }

    [Fact]
    public async Task Groups_and_roles_are_told_when_asked_for()
    {
        await _bench.AddClientAsync();
        var ada = _bench.Identity.Directory.Current.Find(_bench.Identity.SystemId, "ada")!;
        var group = await _bench.Identity.AddGroupAsync("crew");
        await _bench.Identity.Directory.AddMemberAsync(group.Id, ada.Id, Token);
        var policy = _bench.Identity.Get<IAccessPolicy>();
        await policy.BindAsync(new RoleBinding { Subject = Subject.Entry(group.Id), RoleId = policy.Current.FindRole(null, "viewer")!.Id, Scope = ResourceScope.Tenant("acme") }, Token);
        using var browser = _bench.Pages.Open();
        var answer = await OpenIdBench.AuthorizeAsync(browser, "ada", ("scope", "openid groups roles"));
        var access = OpenIdBench.ClaimsOf((await _bench.RedeemAsync(answer["code"])).Body.GetProperty("access_token").GetString()!);
        Assert.Equal("crew", access.GetProperty("groups")[0].GetString());
        Assert.Equal("viewer:/tenants/acme", access.GetProperty("roles")[0].GetString());
    }

    [Fact]
    public async Task Refresh_tokens_change_at_every_use()
    {
        await _bench.AddClientAsync();
        using var browser = _bench.Pages.Open();
        var first = (await _bench.RedeemAsync((await OpenIdBench.AuthorizeAsync(browser, "ada"))["code"])).Body;
        var second = (await _bench.RefreshAsync(first.GetProperty("refresh_token").GetString()!)).Body;
        Assert.NotEqual(first.GetProperty("refresh_token").GetString(), second.GetProperty("refresh_token").GetString());
        Assert.True(second.TryGetProperty("id_token", out _));
        _bench.Identity.Time.Advance(TimeSpan.FromDays(20)); // the session is over long since
        var third = (await _bench.RefreshAsync(second.GetProperty("refresh_token").GetString()!)).Body;
        Assert.True(await _bench.IsActiveAsync(third.GetProperty("access_token").GetString()!));
        Assert.True(await _bench.IsActiveAsync(third.GetProperty("refresh_token").GetString()!));
        var narrow = await _bench.TokenAsync(("grant_type", "refresh_token"), ("refresh_token", third.GetProperty("refresh_token").GetString()!), ("scope", "openid"));
        Assert.Equal("openid", narrow.Body.GetProperty("scope").GetString());
        _bench.Identity.Time.Advance(TimeSpan.FromDays(31));
        Assert.Equal("invalid_grant", (await _bench.RefreshAsync(narrow.Body.GetProperty("refresh_token").GetString()!)).Body.GetProperty("error").GetString());
    }

    [Fact]
    public async Task Without_offline_access_tokens_end_with_the_session()
    {
        await _bench.AddClientAsync();
        using var browser = _bench.Pages.Open();
        var tokens = (await _bench.RedeemAsync((await OpenIdBench.AuthorizeAsync(browser, "ada", ("scope", "openid")))["code"])).Body;
        Assert.False(tokens.TryGetProperty("refresh_token", out _));
        var access = tokens.GetProperty("access_token").GetString()!;
        Assert.True(await _bench.IsActiveAsync(access));
        await browser.SubmitAsync(await browser.GetAsync("/sign-out"));
        Assert.False(await _bench.IsActiveAsync(access));
        Assert.Equal(HttpStatusCode.Unauthorized, (await _bench.UserInfoAsync(access)).Status);
    }

    [Fact]
    public async Task Tokens_end_when_they_are_revoked_and_with_account_client_and_password()
    {
        await _bench.AddClientAsync();
        var ada = (Candela.Identity.Accounts.User)_bench.Identity.Directory.Current.Find(_bench.Identity.SystemId, "ada")!;
        using var browser = _bench.Pages.Open();
        async Task<(string Access, string Refresh)> SignInAsync()
        {
            var tokens = (await _bench.RedeemAsync((await OpenIdBench.AuthorizeAsync(browser, "ada"))["code"])).Body;
            return (tokens.GetProperty("access_token").GetString()!, tokens.GetProperty("refresh_token").GetString()!);
        }

        var (access, refresh) = await SignInAsync();
        Assert.Equal(HttpStatusCode.OK, (await _bench.PostAsync("/oauth2/revoke", OpenIdBench.Secret, ("token", access))).Status);
        Assert.False(await _bench.IsActiveAsync(access));
        Assert.True(await _bench.IsActiveAsync(refresh));
        Assert.Equal(HttpStatusCode.OK, (await _bench.PostAsync("/oauth2/revoke", OpenIdBench.Secret, ("token", refresh))).Status);
        Assert.False(await _bench.IsActiveAsync(refresh));
        Assert.Equal(HttpStatusCode.OK, (await _bench.PostAsync("/oauth2/revoke", OpenIdBench.Secret, ("token", "no such token"))).Status);

        (access, refresh) = await SignInAsync();
        await _bench.Identity.Directory.UpdateAsync(ada with { Enabled = false }, Token);
        Assert.False(await _bench.IsActiveAsync(access));
        Assert.Equal("invalid_grant", (await _bench.RefreshAsync(refresh)).Body.GetProperty("error").GetString());
        ada = (Candela.Identity.Accounts.User)_bench.Identity.Directory.Current.Get(ada.Id)!;
        await _bench.Identity.Directory.UpdateAsync(ada with { Enabled = true }, Token);

        (access, refresh) = await SignInAsync();
        _bench.Identity.Time.Advance(TimeSpan.FromSeconds(1));
        await _bench.Identity.Credentials.SetPasswordAsync(ada.Id, SignIn.SignInBench.Password + "!", mustChange: false, Token);
        Assert.False(await _bench.IsActiveAsync(access));
        Assert.Equal("invalid_grant", (await _bench.RefreshAsync(refresh)).Body.GetProperty("error").GetString());

        await _bench.Identity.Get<ClientStore>().DeleteAsync("app@system", Token);
        Assert.Equal("invalid_client", (await _bench.RefreshAsync(refresh)).Body.GetProperty("error").GetString());
    }

    [Fact]
    public async Task A_client_signs_somebody_out()
    {
        await _bench.AddClientAsync();
        using var browser = _bench.Pages.Open();
        var tokens = (await _bench.RedeemAsync((await OpenIdBench.AuthorizeAsync(browser, "ada"))["code"])).Body;
        var hint = tokens.GetProperty("id_token").GetString()!;

        // A link on whatever site asks first, and one to an address that is not registered does nothing.
        var asked = await browser.GetAsync("/oauth2/logout");
        Assert.Equal("/oauth2/logout/confirm", asked.Action);
        Assert.Equal(HttpStatusCode.BadRequest, (await browser.GetAsync($"/oauth2/logout?id_token_hint={hint}&post_logout_redirect_uri=https://evil.example/")).Status);
        Assert.Equal(HttpStatusCode.OK, (await browser.GetAsync("/account")).Status);
        var out1 = await browser.GetAsync($"/oauth2/logout?id_token_hint={hint}&post_logout_redirect_uri=https://app.example/bye&state=x");
        Assert.Equal("https://app.example/bye?state=x", out1.Next);
        Assert.Equal(HttpStatusCode.SeeOther, (await browser.GetAsync("/account")).Status);
    }

    [Fact]
    public async Task Keys_change_and_former_ones_stay_published_while_their_tokens_live()
    {
        await _bench.AddClientAsync(client => client with { AccessTokenSeconds = 3600 });
        async Task<string> NextAsync() => (await _bench.TokenAsync(("grant_type", "client_credentials"))).Body.GetProperty("access_token").GetString()!;
        async Task<int> CountAsync() => (await _bench.GetJsonAsync("/oauth2/jwks")).GetProperty("keys").EnumerateArray().Count(key => key.GetProperty("alg").GetString() == "ES256");
        var first = await NextAsync();
        _bench.Identity.Time.Advance(TimeSpan.FromDays(29) + TimeSpan.FromMinutes(1));
        await _bench.Identity.Get<ProviderKeys>().Signing.MaintainAsync(Token);
        Assert.Equal(2, await CountAsync());
        var last = await NextAsync();
        Assert.Equal(Kid(first), Kid(last));
        var next = last;
        for (var i = 0; i < 50 && Kid(next) == Kid(first); i++)
        {
            last = next;
            _bench.Identity.Time.Advance(TimeSpan.FromMinutes(30));
            next = await NextAsync();
        }

        Assert.NotEqual(Kid(last), Kid(next));
        Assert.True(await _bench.IsActiveAsync(last));
        _bench.Identity.Time.Advance(TimeSpan.FromHours(3));
        await _bench.Identity.Get<ProviderKeys>().Signing.MaintainAsync(Token);
        Assert.Equal(1, await CountAsync());
    }

    private static string Kid(string token) => OpenIdBench.HeaderOf(token).GetProperty("kid").GetString()!;
}

using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Candela.Identity.Jose;
using Candela.Identity.OpenIdConnect.Clients;
using Candela.Identity.OpenIdConnect.Tokens;
using Candela.Model;

namespace Candela.Identity.Tests.OpenIdConnect;

/// <summary>Known attacks on OAuth and its tokens (RFC 9700, RFC 8725): each is refused and audited.</summary>
public sealed class AttackTests : IAsyncLifetime
{
    private OpenIdBench _bench = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _bench = await OpenIdBench.StartAsync();
        await _bench.Pages.AddUserAsync("ada");
        await _bench.AddClientAsync();
    }

    public ValueTask DisposeAsync() => _bench.DisposeAsync();

    [Fact]
    public async Task A_code_is_good_once_and_a_second_use_revokes_what_the_first_gave()
    {
        using var browser = _bench.Pages.Open();
        var code = (await OpenIdBench.AuthorizeAsync(browser, "ada"))["code"];
        var tokens = (await _bench.RedeemAsync(code)).Body;
        Assert.True(await _bench.IsActiveAsync(tokens.GetProperty("access_token").GetString()!));
        Assert.Equal("invalid_grant", Error(await _bench.RedeemAsync(code)));
        Assert.False(await _bench.IsActiveAsync(tokens.GetProperty("access_token").GetString()!));
        Assert.False(await _bench.IsActiveAsync(tokens.GetProperty("refresh_token").GetString()!));
        Assert.Contains(_bench.Pages.Audited, record => record is { Action: "oauth.token", Failure: CandelaException { Code: ErrorCode.Unauthenticated, Message: var text } } && text.Contains("used before", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Of_many_who_redeem_a_code_at_once_none_keeps_a_token()
    {
        using var browser = _bench.Pages.Open();
        var code = (await OpenIdBench.AuthorizeAsync(browser, "ada"))["code"];
        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => _bench.RedeemAsync(code)));
        var given = answers.Where(answer => answer.Status == HttpStatusCode.OK).ToArray();
        Assert.InRange(given.Length, 0, 1);
        foreach (var (_, body) in given)
            Assert.False(await _bench.IsActiveAsync(body.GetProperty("refresh_token").GetString()!));
    }

    [Fact]
    public async Task A_former_refresh_token_ends_the_whole_family()
    {
        using var browser = _bench.Pages.Open();
        var first = (await _bench.RedeemAsync((await OpenIdBench.AuthorizeAsync(browser, "ada"))["code"])).Body;
        var second = (await _bench.RefreshAsync(first.GetProperty("refresh_token").GetString()!)).Body;
        Assert.Equal("invalid_grant", Error(await _bench.RefreshAsync(first.GetProperty("refresh_token").GetString()!)));
        Assert.Equal("invalid_grant", Error(await _bench.RefreshAsync(second.GetProperty("refresh_token").GetString()!)));
        Assert.False(await _bench.IsActiveAsync(second.GetProperty("access_token").GetString()!));

        // One that was never given out ends nothing.
        var other = (await _bench.RedeemAsync((await OpenIdBench.AuthorizeAsync(browser, "ada"))["code"])).Body.GetProperty("refresh_token").GetString()!;
        var bytes = Base64UrlText.TryDecode(other)!;
        bytes[19] ^= 1;
        Assert.Equal("invalid_grant", Error(await _bench.RefreshAsync(Base64UrlText.Encode(bytes))));
        Assert.True(await _bench.IsActiveAsync(other));
    }

    [Theory]
    [InlineData("code_challenge", null)]
    [InlineData("code_challenge", "short")]
    [InlineData("code_challenge_method", null)]
    [InlineData("code_challenge_method", "plain")]
    [InlineData("response_type", "token")]
    [InlineData("response_type", "code token")]
    [InlineData("response_mode", "fragment")]
    [InlineData("request", "eyJhbGciOiJub25lIn0.e30.")]
    [InlineData("request_uri", "https://evil.example/")]
    [InlineData("scope", "openid admin")]
    [InlineData("resource", "https://elsewhere.example/")]
    [InlineData("prompt", "none login")]
    [InlineData("max_age", "-1")]
    public async Task Weakened_requests_are_refused(string name, string? value)
    {
        using var browser = _bench.Pages.Open();
        await browser.SignInAsync("ada", SignIn.SignInBench.Password);
        var answer = OpenIdBench.AnswerOf(await browser.GetAsync(OpenIdBench.AuthorizePath((name, value))));
        Assert.DoesNotContain("code", answer.Keys);
        Assert.NotEmpty(answer["error"]);
        Assert.Equal(OpenIdBench.Issuer, answer["iss"]);
        Assert.Equal("s1", answer["state"]);
        Assert.Contains(_bench.Pages.Audited, record => record is { Action: "oauth.authorize", Failure: not null });
    }

    [Theory]
    [InlineData("wrong-verifier-wrong-verifier-wrong-verifier-00")]
    [InlineData("")]
    public async Task A_code_without_its_verifier_is_worth_nothing_and_burnt(string verifier)
    {
        using var browser = _bench.Pages.Open();
        var code = (await OpenIdBench.AuthorizeAsync(browser, "ada"))["code"];
        Assert.Equal("invalid_grant", Error(await _bench.RedeemAsync(code, verifier)));
        Assert.Equal("invalid_grant", Error(await _bench.RedeemAsync(code)));
        code = (await OpenIdBench.AuthorizeAsync(browser, "ada"))["code"];
        Assert.Equal("invalid_grant", Error(await _bench.RedeemAsync(code, redirect: "https://app.example/other")));
        code = (await OpenIdBench.AuthorizeAsync(browser, "ada"))["code"];
        _bench.Identity.Time.Advance(TimeSpan.FromSeconds(61));
        Assert.Equal("invalid_grant", Error(await _bench.RedeemAsync(code)));
    }

    [Theory]
    [InlineData("https://evil.example/callback")]
    [InlineData("https://app.example/callback/")]
    [InlineData("https://app.example/callback?x=1")]
    [InlineData("https://app.example/callback/../evil")]
    [InlineData("https://app.example/%63allback")]
    [InlineData("https://APP.example/callback")]
    [InlineData("https://app.example:443/callback")]
    [InlineData("https://app.example@evil.example/callback")]
    [InlineData("https://app.example/callback#x")]
    [InlineData("http://app.example/callback")]
    [InlineData("javascript:alert(1)")]
    [InlineData(null)]
    public async Task Nobody_is_led_to_an_address_that_is_not_registered(string? redirect)
    {
        using var browser = _bench.Pages.Open();
        await browser.SignInAsync("ada", SignIn.SignInBench.Password);
        var page = await browser.GetAsync(OpenIdBench.AuthorizePath(("redirect_uri", redirect)));
        Assert.Equal(HttpStatusCode.BadRequest, page.Status);
        Assert.Null(page.Next);
        Assert.NotNull(page.Alert);
    }

    [Fact]
    public async Task Parameters_that_are_there_twice_are_refused()
    {
        using var browser = _bench.Pages.Open();
        await browser.SignInAsync("ada", SignIn.SignInBench.Password);
        Assert.Null((await browser.GetAsync(OpenIdBench.AuthorizePath() + "&redirect_uri=https://evil.example/")).Next);
        Assert.Null((await browser.GetAsync(OpenIdBench.AuthorizePath() + "&client_id=other@system")).Next);
        Assert.Equal("invalid_request", OpenIdBench.AnswerOf(await browser.GetAsync(OpenIdBench.AuthorizePath() + "&scope=openid"))["error"]);
        Assert.Equal("invalid_request", Error(await _bench.TokenAsync(("grant_type", "client_credentials"), ("grant_type", "authorization_code"))));
    }

    [Fact]
    public async Task One_clients_codes_and_tokens_are_of_no_use_to_another()
    {
        await _bench.AddClientAsync(client => client with { Id = "other@system", Authentication = ClientAuthentication.None, Secrets = [], Grants = ["authorization_code", "refresh_token"] });
        using var browser = _bench.Pages.Open();
        (string, string)[] AsOther(string type, string name, string value) =>
            [("client_id", "other@system"), ("grant_type", type), (name, value), ("redirect_uri", OpenIdBench.Redirect), ("code_verifier", OpenIdBench.Verifier)];
        var code = (await OpenIdBench.AuthorizeAsync(browser, "ada"))["code"];
        Assert.Equal("invalid_grant", Error(await _bench.PostAsync("/oauth2/token", null, AsOther("authorization_code", "code", code))));
        var tokens = (await _bench.RedeemAsync(code)).Body; // not spoilt by the attempt
        var refresh = tokens.GetProperty("refresh_token").GetString()!;
        Assert.Equal("invalid_grant", Error(await _bench.PostAsync("/oauth2/token", null, AsOther("refresh_token", "refresh_token", refresh))));
        await _bench.PostAsync("/oauth2/revoke", null, ("client_id", "other@system"), ("token", refresh));
        Assert.True(await _bench.IsActiveAsync(refresh));
        Assert.Equal("invalid_client", Error(await _bench.PostAsync("/oauth2/introspect", null, ("client_id", "other@system"), ("token", refresh))));
    }

    [Fact]
    public async Task Clients_that_do_not_prove_themselves_get_nothing()
    {
        (string, string)[] fields = [("grant_type", "client_credentials")];
        foreach (var answer in new[]
        {
            await _bench.PostAsync("/oauth2/token", "wrong", fields),
            await _bench.PostAsync("/oauth2/token", "", fields),
            await _bench.PostAsync("/oauth2/token", null, fields),
            await _bench.PostAsync("/oauth2/token", null, [.. fields, ("client_id", "app@system")]),
            await _bench.PostAsync("/oauth2/token", null, [.. fields, ("client_id", "nobody@system"), ("client_secret", OpenIdBench.Secret)]),
            await _bench.PostAsync("/oauth2/token", null, [.. fields, ("client_id", "../../credentials"), ("client_secret", OpenIdBench.Secret)]),
        })
        {
            Assert.Equal(HttpStatusCode.Unauthorized, answer.Status);
            Assert.Equal("invalid_client", Error(answer));
        }

        Assert.Equal("invalid_request", Error(await _bench.TokenAsync([.. fields, ("client_secret", OpenIdBench.Secret)])));
        Assert.Equal("invalid_request", Error(await _bench.TokenAsync([.. fields, ("client_id", "other@system")])));
        await _bench.Identity.Get<ClientStore>().UpdateAsync("app@system", client => client with { Enabled = false }, Token);
        Assert.Equal("invalid_client", Error(await _bench.TokenAsync(fields)));
        Assert.Equal(9, _bench.Pages.Audited.Count(record => record is { Action: "oauth.token", Failure: not null }));
    }

    [Fact]
    public async Task Forged_access_tokens_are_refused()
    {
        var good = (await _bench.TokenAsync(("grant_type", "client_credentials"))).Body.GetProperty("access_token").GetString()!;
        var tokens = _bench.Identity.Get<IAccessTokens>();
        await tokens.ValidateAsync(good, "https://api.example/", null, Token);
        await RefusedAsync(good, "https://other.example/");
        var (header, payload, signature) = good.Split('.') is [var h, var p, var s] ? (h, p, s) : throw new InvalidOperationException();
        var kid = OpenIdBench.HeaderOf(good).GetProperty("kid").GetString();
        using var evil = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var jwk = (await _bench.GetJsonAsync("/oauth2/jwks")).GetProperty("keys")[0];
        byte[] published = [.. Base64UrlText.TryDecode(jwk.GetProperty("x").GetString()!)!, .. Base64UrlText.TryDecode(jwk.GetProperty("y").GetString()!)!];

        // No algorithm; the public key as a shared secret; another's key, named, brought along or pointed to.
        foreach (var none in new[] { "none", "None", "NONE", "nOnE" })
        {
            await RefusedAsync($"{Json($$"""{"alg":"{{none}}","typ":"at+jwt","kid":"{{kid}}"}""")}.{payload}.");
            await RefusedAsync($"{Json($$"""{"alg":"{{none}}","typ":"at+jwt","kid":"{{kid}}"}""")}.{payload}.{signature}");
        }

        var confused = $"{Json($$"""{"alg":"HS256","typ":"at+jwt","kid":"{{kid}}"}""")}.{payload}";
        await RefusedAsync($"{confused}.{Base64UrlText.Encode(HMACSHA256.HashData(published, Encoding.ASCII.GetBytes(confused)))}");
        var parameters = evil.ExportParameters(false);
        foreach (var head in new[]
        {
            $$"""{"alg":"ES256","typ":"at+jwt","kid":"{{kid}}"}""",
            """{"alg":"ES256","typ":"at+jwt"}""",
            """{"alg":"ES256","typ":"at+jwt","kid":"../../../dev/null"}""",
            $$"""{"alg":"ES256","typ":"at+jwt","kid":"{{kid}}","jwk":{"kty":"EC","crv":"P-256","x":"{{Base64UrlText.Encode(parameters.Q.X!)}}","y":"{{Base64UrlText.Encode(parameters.Q.Y!)}}"} }""",
            $$"""{"alg":"ES256","typ":"at+jwt","kid":"{{kid}}","jku":"https://evil.example/jwks"}""",
            $$"""{"alg":"ES256","typ":"at+jwt","kid":"{{kid}}","crit":["exp"]}""",
        })
        {
            var input = $"{Json(head)}.{payload}";
            await RefusedAsync($"{input}.{Base64UrlText.Encode(evil.SignData(Encoding.ASCII.GetBytes(input), HashAlgorithmName.SHA256))}");
        }

        // Nothing but zeros (CVE-2022-21449), other claims, the signature in another form.
        await RefusedAsync($"{header}.{payload}.{Base64UrlText.Encode(new byte[64])}");
        await RefusedAsync($"{header}.{Json(Encoding.UTF8.GetString(Base64UrlText.TryDecode(payload)!).Replace("app@system", "adm@system", StringComparison.Ordinal))}.{signature}");
        await RefusedAsync($"{header}.{payload}.{signature}=");
        await RefusedAsync($"{header}.{payload}.{signature}.");
        await RefusedAsync("");

        // An ID token is no access token, and an access token no hint of a sign-in.
        using var browser = _bench.Pages.Open();
        var signedIn = (await _bench.RedeemAsync((await OpenIdBench.AuthorizeAsync(browser, "ada"))["code"])).Body;
        await RefusedAsync(signedIn.GetProperty("id_token").GetString()!);
        Assert.Equal(HttpStatusCode.Unauthorized, (await _bench.UserInfoAsync(signedIn.GetProperty("id_token").GetString()!)).Status);
        Assert.Equal("/oauth2/logout/confirm", (await browser.GetAsync($"/oauth2/logout?id_token_hint={signedIn.GetProperty("access_token").GetString()}")).Action);
        _bench.Identity.Time.Advance(TimeSpan.FromMinutes(10));
        await RefusedAsync(good);

        async Task RefusedAsync(string token, string? audience = null) =>
            Assert.Equal(ErrorCode.Unauthenticated, (await Assert.ThrowsAsync<CandelaException>(() => tokens.ValidateAsync(token, audience, null, Token))).Code);
    }

    [Fact]
    public async Task Consent_cannot_be_given_by_another_site()
    {
        using var browser = _bench.Pages.Open();
        await browser.SignInAsync("ada", SignIn.SignInBench.Password);
        var page = await browser.GetAsync(OpenIdBench.AuthorizePath());
        var query = page.Hidden["request"];
        foreach (var fields in new Dictionary<string, string>[] { new() { ["request"] = query, ["decision"] = "allow" }, new() { ["request"] = query, ["decision"] = "allow", ["form_token"] = "AAAA" } })
        {
            var refused = await browser.PostAsync("/oauth2/consent", fields);
            Assert.Equal(HttpStatusCode.Forbidden, refused.Status);
            Assert.Null(refused.Next);
        }

        browser.PostHeaders["Origin"] = "https://evil.example";
        Assert.Equal(HttpStatusCode.Forbidden, (await browser.SubmitAsync(page, ("decision", "allow"))).Status);
        browser.PostHeaders.Clear();

        // What was shown is not what counts: the request is checked again.
        Assert.Equal("invalid_scope", OpenIdBench.AnswerOf(await browser.SubmitAsync(page, ("decision", "allow"), ("request", query.Replace("openid", "admin", StringComparison.Ordinal))))["error"]);
        Assert.Null((await browser.SubmitAsync(page, ("decision", "allow"), ("request", query.Replace("app.example", "evil.example", StringComparison.Ordinal)))).Next);

        // A page cannot be put into a frame to be clicked unawares.
        Assert.Contains("frame-ancestors 'none'", Assert.Single(page.Headers.GetValues("Content-Security-Policy")), StringComparison.Ordinal);
        Assert.Equal("DENY", Assert.Single(page.Headers.GetValues("X-Frame-Options")));
    }

    [Fact]
    public async Task A_tenants_client_is_not_for_accounts_of_others()
    {
        var acme = await _bench.Identity.Directory.EnsureTenantDomainAsync("acme", Token);
        await _bench.AddClientAsync(client => client with { Id = "app@acme", DomainId = acme.Id, Trusted = true });
        using var browser = _bench.Pages.Open();
        await browser.SignInAsync("ada", SignIn.SignInBench.Password);
        Assert.Equal("access_denied", OpenIdBench.AnswerOf(await browser.GetAsync(OpenIdBench.AuthorizePath(("client_id", "app@acme"))))["error"]);
    }

    [Theory]
    [InlineData("https://app.example/cb", true)]
    [InlineData("http://127.0.0.1/cb", true)]
    [InlineData("http://localhost:8080/cb", true)]
    [InlineData("com.example.app:/cb", true)]
    [InlineData("http://app.example/cb", false)]
    [InlineData("https://*.example/cb", false)]
    [InlineData("https://app.example/cb#", false)]
    [InlineData("https://user@app.example/cb", false)]
    [InlineData("javascript:alert(1)", false)]
    [InlineData("data:text/html,x", false)]
    [InlineData("/cb", false)]
    [InlineData("//app.example/cb", false)]
    public void Only_safe_addresses_can_be_registered(string address, bool good) => Assert.Equal(good, RedirectUris.Check(address) is null);

    [Theory]
    [InlineData("http://127.0.0.1/cb", "http://127.0.0.1:51004/cb", true)]
    [InlineData("http://[::1]/cb", "http://[::1]:51004/cb", true)]
    [InlineData("http://127.0.0.1:80/cb", "http://127.0.0.1:51004/cb", true)]
    [InlineData("http://127.0.0.1/cb", "http://127.0.0.1:51004/cb2", false)]
    [InlineData("http://127.0.0.1/cb", "http://127.0.0.1:51004@evil.example/cb", false)]
    [InlineData("http://127.0.0.1/cb", "http://127.0.0.1.evil.example/cb", false)]
    [InlineData("http://127.0.0.1/cb", "http://127.0.0.1:/cb", false)]
    [InlineData("http://localhost/cb", "http://localhost:51004/cb", false)]
    [InlineData("https://app.example/cb", "https://app.example:51004/cb", false)]
    public void Loopback_addresses_may_have_any_port(string registered, string presented, bool good) => Assert.Equal(good, RedirectUris.Contains([registered], presented));

    private static string Json(string json) => Base64UrlText.Encode(json);

    private static string? Error((HttpStatusCode Status, JsonElement Body) answer) =>
        answer.Body.ValueKind == JsonValueKind.Object && answer.Body.TryGetProperty("error", out var error) ? error.GetString() : null;
}

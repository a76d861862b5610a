using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using Candela.Identity.Accounts;
using Candela.Identity.Acme.Challenges;
using Candela.Identity.Certificates;
using Candela.Identity.Certificates.Profiles;
using Candela.Identity.Certificates.Revocation;
using Candela.Identity.Jose;
using Candela.Identity.OpenIdConnect;
using Candela.Identity.OpenIdConnect.Clients;
using Candela.Identity.OpenIdConnect.Tokens;
using Candela.Identity.Secrets;
using Candela.Identity.Workloads;
using Candela.Model;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging.Abstractions;

namespace Candela.Identity.Tests.OpenIdConnect;

/// <summary>Programs that get tokens for themselves, for devices, and for other tokens.</summary>
public sealed class ProgramClientTests : IAsyncLifetime
{
    private const string Exchange = "urn:ietf:params:oauth:grant-type:token-exchange";
    private const string Device = "urn:ietf:params:oauth:grant-type:device_code";

    private OpenIdBench _bench = null!;
    private TrustHost _trust = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _bench = await OpenIdBench.StartAsync();
        _trust = await TrustHost.OpenAsync(
            _bench.Identity.Store, _bench.Identity.Get<ISecretBox>(), _bench.Identity.Directory, new SystemAcmeResolver(), new TrustOptions { Authority = new() { TrustDomain = "example.org" } },
            _bench.Identity.Time, NullLoggerFactory.Instance, Token);
        _bench.Identity.Get<ProviderTrust>().Host = _trust;
    }

    public async ValueTask DisposeAsync()
    {
        await _trust.DisposeAsync();
        await _bench.DisposeAsync();
    }

    [Fact]
    public async Task A_program_gets_tokens_for_its_service_account()
    {
        var account = await _bench.Identity.Directory.CreateAsync(new ServiceAccount { DomainId = _bench.Identity.SystemId, Name = "ci" }, Token);
        await _bench.AddClientAsync(client => client with { ServiceAccountId = account.Id, AccessTokenSeconds = 60 });
        var (status, body) = await _bench.TokenAsync(("grant_type", "client_credentials"), ("resource", "https://other.example/"));
        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Equal(60, body.GetProperty("expires_in").GetInt64());
        Assert.False(body.TryGetProperty("refresh_token", out _));
        Assert.Equal("groups roles orders", body.GetProperty("scope").GetString());
        var access = body.GetProperty("access_token").GetString()!;
        var read = await _bench.Identity.Get<IAccessTokens>().ValidateAsync(access, "https://other.example/", null, Token);
        Assert.Equal("ci", read.Account!.Name);
        Assert.Equal(HttpStatusCode.Forbidden, (await _bench.UserInfoAsync(access)).Status);

        var posted = await _bench.PostAsync("/oauth2/token", null, ("grant_type", "client_credentials"), ("client_id", "app@system"), ("client_secret", OpenIdBench.Secret), ("scope", "orders"));
        Assert.Equal("orders", posted.Body.GetProperty("scope").GetString());
        Assert.Equal("invalid_target", Error(await _bench.TokenAsync(("grant_type", "client_credentials"), ("resource", "https://elsewhere.example/"))));
        Assert.Equal("unsupported_grant_type", Error(await _bench.TokenAsync(("grant_type", "password"), ("username", "ada"), ("password", "x"))));

        await _bench.Identity.Directory.DeleteAsync(account.Id, null, Token);
        Assert.False(await _bench.IsActiveAsync(access));
        Assert.Equal("unauthorized_client", Error(await _bench.TokenAsync(("grant_type", "client_credentials"))));
    }

    [Fact]
    public async Task A_program_proves_itself_by_a_token_that_it_signs()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var other = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var point = key.ExportParameters(false).Q;
        var jwks = $$"""{"keys":[{"kty":"EC","crv":"P-256","kid":"k1","x":"{{Base64UrlText.Encode(point.X!)}}","y":"{{Base64UrlText.Encode(point.Y!)}}"}]}""";
        await _bench.AddClientAsync(client => client with { Authentication = ClientAuthentication.PrivateKeyJwt, Jwks = jwks, Secrets = [] });
        Assert.Equal(HttpStatusCode.OK, (await SendAsync(Assertion(key))).Status);

        var once = Assertion(key, id: "twice");
        Assert.Equal(HttpStatusCode.OK, (await SendAsync(once)).Status);
        foreach (var (assertion, why) in new[]
        {
            (once, "used before"),
            (Assertion(other), "another key"),
            (Assertion(key, audience: "https://evil.example"), "for another server"),
            (Assertion(key, audience: null), "for nobody"),
            (Assertion(key, issuer: "other@system"), "another issuer"),
            (Assertion(key, seconds: -60), "expired"),
            (Assertion(key, seconds: 3600), "good for too long"),
            (Assertion(key, id: ""), "without an id"),
            (Assertion(key, header: """{"alg":"none"}"""), "no algorithm"),
            (Assertion(key, header: """{"alg":"HS256","kid":"k1"}"""), "confused"),
            (Assertion(key, header: """{"alg":"ES256","kid":"k2"}"""), "unknown key"),
            ("x.y.z", "no token"),
        })
            Assert.True((await SendAsync(assertion)).Status == HttpStatusCode.Unauthorized, why);
        Assert.Equal("invalid_client", Error(await _bench.TokenAsync(("grant_type", "client_credentials"))));

        Task<(HttpStatusCode Status, JsonElement Body)> SendAsync(string assertion) => _bench.PostAsync(
            "/oauth2/token", null, ("grant_type", "client_credentials"), ("client_assertion_type", ClientAuthenticator.AssertionType), ("client_assertion", assertion));
    }

    [Fact]
    public async Task A_program_proves_itself_by_its_certificate_and_its_tokens_are_bound_to_it()
    {
        var (issued, _) = await _trust.Authority.IssueWithKeyAsync(new CertificateOrder { Profile = CertificateProfile.Client, Owner = "service-account:42", CommonName = "ci" }, Token);
        var (foreign, _) = await _trust.Authority.IssueWithKeyAsync(new CertificateOrder { Profile = CertificateProfile.Client, Owner = "service-account:43", CommonName = "ci" }, Token);
        using var certificate = issued.ToCertificate();
        using var another = foreign.ToCertificate();
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var own = new CertificateRequest("CN=ci", key, HashAlgorithmName.SHA256).CreateSelfSigned(DateTimeOffset.UnixEpoch, DateTimeOffset.UtcNow.AddYears(20));
        await _bench.AddClientAsync(client => client with { Authentication = ClientAuthentication.Tls, TlsSubject = "service-account:42", BoundTokens = true, Secrets = [] });
        await _bench.AddClientAsync(client => client with { Id = "own@system", Authentication = ClientAuthentication.SelfSignedTls, TlsThumbprints = [AccessTokens.ThumbprintOf(own)], Secrets = [] });

        var good = await AskAsync("app@system", certificate);
        Assert.Equal(200, good.Status);
        var access = good.Body.GetProperty("access_token").GetString()!;
        Assert.Equal(AccessTokens.ThumbprintOf(certificate), OpenIdBench.ClaimsOf(access).GetProperty("cnf").GetProperty("x5t#S256").GetString());
        var tokens = _bench.Identity.Get<IAccessTokens>();
        await tokens.ValidateAsync(access, null, certificate, Token);
        await Assert.ThrowsAsync<CandelaException>(() => tokens.ValidateAsync(access, null, null, Token));
        await Assert.ThrowsAsync<CandelaException>(() => tokens.ValidateAsync(access, null, another, Token));

        Assert.Equal(401, (await AskAsync("app@system", another)).Status);
        Assert.Equal(401, (await AskAsync("app@system", own)).Status);
        Assert.Equal(401, (await AskAsync("app@system", null)).Status);
        Assert.Equal(200, (await AskAsync("own@system", own)).Status);
        Assert.Equal(401, (await AskAsync("own@system", certificate)).Status);
        await _trust.Authority.RevokeAsync(issued.Serial, RevocationReason.KeyCompromise, Token);
        Assert.Equal(401, (await AskAsync("app@system", certificate)).Status);
    }

    [Fact]
    public async Task A_device_is_signed_in_by_its_user_elsewhere()
    {
        await _bench.Pages.AddUserAsync("ada");
        var (_, began) = await _bench.PostAsync("/oauth2/device_authorization", null, ("client_id", "candela-cli"), ("scope", "openid offline_access"));
        Assert.Equal($"{OpenIdBench.Issuer}/device", began.GetProperty("verification_uri").GetString());
        Task<(HttpStatusCode Status, JsonElement Body)> AskAsync() =>
            _bench.PostAsync("/oauth2/token", null, ("client_id", "candela-cli"), ("grant_type", Device), ("device_code", began.GetProperty("device_code").GetString()!));
        Assert.Equal("authorization_pending", Error(await AskAsync()));
        Assert.Equal("slow_down", Error(await AskAsync()));

        using var browser = _bench.Pages.Open();
        var code = began.GetProperty("user_code").GetString()!;
        var signIn = await browser.GetAsync($"/device?user_code={code}");
        var signedIn = await browser.SubmitAsync(await browser.GetAsync(signIn.Next!), ("name", "ada"), ("password", SignIn.SignInBench.Password));
        var ask = await browser.FollowAsync(signedIn);
        Assert.Contains(code, ask.Text, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.Forbidden, (await browser.PostAsync("/device", new() { ["user_code"] = code, ["decision"] = "allow" })).Status);
        await browser.SubmitAsync(await browser.GetAsync($"/device?user_code={code.ToLowerInvariant().Replace("-", " ", StringComparison.Ordinal)}"), ("decision", "allow"));
        _bench.Identity.Time.Advance(TimeSpan.FromSeconds(30));
        var (status, tokens) = await AskAsync();
        Assert.Equal(HttpStatusCode.OK, status);
        var read = await _bench.Identity.Get<IAccessTokens>().ValidateAsync(tokens.GetProperty("access_token").GetString()!, BuiltInClients.ApiAudience(OpenIdBench.Issuer), null, Token);
        Assert.Equal("ada", read.Account!.Name);
        Assert.True(tokens.TryGetProperty("refresh_token", out _));
        Assert.Equal("invalid_grant", Error(await AskAsync()));
        Assert.Equal(HttpStatusCode.NotFound, (await browser.GetAsync($"/device?user_code={code}")).Status);

        // Refused, forgotten, guessed.
        began = (await _bench.PostAsync("/oauth2/device_authorization", null, ("client_id", "candela-cli"))).Body;
        await browser.SubmitAsync(await browser.GetAsync($"/device?user_code={began.GetProperty("user_code").GetString()}"), ("decision", "deny"));
        Assert.Equal("access_denied", Error(await AskAsync()));
        began = (await _bench.PostAsync("/oauth2/device_authorization", null, ("client_id", "candela-cli"))).Body;
        for (var i = 0; i < 12; i++)
            Assert.Equal(HttpStatusCode.NotFound, (await browser.GetAsync("/device?user_code=BBBB-BBBB")).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await browser.GetAsync($"/device?user_code={began.GetProperty("user_code").GetString()}")).Status);
        _bench.Identity.Time.Advance(TimeSpan.FromMinutes(10));
        Assert.Equal("expired_token", Error(await AskAsync()));
    }

    [Fact]
    public async Task A_token_is_exchanged_for_a_narrower_one_of_another_audience()
    {
        await _bench.Pages.AddUserAsync("ada");
        await _bench.AddClientAsync();
        using var browser = _bench.Pages.Open();
        var subject = (await _bench.RedeemAsync((await OpenIdBench.AuthorizeAsync(browser, "ada", ("scope", "openid orders")))["code"])).Body.GetProperty("access_token").GetString()!;
        (string, string)[] fields = [("grant_type", Exchange), ("subject_token", subject), ("subject_token_type", "urn:ietf:params:oauth:token-type:access_token"), ("resource", "https://other.example/")];
        var (status, body) = await _bench.TokenAsync([.. fields, ("scope", "orders")]);
        Assert.Equal(HttpStatusCode.OK, status);
        var access = body.GetProperty("access_token").GetString()!;
        var claims = OpenIdBench.ClaimsOf(access);
        Assert.Equal("https://other.example/", claims.GetProperty("aud").GetString());
        Assert.Equal("app@system", claims.GetProperty("act").GetProperty("sub").GetString());
        Assert.Equal(OpenIdBench.ClaimsOf(subject).GetProperty("sub").GetString(), claims.GetProperty("sub").GetString());
        Assert.Equal("invalid_scope", Error(await _bench.TokenAsync([.. fields, ("scope", "email")])));

        // A client that the token is neither of nor for gets nothing for it; and what it gave ends with the sign-in.
        await _bench.AddClientAsync(client => client with { Id = "third@system", Audiences = ["https://third.example/"] });
        Assert.Equal("invalid_request", Error(await _bench.PostAsync(
            "/oauth2/token", null, [.. fields[..3], ("client_id", "third@system"), ("client_secret", OpenIdBench.Secret)])));
        Assert.True(await _bench.IsActiveAsync(access));
        await browser.SubmitAsync(await browser.GetAsync("/sign-out"));
        Assert.False(await _bench.IsActiveAsync(access));
        Assert.Equal("invalid_request", Error(await _bench.TokenAsync(fields)));
    }

    [Fact]
    public async Task A_container_exchanges_its_svid_for_an_access_token_that_ends_with_it()
    {
        await _trust.Workloads.BeginAsync(new WorkloadSpec { Container = "c1", Tenant = "acme", Project = "shop", Name = "web" }, Token);
        (string, string)[] Fields(string audience) =>
            [("grant_type", Exchange), ("subject_token", _trust.Domain.IssueJwt("c1", [audience]).Token), ("subject_token_type", "urn:ietf:params:oauth:token-type:jwt")];
        var (status, body) = await _bench.PostAsync("/oauth2/token", null, Fields(OpenIdBench.Issuer));
        Assert.Equal(HttpStatusCode.OK, status);
        var access = body.GetProperty("access_token").GetString()!;
        var tokens = _bench.Identity.Get<IAccessTokens>();
        var read = await tokens.ValidateAsync(access, BuiltInClients.ApiAudience(OpenIdBench.Issuer), null, Token);
        Assert.Equal("spiffe://example.org/acme/shop/web", read.Workload.ToString());
        Assert.Equal("invalid_request", Error(await _bench.PostAsync("/oauth2/token", null, Fields("somebody else"))));
        Assert.Equal("invalid_target", Error(await _bench.PostAsync("/oauth2/token", null, [.. Fields(OpenIdBench.Issuer), ("resource", "https://api.example/")])));
        await _trust.Workloads.EndAsync("c1", Token);
        await Assert.ThrowsAsync<CandelaException>(() => tokens.ValidateAsync(access, null, null, Token));
    }

    [Fact]
    public void Mangled_requests_and_tokens_are_refused_without_harm()
    {
        var tokens = _bench.Identity.Get<OwnTokens>();
        var good = _bench.Identity.Get<TokenIssuer>().Access(new() { Subject = "s", ClientId = "c", Audiences = ["a"], Scopes = ["x"], ExpiresAt = _bench.Identity.Time.GetUtcNow().AddHours(1) }).Token;
        byte[][] seeds = [Encoding.ASCII.GetBytes(good), Encoding.ASCII.GetBytes(OpenIdBench.AuthorizePath()), "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\"}]}"u8.ToArray(), "http://[::1]:99/cb"u8.ToArray()];
        var mutator = new Tools.Mutator(7);
        tokens.Read(good, TokenIssuer.AccessTokenType);
        for (var i = 0; i < Tools.Mutator.Count; i++)
        {
            var text = Encoding.Latin1.GetString(mutator.Next(seeds));
            if (text != good)
                Assert.Throws<JoseException>(() => tokens.Read(text, TokenIssuer.AccessTokenType));
            _ = RedirectUris.Check(text);
            _ = RedirectUris.Contains(["http://[::1]:99/cb", OpenIdBench.Redirect], text);
            _ = Candela.Identity.SignIn.LocalPath.IsValid(text);
            _ = Candela.Identity.OpenIdConnect.Grants.UserCodes.Read(text);
            _ = Microsoft.AspNetCore.WebUtilities.QueryHelpers.ParseQuery(text);
            try
            {
                ClientCheck.ReadKeys(text);
            }
            catch (JoseException)
            {
            }
        }
    }

    private async Task<(int Status, JsonElement Body)> AskAsync(string client, X509Certificate2? certificate)
    {
        using var output = new MemoryStream();
        var context = new DefaultHttpContext { Response = { Body = output } };
        context.Connection.ClientCertificate = certificate;
        context.Request.Method = "POST";
        context.Request.Path = "/oauth2/token";
        context.Request.ContentType = "application/x-www-form-urlencoded";
        context.Request.Body = new MemoryStream(Encoding.ASCII.GetBytes($"grant_type=client_credentials&client_id={Uri.EscapeDataString(client)}"));
        await _bench.Identity.Get<Candela.Identity.OpenIdConnect.Endpoints.TokenEndpoint>().PostAsync(context);
        return (context.Response.StatusCode, JsonDocument.Parse(output.ToArray()).RootElement);
    }

    private string Assertion(ECDsa key, string? audience = OpenIdBench.Issuer, string issuer = "app@system", int seconds = 60, string? id = null, string header = """{"alg":"ES256","kid":"k1"}""")
    {
        var end = _bench.Identity.Time.GetUtcNow().ToUnixTimeSeconds() + seconds;
        var aud = audience is null ? "" : $"\"aud\":\"{audience}\",";
        var claims = $$"""{"iss":"{{issuer}}","sub":"app@system",{{aud}}"exp":{{end}},"jti":"{{id ?? Guid.NewGuid().ToString()}}"}""";
        var input = $"{Base64UrlText.Encode(header)}.{Base64UrlText.Encode(claims)}";
        return $"{input}.{Base64UrlText.Encode(key.SignData(Encoding.ASCII.GetBytes(input), HashAlgorithmName.SHA256))}";
    }

    private static string? Error((HttpStatusCode Status, JsonElement Body) answer) =>
        answer.Body.ValueKind == JsonValueKind.Object && answer.Body.TryGetProperty("error", out var error) ? error.GetString() : null;
}

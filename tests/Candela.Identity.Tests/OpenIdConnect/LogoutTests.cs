using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Threading.Channels;
using Candela.Identity.Jose;
using Candela.Identity.OpenIdConnect.Tokens;
using Candela.Identity.Tests.Tools;
using Candela.Model;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Candela.Identity.Tests.OpenIdConnect;

/// <summary>Clients that know RSA only, and clients that are told when a session ends.</summary>
public sealed class LogoutTests : IAsyncLifetime
{
    private readonly Channel<string> _told = Channel.CreateUnbounded<string>();
    private OpenIdBench _bench = null!;
    private WebBench _client = null!;
    private int _failures;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _bench = await OpenIdBench.StartAsync();
        await _bench.Pages.AddUserAsync("ada");
        _client = await WebBench.StartAsync(_ => { }, application => application.MapPost("/logout", async context =>
        {
            if (Interlocked.Decrement(ref _failures) >= 0)
            {
                context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
                return;
            }

            await _told.Writer.WriteAsync((await context.Request.ReadFormAsync())["logout_token"].ToString());
        }));
    }

    public async ValueTask DisposeAsync()
    {
        await _client.DisposeAsync();
        await _bench.DisposeAsync();
    }

    [Fact]
    public async Task A_client_gets_id_tokens_signed_by_RSA_if_it_asks_for_that()
    {
        await _bench.AddClientAsync(client => client with { IdTokenAlgorithm = "RS256" });
        using var browser = _bench.Pages.Open();
        var answer = await OpenIdBench.AuthorizeAsync(browser, "ada");
        var (_, tokens) = await _bench.RedeemAsync(answer["code"]);
        var token = tokens.GetProperty("id_token").GetString()!;
        Assert.Equal("RS256", OpenIdBench.HeaderOf(token).GetProperty("alg").GetString());
        Assert.Equal("ES256", OpenIdBench.HeaderOf(tokens.GetProperty("access_token").GetString()!).GetProperty("alg").GetString());
        await VerifyAsync(token);
        var supported = (await _bench.GetJsonAsync("/.well-known/openid-configuration")).GetProperty("id_token_signing_alg_values_supported").EnumerateArray().Select(name => name.GetString());
        Assert.Equal(["ES256", "RS256"], supported);

        // It is taken back as a hint, and is nothing else: with its own key's algorithm only.
        Assert.Contains("Sign out?", (await browser.GetAsync("/oauth2/logout")).Text, StringComparison.Ordinal);
        Assert.Contains("You are signed out", (await browser.GetAsync("/oauth2/logout?id_token_hint=" + token)).Text, StringComparison.Ordinal);
        await Assert.ThrowsAsync<CandelaException>(() => _bench.Identity.Get<IAccessTokens>().ValidateAsync(token, "app@system", null, Token));
    }

    [Fact]
    public async Task A_client_is_told_that_a_session_has_ended()
    {
        await _bench.AddClientAsync(client => client with { BackChannelLogoutUri = new Uri(_client.Address, "/logout").AbsoluteUri, IdTokenAlgorithm = "RS256" });
        using var browser = _bench.Pages.Open();
        var (_, tokens) = await _bench.RedeemAsync((await OpenIdBench.AuthorizeAsync(browser, "ada"))["code"]);
        var identity = OpenIdBench.ClaimsOf(tokens.GetProperty("id_token").GetString()!);
        await browser.SubmitAsync(await browser.GetAsync("/sign-out"));

        // OpenID Connect Back-Channel Logout 1.0, sections 2.4 and 2.6
        var token = await _told.Reader.ReadAsync(Token);
        await VerifyAsync(token);
        Assert.Equal("logout+jwt", OpenIdBench.HeaderOf(token).GetProperty("typ").GetString());
        var claims = OpenIdBench.ClaimsOf(token);
        Assert.Equal((OpenIdBench.Issuer, "app@system"), (claims.GetProperty("iss").GetString(), claims.GetProperty("aud").GetString()));
        foreach (var name in new[] { "sub", "sid" })
            Assert.Equal(identity.GetProperty(name).GetString(), claims.GetProperty(name).GetString());
        Assert.Equal(JsonValueKind.Object, claims.GetProperty("events").GetProperty("http://schemas.openid.net/event/backchannel-logout").ValueKind);
        Assert.False(claims.TryGetProperty("nonce", out _));
        Assert.InRange(claims.GetProperty("exp").GetInt64() - claims.GetProperty("iat").GetInt64(), 1, 120);
        Assert.True(claims.GetProperty("jti").GetString()!.Length > 16);

        // A logout token is no ID token.
        using var other = _bench.Pages.Open();
        await other.SignInAsync("ada", SignIn.SignInBench.Password);
        Assert.Contains("Sign out?", (await other.GetAsync("/oauth2/logout?id_token_hint=" + token)).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Sessions_of_others_tell_nobody_and_a_client_that_is_away_is_told_later()
    {
        await _bench.AddClientAsync(client => client with { BackChannelLogoutUri = new Uri(_client.Address, "/logout").AbsoluteUri });
        using var stranger = _bench.Pages.Open();
        await stranger.SignInAsync("ada", SignIn.SignInBench.Password);
        await stranger.SubmitAsync(await stranger.GetAsync("/sign-out"));
        _failures = 1;
        using var browser = _bench.Pages.Open();
        var (_, tokens) = await _bench.RedeemAsync((await OpenIdBench.AuthorizeAsync(browser, "ada"))["code"]);
        await browser.SubmitAsync(await browser.GetAsync("/sign-out"));
        while (!_told.Reader.TryPeek(out _))
        {
            _bench.Identity.Time.Advance(TimeSpan.FromMilliseconds(500));
            await Task.Delay(10, Token);
        }

        Assert.Equal(OpenIdBench.ClaimsOf(tokens.GetProperty("id_token").GetString()!).GetProperty("sid").GetString(), OpenIdBench.ClaimsOf(await _told.Reader.ReadAsync(Token)).GetProperty("sid").GetString());
        Assert.False(_told.Reader.TryPeek(out _));
    }

    [Theory]
    [InlineData("http://app.example/logout")]
    [InlineData("https://app.example/logout#x")]
    [InlineData("/logout")]
    public async Task Addresses_for_logout_that_could_be_listened_in_on_are_refused(string address)
    {
        Assert.Equal(ErrorCode.InvalidArgument, (await Assert.ThrowsAsync<CandelaException>(() => _bench.AddClientAsync(client => client with { BackChannelLogoutUri = address }))).Code);
        Assert.Equal(ErrorCode.InvalidArgument, (await Assert.ThrowsAsync<CandelaException>(() => _bench.AddClientAsync(client => client with { IdTokenAlgorithm = "none" }))).Code);
    }

    /// <summary>By RSA with a key of the provider's key set, as another program would.</summary>
    private async Task VerifyAsync(string token)
    {
        var keys = (await _bench.GetJsonAsync("/oauth2/jwks")).GetProperty("keys").EnumerateArray().ToArray();
        Assert.Equal(["ES256", "RS256"], keys.Select(key => key.GetProperty("alg").GetString()));
        var key = keys.Single(one => one.GetProperty("kid").GetString() == OpenIdBench.HeaderOf(token).GetProperty("kid").GetString());
        using var rsa = RSA.Create(new RSAParameters { Modulus = Base64UrlText.TryDecode(key.GetProperty("n").GetString()!), Exponent = Base64UrlText.TryDecode(key.GetProperty("e").GetString()!) });
        var parts = token.Split('.');
        Assert.True(rsa.VerifyData(Encoding.ASCII.GetBytes($"{parts[0]}.{parts[1]}"), Base64UrlText.TryDecode(parts[2])!, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1));
    }
}

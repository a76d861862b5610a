using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Candela.Identity.Jose;
using Candela.Identity.OpenIdConnect;
using Candela.Identity.OpenIdConnect.Clients;
using Candela.Identity.Tests.SignIn;
using Microsoft.AspNetCore.WebUtilities;

namespace Candela.Identity.Tests.OpenIdConnect;

/// <summary>An OpenID provider with a client, and what a client does by hand.</summary>
public sealed class OpenIdBench : IAsyncDisposable
{
    public const string Issuer = "https://candela.example";
    public const string Redirect = "https://app.example/callback";
    public const string Secret = "a secret that a test knows, long enough";
    public const string Verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

    private HttpClient _http = null!;

    public SignInBench Pages { get; private set; } = null!;

    public IdentityFixture Identity => Pages.Identity;

    public static string Challenge => Base64UrlText.Encode(SHA256.HashData(Encoding.ASCII.GetBytes(Verifier)));

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static async Task<OpenIdBench> StartAsync(TrustHost? trust = null)
    {
        var bench = new OpenIdBench
        {
            Pages = await SignInBench.StartAsync(
                services => services.AddOpenIdConnect(new OpenIdOptions()),
                (endpoints, identity) => endpoints.MapOpenIdConnect(identity.Get<IServiceProvider>())),
        };
        bench._http = new HttpClient { BaseAddress = bench.Pages.Address };
        await bench.Identity.Get<OpenIdProvider>().StartAsync(trust, Token);
        return bench;
    }

    /// <summary>Registers a client that may do everything, changed.</summary>
    internal Task<OAuthClient> AddClientAsync(Func<OAuthClient, OAuthClient>? change = null)
    {
        var client = new OAuthClient
        {
            Id = "app@system",
            DomainId = Identity.SystemId,
            Authentication = ClientAuthentication.Secret,
            Grants = GrantTypes.All,
            RedirectUris = [Redirect],
            PostLogoutRedirectUris = ["https://app.example/bye"],
            Scopes = [.. Scopes.Standard, "orders"],
            Audiences = ["https://api.example/", "https://other.example/"],
            Secrets = [new ClientSecret(SHA256.HashData(Encoding.UTF8.GetBytes(Secret)), Identity.Time.GetUtcNow(), null)],
        };
        return Identity.Get<ClientStore>().CreateAsync(change?.Invoke(client) ?? client, Token);
    }

    /// <summary>An authorization request; null takes a parameter away.</summary>
    public static string AuthorizePath(params (string Name, string? Value)[] changes)
    {
        var query = new Dictionary<string, string?>
        {
            ["response_type"] = "code", ["client_id"] = "app@system", ["redirect_uri"] = Redirect, ["scope"] = "openid profile offline_access", ["state"] = "s1", ["nonce"] = "n1",
            ["code_challenge"] = Challenge, ["code_challenge_method"] = "S256",
        };
        foreach (var (name, value) in changes)
            query[name] = value;
        return QueryHelpers.AddQueryString("/oauth2/authorize", query.Where(parameter => parameter.Value is not null));
    }

    /// <summary>Signs in, agrees, and gives back the answer's parameters.</summary>
    public static async Task<Dictionary<string, string>> AuthorizeAsync(Browser browser, string name, params (string Name, string? Value)[] changes)
    {
        var page = await browser.GetAsync(AuthorizePath(changes));
        if (page.Next?.StartsWith("/sign-in", StringComparison.Ordinal) == true)
        {
            page = await browser.SubmitAsync(await browser.GetAsync(page.Next), ("name", name), ("password", SignInBench.Password));
            page = await browser.FollowAsync(page);
        }

        if (page.Action == "/oauth2/consent")
            page = await browser.SubmitAsync(page, ("decision", "allow"));
        return AnswerOf(page);
    }

    public static Dictionary<string, string> AnswerOf(Browser.Page page)
    {
        Assert.StartsWith(Redirect, page.Next, StringComparison.Ordinal);
        return QueryHelpers.ParseQuery(new Uri(page.Next!).Query).ToDictionary(parameter => parameter.Key, parameter => parameter.Value.ToString());
    }

    /// <summary>Posts a form as the client.</summary>
    public async Task<(HttpStatusCode Status, JsonElement Body)> PostAsync(string path, string? secret, params (string Name, string Value)[] fields)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new FormUrlEncodedContent(fields.Select(field => KeyValuePair.Create(field.Name, field.Value))) };
        if (secret is not null)
            request.Headers.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"app%40system:{Uri.EscapeDataString(secret)}")));
        using var response = await _http.SendAsync(request, Token);
        var text = await response.Content.ReadAsStringAsync(Token);
        Assert.Equal("no-store", response.Headers.CacheControl?.ToString());
        return (response.StatusCode, text.Length == 0 ? default : JsonDocument.Parse(text).RootElement);
    }

    public Task<(HttpStatusCode Status, JsonElement Body)> TokenAsync(params (string Name, string Value)[] fields) => PostAsync("/oauth2/token", Secret, fields);

    public Task<(HttpStatusCode Status, JsonElement Body)> RedeemAsync(string code, string verifier = Verifier, string redirect = Redirect) =>
        TokenAsync(("grant_type", "authorization_code"), ("code", code), ("redirect_uri", redirect), ("code_verifier", verifier));

    public Task<(HttpStatusCode Status, JsonElement Body)> RefreshAsync(string token) => TokenAsync(("grant_type", "refresh_token"), ("refresh_token", token));

    public async Task<bool> IsActiveAsync(string token) => (await PostAsync("/oauth2/introspect", Secret, ("token", token))).Body.GetProperty("active").GetBoolean();

    public async Task<(HttpStatusCode Status, JsonElement Body)> UserInfoAsync(string token)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/oauth2/userinfo");
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        using var response = await _http.SendAsync(request, Token);
        var text = await response.Content.ReadAsStringAsync(Token);
        return (response.StatusCode, text.Length == 0 ? default : JsonDocument.Parse(text).RootElement);
    }

    public async Task<JsonElement> GetJsonAsync(string path) => JsonDocument.Parse(await _http.GetStringAsync(path, Token)).RootElement;

    public static JsonElement ClaimsOf(string token) => JsonDocument.Parse(Base64UrlText.TryDecode(token.Split('.')[1])!).RootElement;

    public static JsonElement HeaderOf(string token) => JsonDocument.Parse(Base64UrlText.TryDecode(token.Split('.')[0])!).RootElement;

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await Identity.Get<OpenIdProvider>().DisposeAsync();
        await Pages.DisposeAsync();
    }
}

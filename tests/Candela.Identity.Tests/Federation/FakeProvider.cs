using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using Candela.Identity.Jose;
using Candela.Identity.Tests.SignIn;
using Candela.Identity.Tests.Tools;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;

namespace Candela.Identity.Tests.Federation;

/// <summary>An OpenID provider that says what a test wants it to say.</summary>
internal sealed class FakeProvider : IAsyncDisposable
{
    private readonly X509Certificate2 _certificate;
    private readonly RSA _key = RSA.Create(2048);
    private WebBench _web = null!;

    private FakeProvider(X509Certificate2 certificate, int port) => (_certificate, Issuer) = (certificate, $"https://localhost:{port}");

    public string Issuer { get; }

    public byte[] Certificate => _certificate.RawData;

    /// <summary>Claims of the next ID token, over the usual ones; null takes one away.</summary>
    public JsonObject Claims { get; set; } = [];

    /// <summary>Header of the next ID token.</summary>
    public JsonObject Header { get; set; } = new() { ["alg"] = "RS256", ["kid"] = "k1" };

    /// <summary>Signs the next ID token.</summary>
    public Func<byte[], byte[]> Sign { get; set; } = null!;

    /// <summary>Says in its metadata that all answers bear its name.</summary>
    public bool NamesItself { get; set; } = true;

    /// <summary>Where codes are to be redeemed.</summary>
    public string? TokenEndpoint { get; set; }

    /// <summary>Forms that came to the token endpoint.</summary>
    public List<Dictionary<string, string>> Redeemed { get; } = [];

    public RSA Key => _key;

    public static async Task<FakeProvider> StartAsync()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        // Of its own name: two authorities of the same name would be taken for one another.
        var port = BrowserBench.FreePort();
        var request = new CertificateRequest($"CN=provider {port}", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        request.CertificateExtensions.Add(names.Build());
        var fake = new FakeProvider(request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(30)), port);
        fake.Sign = input => fake._key.SignData(input, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        fake._web = await WebBench.StartAsync(
            _ => { },
            application =>
            {
                application.MapGet("/.well-known/openid-configuration", () => Results.Json(new Dictionary<string, object>
                {
                    ["issuer"] = fake.Issuer,
                    ["authorization_endpoint"] = fake.Issuer + "/authorize",
                    ["token_endpoint"] = fake.TokenEndpoint ?? fake.Issuer + "/token",
                    ["jwks_uri"] = fake.Issuer + "/keys",
                    ["authorization_response_iss_parameter_supported"] = fake.NamesItself,
                }));
                application.MapGet("/keys", () =>
                {
                    var q = fake._key.ExportParameters(false);
                    return Results.Text($$"""{"keys":[{"kty":"RSA","kid":"k1","use":"sig","n":"{{Base64UrlText.Encode(q.Modulus!)}}","e":"{{Base64UrlText.Encode(q.Exponent!)}}"},{"kty":"OKP","crv":"Ed25519","x":"AA"}]}""", "application/json");
                });
                application.MapPost("/token", async context =>
                {
                    var form = await context.Request.ReadFormAsync();
                    fake.Redeemed.Add(form.ToDictionary(field => field.Key, field => field.Value.ToString()));
                    await context.Response.WriteAsJsonAsync(new { access_token = "at", token_type = "Bearer", id_token = fake.Token() });
                });
            },
            listen => listen.UseHttps(fake._certificate),
            new Uri(fake.Issuer).Port);
        return fake;
    }

    /// <summary>Begins a sign-in: what the browser was sent to the provider with.</summary>
    public static async Task<Dictionary<string, string>> BeginAsync(Browser browser, string provider = "fake", string query = "")
    {
        var page = await browser.GetAsync($"/sign-in/with/{provider}{query}");
        Assert.Equal(System.Net.HttpStatusCode.SeeOther, page.Status);
        return QueryHelpers.ParseQuery(new Uri(page.Next!).Query).ToDictionary(parameter => parameter.Key, parameter => parameter.Value.ToString());
    }

    /// <summary>Sends the browser back with an answer.</summary>
    public Task<Browser.Page> EndAsync(Browser browser, Dictionary<string, string> begun, string provider = "fake", params (string Name, string? Value)[] changes)
    {
        var query = new Dictionary<string, string?> { ["code"] = "c1", ["state"] = begun["state"], ["iss"] = Issuer };
        foreach (var (name, value) in changes)
            query[name] = value;
        if (!Claims.ContainsKey("nonce"))
            Claims["nonce"] = begun["nonce"];
        return browser.GetAsync(QueryHelpers.AddQueryString($"/sign-in/from/{provider}", query.Where(parameter => parameter.Value is not null)));
    }

    /// <summary>Signs somebody in.</summary>
    public async Task<Browser.Page> SignInAsync(Browser browser, string subject, params (string Name, JsonNode? Value)[] claims)
    {
        Claims = new JsonObject { ["sub"] = subject };
        foreach (var (name, value) in claims)
            Claims[name] = value;
        return await EndAsync(browser, await BeginAsync(browser));
    }

    public async ValueTask DisposeAsync()
    {
        await _web.DisposeAsync();
        _key.Dispose();
        _certificate.Dispose();
    }

    private string Token()
    {
        var now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        var claims = new JsonObject { ["iss"] = Issuer, ["aud"] = "candela", ["sub"] = "s1", ["iat"] = now, ["exp"] = now + 300, ["auth_time"] = now };
        foreach (var (name, value) in Claims)
            claims[name] = value?.DeepClone();
        foreach (var name in claims.Where(member => member.Value is null).Select(member => member.Key).ToArray())
            claims.Remove(name);
        var input = $"{Base64UrlText.Encode(Header.ToJsonString())}.{Base64UrlText.Encode(claims.ToJsonString())}";
        return $"{input}.{Base64UrlText.Encode(Sign(Encoding.ASCII.GetBytes(input)))}";
    }
}

using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Candela.Identity.Certificates;
using Candela.Identity.Certificates.Requests;
using Candela.Identity.Jose;

namespace Candela.Identity.Tests.Acme;

/// <summary>A client that can do everything wrong.</summary>
internal sealed class AcmeClient(HttpClient http, string baseUrl) : IDisposable
{
    public ECDsa Key { get; set; } = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    public string? Account { get; set; }

    public JsonWebKey Jwk => Web(Key);

    public static JsonWebKey Web(ECDsa key) => JsonWebKey.Of(new PublicKeyInfo(CertificateKeyType.EcdsaP256, key.ExportSubjectPublicKeyInfo()));

    public string Url(string path) => path.StartsWith("https:", StringComparison.Ordinal) ? path : $"{baseUrl}/{path}";

    public async Task<string> NonceAsync()
    {
        using var request = new HttpRequestMessage(HttpMethod.Head, Url("new-nonce"));
        using var response = await http.SendAsync(request);
        return response.Headers.GetValues("Replay-Nonce").Single();
    }

    /// <summary>Signs and sends as it should be.</summary>
    public async Task<Answer> PostAsync(string path, string payload, bool withKey = false)
    {
        var key = withKey || Account is null ? $$""","jwk":{{Jwk.ThumbprintInput}}""" : $$""","kid":"{{Account}}" """;
        return await SendAsync(path, Sign($$"""{"alg":"ES256","nonce":"{{await NonceAsync()}}","url":"{{Url(path)}}"{{key}}}""", payload));
    }

    /// <summary>A message with any header.</summary>
    public string Sign(string header, string payload, Func<byte[], byte[]>? sign = null)
    {
        var (h, p) = (Base64UrlText.Encode(header), Base64UrlText.Encode(payload));
        var input = Encoding.ASCII.GetBytes($"{h}.{p}");
        return $$"""{"protected":"{{h}}","payload":"{{p}}","signature":"{{Base64UrlText.Encode(sign is null ? Key.SignData(input, HashAlgorithmName.SHA256) : sign(input))}}"}""";
    }

    public async Task<Answer> SendAsync(string path, string message, string contentType = "application/jose+json")
    {
        using var content = new StringContent(message);
        content.Headers.ContentType = MediaTypeHeaderValue.Parse(contentType);
        using var response = await http.PostAsync(Url(path), content);
        var body = await response.Content.ReadAsStringAsync();
        using var json = response.Content.Headers.ContentType?.MediaType?.EndsWith("json", StringComparison.Ordinal) == true ? JsonDocument.Parse(body) : null;
        Assert.True(response.Headers.Contains("Replay-Nonce"), "an answer without a nonce");
        return new Answer((int)response.StatusCode, response.Headers.Location?.OriginalString, json?.RootElement.Clone() ?? default, body);
    }

    public async Task<AcmeClient> RegisterAsync()
    {
        var answer = await PostAsync("new-account", """{"termsOfServiceAgreed":true}""", withKey: true);
        Assert.Equal(201, answer.Status);
        Account = answer.Location;
        return this;
    }

    public async Task<Answer> OrderAsync(params string[] names) =>
        await PostAsync("new-order", $$"""{"identifiers":[{{string.Join(',', names.Select(n => $$"""{"type":"dns","value":"{{n}}"}"""))}}]}""");

    public void Dispose()
    {
        Key.Dispose();
        http.Dispose();
    }

    public sealed record Answer(int Status, string? Location, JsonElement Json, string Body)
    {
        /// <summary>The last part of the problem's type; empty: no problem.</summary>
        public string Problem => Json.ValueKind == JsonValueKind.Object && Json.TryGetProperty("type", out var type) ? type.GetString()!.Split(':')[^1] : "";

        public string Text(string name) => Json.GetProperty(name).GetString()!;

        public string First(string name) => Json.GetProperty(name)[0].GetString()!;
    }
}

using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Web;
using Candela.Tests.Shared;

namespace Candela.Images.Tests.Registry;

/// <summary>A token server for docker-registry (distribution, token authentication): one user, who gets whatever is asked for.</summary>
internal sealed class TokenIssuer : IAsyncDisposable
{
    private readonly X509Certificate2 _certificate = TestCertificate.Create();
    private readonly FakeServer _server;

    public TokenIssuer() => _server = new FakeServer(Answer);

    public TokenIssuance Issuance => new($"http://{_server.Authority}/token", _certificate);

    /// <summary>Scopes asked for, in order of arrival.</summary>
    public IEnumerable<string[]> Scopes => _server.Requests.Select(ScopesOf);

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _certificate.Dispose();
    }

    private FakeAnswer Answer(FakeRequest request)
    {
        var basic = "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes($"{RegistryServer.Username}:{RegistryServer.Password}"));
        if (request.Authorization != basic)
            return FakeAnswer.Json("""{"details":"incorrect username or password"}""", 401);
        var now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        var header = new JsonObject { ["typ"] = "JWT", ["alg"] = "RS256", ["x5c"] = new JsonArray(Convert.ToBase64String(_certificate.RawData)) };
        var claims = new JsonObject
        {
            ["iss"] = "test",
            ["aud"] = "test",
            ["sub"] = RegistryServer.Username,
            ["nbf"] = now - 10,
            ["iat"] = now,
            ["exp"] = now + 300,
            ["jti"] = Guid.NewGuid().ToString("N"),
            ["access"] = new JsonArray([.. ScopesOf(request).Select(static scope => scope.Split(':')).Select(static parts => new JsonObject
            {
                ["type"] = parts[0],
                ["name"] = parts[1],
                ["actions"] = new JsonArray([.. parts[2].Split(',').Select(static action => JsonValue.Create(action))]),
            })]),
        };
        var signed = $"{Encode(Encoding.UTF8.GetBytes(header.ToJsonString()))}.{Encode(Encoding.UTF8.GetBytes(claims.ToJsonString()))}";
        using var key = _certificate.GetRSAPrivateKey()!;
        var signature = key.SignData(Encoding.ASCII.GetBytes(signed), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        return FakeAnswer.Json(JsonSerializer.Serialize(new Dictionary<string, string> { ["token"] = $"{signed}.{Encode(signature)}" }));
    }

    private static string[] ScopesOf(FakeRequest request) =>
        HttpUtility.ParseQueryString(request.Target[(request.Target.IndexOf('?', StringComparison.Ordinal) + 1)..]).GetValues("scope") ?? [];

    private static string Encode(byte[] content) => Convert.ToBase64String(content).TrimEnd('=').Replace('+', '-').Replace('/', '_');
}

using System.Globalization;

namespace Candela.Acceptance;

/// <summary>An instance with an HTTPS front door on a free port of the loopback.</summary>
public sealed class AccessPlatform : Platform
{
    private readonly int _port;

    public AccessPlatform()
        : this(FreePort.Next())
    {
    }

    private AccessPlatform(int port)
        : base("--scratch-size", "1", "--waiting", "2", "--https", At(port), "--public-url", Url(port)) => _port = port;

    /// <summary>Address of the REST API.</summary>
    public string Api => Url(_port) + "/v1";

    /// <summary>Status and body of a request by curl, which trusts nothing but the platform's root.</summary>
    public async Task<(int Status, string Body)> CurlAsync(string path, params string[] options)
    {
        using var curl = new RunningCommand(
            "curl", ["-sS", "--cacert", RunFolder + "/roots.pem", "-w", "\n%{http_code}", .. options, Api + path], new Dictionary<string, string>());
        var text = (await curl.FinishAsync()).Text;
        var cut = text.LastIndexOf('\n');
        return (int.Parse(text[(cut + 1)..], CultureInfo.InvariantCulture), text[..cut]);
    }

    private static string At(int port) => string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{port}");

    private static string Url(int port) => string.Create(CultureInfo.InvariantCulture, $"https://localhost:{port}");
}

using System.Globalization;
using System.Security.Cryptography.X509Certificates;
using Candela.Identity.Tests.SignIn;

namespace Candela.Acceptance;

/// <summary>An instance with an HTTPS front door, a Docker endpoint by TLS and LDAP on free ports of the loopback.</summary>
public sealed class AccessPlatform : Platform
{
    private readonly int _port;
    private readonly int _dockerPort;
    private readonly int _ldapPort;

    public AccessPlatform()
        : this(FreePort.Next(), FreePort.Next(), FreePort.Next())
    {
    }

    private AccessPlatform(int port, int dockerPort, int ldapPort)
        : base("--scratch-size", "1", "--waiting", "2", "--https", At(port), "--public-url", Url(port), "--docker-tls", At(dockerPort), "--ldap", At(ldapPort)) =>
        (_port, _dockerPort, _ldapPort) = (port, dockerPort, ldapPort);

    /// <summary>The front door.</summary>
    public string PublicUrl => Url(_port);

    /// <summary>The Docker endpoint by TLS, for DOCKER_HOST.</summary>
    public string DockerUrl => string.Create(CultureInfo.InvariantCulture, $"tcp://localhost:{_dockerPort}");

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

    /// <summary>LDAP.</summary>
    public string LdapUrl => string.Create(CultureInfo.InvariantCulture, $"ldap://127.0.0.1:{_ldapPort}");

    /// <summary>A browser at the front door.</summary>
    public Browser Browser()
    {
        var roots = new X509Certificate2Collection();
        roots.ImportFromPemFile(RunFolder + "/roots.pem");
        return new Browser(new Uri(PublicUrl), roots: roots);
    }

    /// <summary>Makes a user, who then chooses a password.</summary>
    public async Task AddUserAsync(string name, string password)
    {
        const string First = "the administrator's choice";
        using var create = StartCandela("user", "create", name, "--password");
        await create.Input.WriteAsync(System.Text.Encoding.UTF8.GetBytes(First + "\n"));
        _ = (await create.FinishAsync()).Text;
        using var choose = StartCandela("self", "passwd", name);
        await choose.Input.WriteAsync(System.Text.Encoding.UTF8.GetBytes($"{First}\n{password}\n"));
        _ = (await choose.FinishAsync()).Text;
    }

    private static string At(int port) => string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{port}");

    private static string Url(int port) => string.Create(CultureInfo.InvariantCulture, $"https://localhost:{port}");
}

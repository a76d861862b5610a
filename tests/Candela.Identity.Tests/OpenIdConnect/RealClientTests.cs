using System.Diagnostics;
using System.Net;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using Candela.Identity.Accounts;
using Candela.Identity.Acme.Challenges;
using Candela.Identity.Certificates;
using Candela.Identity.Certificates.Names;
using Candela.Identity.Certificates.Profiles;
using Candela.Identity.Jose;
using Candela.Identity.OpenIdConnect;
using Candela.Identity.OpenIdConnect.Clients;
using Candela.Identity.Secrets;
using Candela.Identity.SignIn;
using Candela.Identity.Tests.Tools;
using Candela.Tests.Shared;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;

namespace Candela.Identity.Tests.OpenIdConnect;

/// <summary>Clients of other makes: npm's openid-client with a real browser, by HTTPS with a certificate of the platform's own authority.</summary>
public sealed class RealClientTests : IAsyncLifetime
{
    private const string Password = "correct horse battery staple";
    private const string Secret = "a secret with a + and a % and a : in it";
    private const string Chromium = "/usr/bin/chromium";

    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(5);

    private readonly TemporaryFolder _folder = new();
    private IdentityFixture _identity = null!;
    private TrustHost _trust = null!;
    private WebBench _web = null!;
    private SslStreamCertificateContext _certificate = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        var port = FreePort();
        _identity = await IdentityFixture.StartAsync(more: services => services
            .AddSingleton(TimeProvider.System) // the client has a clock of its own
            .AddSignIn(new SignInOptions { PublicUrl = new Uri($"https://localhost:{port}") })
            .AddOpenIdConnect(new OpenIdOptions()));
        _trust = await TrustHost.OpenAsync(
            _identity.Store, _identity.Get<ISecretBox>(), _identity.Directory, new SystemAcmeResolver(), new TrustOptions(), TimeProvider.System, NullLoggerFactory.Instance, Token);
        var (issued, pkcs8) = await _trust.Authority.IssueWithKeyAsync(
            new CertificateOrder { Profile = CertificateProfile.Server, Owner = "test", Names = new CertificateNames { Dns = ["localhost"] } }, Token);
        using var key = ECDsa.Create();
        key.ImportPkcs8PrivateKey(pkcs8, out _);
        using var bare = issued.ToCertificate();
        _certificate = SslStreamCertificateContext.Create(bare.CopyWithPrivateKey(key), [.. issued.Chain.Select(der => X509CertificateLoader.LoadCertificate(der.Span))], offline: true);
        await _identity.Get<OpenIdProvider>().StartAsync(_trust, Token);
        _web = await WebBench.StartAsync(
            _ => { },
            application =>
            {
                application.MapSignIn(_identity.Get<IServiceProvider>());
                application.MapOpenIdConnect(_identity.Get<IServiceProvider>());
            },
            listen =>
            {
                listen.Protocols = HttpProtocols.Http1AndHttp2;
                listen.UseHttps(new TlsHandshakeCallbackOptions
                {
                    OnConnection = _ => ValueTask.FromResult(new SslServerAuthenticationOptions
                    {
                        ServerCertificateContext = _certificate,
                        ApplicationProtocols = [SslApplicationProtocol.Http2, SslApplicationProtocol.Http11],
                        ClientCertificateRequired = true,
                        RemoteCertificateValidationCallback = Any,
                    }),
                });
            },
            port);
    }

    public async ValueTask DisposeAsync()
    {
        await _web.DisposeAsync();
        await _identity.Get<OpenIdProvider>().DisposeAsync();
        await _trust.DisposeAsync();
        await _identity.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task Openid_client_signs_in_through_a_real_browser()
    {
        var script = Path.Combine(NpmFolder(), "openid-client.mjs");
        Assert.True(File.Exists(Chromium) && Directory.Exists(Path.Combine(NpmFolder(), "node_modules")), "chromium or tests/Npm/node_modules is missing: run eng/setup test");
        var ada = await _identity.Credentials.CreateAsync(new User { DomainId = _identity.SystemId, Name = "ada", Mail = "ada@example.org" }, Password, mustChange: false, Token);
        await _identity.Directory.AddMemberAsync((await _identity.AddGroupAsync("crew")).Id, ada.Id, Token);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var point = key.ExportParameters(false).Q;
        var app = new OAuthClient
        {
            Id = "app@system",
            DomainId = _identity.SystemId,
            DisplayName = "The <b>app</b>",
            Authentication = ClientAuthentication.Secret,
            Grants = GrantTypes.All,
            RedirectUris = ["http://127.0.0.1/callback"],
            PostLogoutRedirectUris = ["http://127.0.0.1/bye"],
            Scopes = Scopes.Standard,
            Audiences = ["https://api.example/"],
            Secrets = [new ClientSecret(SHA256.HashData(Encoding.UTF8.GetBytes(Secret)), DateTimeOffset.UtcNow, null)],
        };
        await _identity.Get<ClientStore>().CreateAsync(app, Token);
        await _identity.Get<ClientStore>().CreateAsync(
            app with
            {
                Id = "signer@system",
                Authentication = ClientAuthentication.PrivateKeyJwt,
                Secrets = [],
                Jwks = $$"""{"keys":[{"kty":"EC","crv":"P-256","x":"{{Base64UrlText.Encode(point.X!)}}","y":"{{Base64UrlText.Encode(point.Y!)}}"}]}""",
            },
            Token);
        var provider = JsonSerializer.Serialize(new
        {
            issuer = _identity.Get<SignInOptions>().Origin,
            clientId = "app@system",
            secret = Secret,
            signerId = "signer@system",
            key = Convert.ToBase64String(key.ExportPkcs8PrivateKey()),
            user = "ada",
            password = Password,
            mail = "ada@example.org",
            audience = "https://api.example/",
            chromium = Chromium,
            keyDigest = Convert.ToBase64String(SHA256.HashData(_certificate.TargetCertificate.PublicKey.ExportSubjectPublicKeyInfo())),
        });
        var roots = _folder.File("roots.pem");
        await File.WriteAllTextAsync(roots, string.Concat(_trust.Authority.Roots.Select(root => PemEncoding.WriteString("CERTIFICATE", root.Span) + "\n")), Token);
        var (exitCode, output) = await RunAsync("node", [script], ("PROVIDER", provider), ("NODE_EXTRA_CA_CERTS", roots), ("HOME", _folder.Path));
        Assert.True(exitCode == 0, output);
        Assert.Equal(
            ["code", "single sign-on", "refresh", "device", "client credentials secret_basic", "client credentials secret_post", "client credentials private_key_jwt", "logout"],
            output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(line => !line.StartsWith('(')));
    }

    [Fact]
    public async Task A_client_proves_itself_in_the_tls_handshake()
    {
        await _identity.Get<ClientStore>().CreateAsync(
            new OAuthClient
            {
                Id = "tls@system", DomainId = _identity.SystemId, Authentication = ClientAuthentication.Tls, TlsSubject = "service-account:42", Grants = [GrantTypes.ClientCredentials], BoundTokens = true,
            },
            Token);
        var (issued, pkcs8) = await _trust.Authority.IssueWithKeyAsync(new CertificateOrder { Profile = CertificateProfile.Client, Owner = "service-account:42", CommonName = "ci" }, Token);
        using var key = ECDsa.Create();
        key.ImportPkcs8PrivateKey(pkcs8, out _);
        using var bare = issued.ToCertificate();
        using var certificate = bare.CopyWithPrivateKey(key);
        var root = X509CertificateLoader.LoadCertificate(_trust.Authority.Roots[0].Span);
        foreach (var (shown, status) in new[] { ((X509Certificate2?)certificate, HttpStatusCode.OK), (null, HttpStatusCode.Unauthorized) })
        {
            using var handler = new SocketsHttpHandler();
            handler.SslOptions.CertificateChainPolicy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, CustomTrustStore = { root }, RevocationMode = X509RevocationMode.NoCheck };
            handler.SslOptions.ClientCertificates = shown is null ? [] : [shown];
            handler.SslOptions.EnabledSslProtocols = SslProtocols.Tls13;
            using var http = new HttpClient(handler) { BaseAddress = new Uri(_identity.Get<SignInOptions>().Origin), DefaultRequestVersion = HttpVersion.Version20 };
            using var response = await http.PostAsync(
                "/oauth2/token", new FormUrlEncodedContent([KeyValuePair.Create("grant_type", "client_credentials"), KeyValuePair.Create("client_id", "tls@system")]), Token);
            Assert.Equal(status, response.StatusCode);
        }
    }

    private static async Task<(int ExitCode, string Output)> RunAsync(string program, string[] arguments, params (string Name, string Value)[] environment)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        using var process = Process.Start(start)!;
        using var ending = new CancellationTokenSource(Deadline);
        try
        {
            var (output, errors) = (process.StandardOutput.ReadToEndAsync(ending.Token), process.StandardError.ReadToEndAsync(ending.Token));
            await process.WaitForExitAsync(ending.Token);
            return (process.ExitCode, await output + (process.ExitCode == 0 ? "" : await errors));
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"{program} did not end within {Deadline}");
        }
    }

    private static string NpmFolder()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "Candela.slnx")))
            folder = Path.GetDirectoryName(folder) ?? throw new InvalidOperationException("The tests must be run within the source tree.");
        return Path.Combine(folder, "tests", "Npm");
    }

    private static int FreePort()
    {
        using var listener = new System.Net.Sockets.TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private static bool Any(object sender, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors) => certificate is null || certificate.GetRawCertData().Length > 0;
}

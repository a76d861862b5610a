using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Json;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Candela.Identity.Administration;
using Candela.Identity.Auditing;
using Candela.Identity.Certificates.Names;
using Candela.Identity.Certificates.Profiles;
using Candela.Identity.Tests.Tools;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;

namespace Candela.Identity.Tests.Machines;

/// <summary>Joining over TLS, renewal by mutual TLS, on a listener as the daemon will have it.</summary>
public sealed class TrustEndpointTests : IAsyncLifetime, IAuditSink
{
    private readonly ConcurrentQueue<AuditRecord> _records = [];
    private MachineBench _bench = null!;
    private WebBench _web = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    void IAuditSink.Record(AuditRecord record) => _records.Enqueue(record);

    public async ValueTask InitializeAsync()
    {
        _bench = await MachineBench.StartAsync();
        var (issued, pkcs8) = await _bench.Host.Authority.IssueWithKeyAsync(
            new() { Profile = CertificateProfile.Server, Owner = "test", Names = new CertificateNames { Dns = ["localhost"] } }, Token);
        var server = WithKey(issued.Der, pkcs8);
        var context = SslStreamCertificateContext.Create(server, [.. issued.Chain.Select(c => X509CertificateLoader.LoadCertificate(c.Span))], offline: true);
        _web = await WebBench.StartAsync(
            services => services.AddSingleton<TimeProvider>(_bench.Clock).AddSingleton<IAuditSink>(this).AddTrust(_bench.Host),
            application =>
            {
                application.MapTrust(_bench.Host);
                application.MapPublicTrust();
            },
            listen => listen.UseHttps(new TlsHandshakeCallbackOptions
            {
                OnConnection = _ => ValueTask.FromResult(new SslServerAuthenticationOptions
                {
                    ServerCertificateContext = context,
                    ClientCertificateRequired = true,
                    RemoteCertificateValidationCallback = Any,
                }),
            }));
    }

    public async ValueTask DisposeAsync()
    {
        await _web.DisposeAsync();
        await _bench.DisposeAsync();
    }

    [Fact]
    public async Task A_machine_joins_and_renews_by_mutual_tls()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var anyone = Client(null);
        var joined = await PostAsync(anyone, "machines/join", new { token = await _bench.TokenAsync(), name = "host1", request = Pem(key) });
        Assert.Equal(200, joined.Status);
        Assert.Contains("BEGIN CERTIFICATE", joined.Json.GetProperty("roots").GetString(), StringComparison.Ordinal);
        using var certificate = X509Certificate2.CreateFromPem(joined.Json.GetProperty("certificate").GetString(), key.ExportPkcs8PrivateKeyPem());

        using var machine = Client(certificate);
        using var fresh = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var renewed = await PostAsync(machine, "machines/renew", new { request = Pem(fresh) });
        Assert.Equal(200, renewed.Status);
        using var next = X509Certificate2.CreateFromPem(renewed.Json.GetProperty("certificate").GetString());
        Assert.Equal("host1", (await _bench.Host.Machines.VerifyAsync(next.RawData, Token)).Name);
        Assert.Equal(["machine.join", "machine.renew"], _records.Select(r => r.Action));

        // Who has no certificate, somebody else's, or one of another profile.
        Assert.Equal(401, (await PostAsync(anyone, "machines/renew", new { request = Pem(fresh) })).Status);
        using var selfSigned = new CertificateRequest("CN=host1", fresh, HashAlgorithmName.SHA256).CreateSelfSigned(DateTimeOffset.UnixEpoch, DateTimeOffset.UtcNow.AddYears(20));
        using var stranger = Client(selfSigned);
        Assert.Equal(401, (await PostAsync(stranger, "machines/renew", new { request = Pem(fresh) })).Status);
        var (other, pkcs8) = await _bench.Host.Authority.IssueWithKeyAsync(new() { Profile = CertificateProfile.Client, Owner = "user:eve", CommonName = "host1" }, Token);
        using var user = Client(WithKey(other.Der, pkcs8));
        Assert.Equal(401, (await PostAsync(user, "machines/renew", new { request = Pem(fresh) })).Status);
        await _bench.Host.Machines.RemoveAsync("host1", Token);
        Assert.Equal(401, (await PostAsync(machine, "machines/renew", new { request = Pem(fresh) })).Status);
        Assert.Equal(4, _records.Count(r => r.Failure is not null && r.Action == "machine.renew"));
    }

    [Fact]
    public async Task What_is_no_request_is_refused_and_audited()
    {
        using var client = Client(null);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        Assert.Equal(400, (await PostAsync(client, "machines/join", new { })).Status);
        Assert.Equal(400, (await PostAsync(client, "machines/join", new { token = "x", name = "y", request = "z" })).Status);
        Assert.Equal(401, (await PostAsync(client, "machines/join", new { token = "x", name = "y", request = Pem(key) })).Status);
        Assert.Equal(400, (await PostAsync(client, "machines/join", new { token = new string('x', 100_000), name = "y", request = "z" })).Status);
        Assert.Equal(4, _records.Count(r => r.Failure is not null));
        Assert.All(_records, r => Assert.DoesNotContain("candela1.", r.Target, StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_other_endpoints_are_there()
    {
        using var client = Client(null);
        foreach (var path in new[] { "acme/directory", "spiffe/bundle", $"crl/{_bench.Host.Authority.InUse.Workload}.crl", "certificates/roots.pem" })
        {
            using var answer = await client.GetAsync(path, Token);
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        }
    }

    [Fact]
    public void A_flood_of_refusals_leaves_room_in_the_audit()
    {
        var audit = new ProtocolAudit(this, _bench.Clock);
        for (var i = 0; i < 10_000; i++)
            audit.Refused(Actor.Unproven("eve", "192.0.2.9"), "x", "target", new InvalidOperationException());
        Assert.Equal(ProtocolAudit.BurstCount, _records.Count);
        _bench.Clock.Advance(TimeSpan.FromSeconds(1));
        audit.Refused(Actor.Unproven("eve", "192.0.2.9"), "x", "target", new InvalidOperationException());
        Assert.Contains("9900 refusals", _records.Last().Target, StringComparison.Ordinal);
    }

    private HttpClient Client(X509Certificate2? certificate)
    {
        var handler = new SocketsHttpHandler();
        // The clock of the test is not the computer's: what the server shows is not looked at here.
        handler.SslOptions.RemoteCertificateValidationCallback = Any;
        if (certificate is not null)
            handler.SslOptions.ClientCertificateContext = SslStreamCertificateContext.Create(certificate, null, offline: true);
        return new HttpClient(handler) { BaseAddress = new Uri($"https://localhost:{_web.Address.Port}/") };
    }

    private static async Task<(int Status, JsonElement Json)> PostAsync(HttpClient client, string path, object body)
    {
        using var answer = await client.PostAsJsonAsync(path, body, Token);
        return ((int)answer.StatusCode, await answer.Content.ReadFromJsonAsync<JsonElement>(Token));
    }

    /// <summary>Any certificate, or none.</summary>
    private static bool Any(object sender, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors) => certificate is null || certificate.GetRawCertData().Length > 0;

    private static string Pem(ECDsa key) => PemEncoding.WriteString("CERTIFICATE REQUEST", MachineBench.Request(key));

    private static X509Certificate2 WithKey(ReadOnlyMemory<byte> der, byte[] pkcs8)
    {
        using var key = ECDsa.Create();
        key.ImportPkcs8PrivateKey(pkcs8, out _);
        using var leaf = X509CertificateLoader.LoadCertificate(der.Span);
        return leaf.CopyWithPrivateKey(key);
    }
}

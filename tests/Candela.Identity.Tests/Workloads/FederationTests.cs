using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using Candela.Identity.Certificates;
using Candela.Identity.Secrets;
using Candela.Identity.Tests.Tools;
using Candela.Identity.Workloads;
using Candela.Identity.Workloads.Bundles;
using Candela.Identity.Workloads.Http;
using Candela.Model;
using Candela.State.Sqlite;
using Candela.Tests.Shared;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;

namespace Candela.Identity.Tests.Workloads;

/// <summary>Two installations that trust each other.</summary>
public sealed class FederationTests : IAsyncLifetime
{
    private readonly Installation _ours = new("ours.example");
    private readonly Installation _theirs = new("theirs.example");

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        await _ours.StartAsync();
        await _theirs.StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _ours.DisposeAsync();
        await _theirs.DisposeAsync();
    }

    [Fact]
    public async Task The_bundle_endpoint_gives_out_a_bundle_that_parses()
    {
        var json = Encoding.UTF8.GetString(_theirs.Domain.Bundle.ToJson());
        using var document = JsonDocument.Parse(json);
        var x509 = document.RootElement.GetProperty("keys").EnumerateArray().Single(k => k.GetProperty("use").GetString() == "x509-svid");
        Assert.False(x509.TryGetProperty("kid", out _));
        Assert.Equal(_theirs.Authority.Roots.Single().ToArray(), x509.GetProperty("x5c")[0].GetBytesFromBase64());
        Assert.True(document.RootElement.GetProperty("spiffe_sequence").GetInt64() > 0);
        Assert.Equal(300, document.RootElement.GetProperty("spiffe_refresh_hint").GetInt64());
        var parsed = TrustBundle.Parse("theirs.example", Encoding.UTF8.GetBytes(json));
        Assert.Equal(json, Encoding.UTF8.GetString(parsed.ToJson()));
        await Task.CompletedTask;
    }

    [Fact]
    public async Task A_token_of_a_federated_domain_is_good_until_that_ends()
    {
        await _theirs.Workloads.BeginAsync(Spec("c1"), Token);
        var token = _theirs.Domain.IssueJwt("c1", ["db"]).Token;
        await Assert.ThrowsAsync<CandelaException>(() => _ours.Domain.ValidateJwtAsync(token, "db", Token));
        await _ours.Domain.FederateAsync("theirs.example", null, null, Encoding.UTF8.GetString(_theirs.Domain.Bundle.ToJson()), Token);
        Assert.Equal("spiffe://theirs.example/acme/shop/web", (await _ours.Domain.ValidateJwtAsync(token, "db", Token)).Id.ToString());
        await _ours.Domain.UnfederateAsync("theirs.example", Token);
        await Assert.ThrowsAsync<CandelaException>(() => _ours.Domain.ValidateJwtAsync(token, "db", Token));
    }

    [Fact]
    public async Task A_federated_domain_cannot_speak_for_another()
    {
        // Theirs signs a token with a subject of ours.
        await _ours.Domain.FederateAsync("theirs.example", null, null, Encoding.UTF8.GetString(_theirs.Domain.Bundle.ToJson()), Token);
        await _ours.Workloads.BeginAsync(Spec("c1"), Token);
        var (id, key) = _theirs.Domain.SigningKey();
        var input = $"{Jose.Base64UrlText.Encode($$"""{"alg":"ES256","kid":"{{id}}"}""")}.{Jose.Base64UrlText.Encode($$"""{"sub":"spiffe://ours.example/acme/shop/web","aud":"db","exp":{{TimeProvider.System.GetUtcNow().ToUnixTimeSeconds() + 60}},"candela_container":"c1"}""")}";
        var forged = $"{input}.{Jose.Base64UrlText.Encode(key.Sign(Encoding.ASCII.GetBytes(input)))}";
        var refused = await Assert.ThrowsAsync<CandelaException>(() => _ours.Domain.ValidateJwtAsync(forged, "db", Token));
        Assert.Contains("not signed by a key of ours.example", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_bundle_is_fetched_from_an_endpoint_that_shows_its_identity()
    {
        var svid = await _theirs.Workloads.BeginAsync(Spec("c1", "bundles"), Token);
        await using var web = await ServeAsync(_theirs, svid);
        var url = new Uri(web.Address, "spiffe/bundle");
        var first = Encoding.UTF8.GetString(_theirs.Domain.Bundle.ToJson());
        await _ours.Domain.FederateAsync("theirs.example", url, svid.Id.ToString(), first, Token);
        Assert.Equal(_theirs.Domain.Bundle.Sequence, _ours.Domain.Federated.Single().Sequence);

        await _theirs.Authority.CreateRootAsync(Token);
        await _ours.Domain.FederateAsync("theirs.example", url, svid.Id.ToString(), first, Token);
        Assert.Equal(2, _ours.Domain.Federated.Single().X509Authorities.Count);

        // Another workload of theirs is not the endpoint; and web authentication does not know this certificate at all.
        var other = SpiffeId.OfContainer("theirs.example", "acme", "shop", "other");
        Assert.Equal(ErrorCode.Unavailable, (await Assert.ThrowsAsync<CandelaException>(() => _ours.Domain.FederateAsync("theirs.example", url, other.ToString(), first, Token))).Code);
        Assert.Equal(ErrorCode.Unavailable, (await Assert.ThrowsAsync<CandelaException>(() => _ours.Domain.FederateAsync("theirs.example", url, null, null, Token))).Code);
    }

    [Fact]
    public async Task An_endpoint_with_a_certificate_of_somebody_elses_is_refused()
    {
        // The endpoint shows an identity of the right name, by another authority.
        await using var impostor = new Installation("theirs.example");
        await impostor.StartAsync();
        var svid = await impostor.Workloads.BeginAsync(Spec("c1", "bundles"), Token);
        await using var web = await ServeAsync(impostor, svid);
        var refused = await Assert.ThrowsAsync<CandelaException>(() => _ours.Domain.FederateAsync(
            "theirs.example", new Uri(web.Address, "spiffe/bundle"), svid.Id.ToString(), Encoding.UTF8.GetString(_theirs.Domain.Bundle.ToJson()), Token));
        Assert.Equal(ErrorCode.Unavailable, refused.Code);
        Assert.Equal(_theirs.Authority.Roots.Single().ToArray(), _ours.Domain.Federated.Single().X509Authorities.Single().ToArray());
    }

    [Fact]
    public async Task What_is_no_federation_is_refused()
    {
        var bundle = Encoding.UTF8.GetString(_theirs.Domain.Bundle.ToJson());
        await Refused(() => _ours.Domain.FederateAsync("ours.example", null, null, bundle, Token));
        await Refused(() => _ours.Domain.FederateAsync("Theirs.example", null, null, bundle, Token));
        await Refused(() => _ours.Domain.FederateAsync("theirs.example/x", null, null, bundle, Token));
        await Refused(() => _ours.Domain.FederateAsync("theirs.example", new Uri("http://theirs.example/bundle"), null, null, Token));
        await Refused(() => _ours.Domain.FederateAsync("theirs.example", null, null, "{}", Token));
        await Refused(() => _ours.Domain.FederateAsync("theirs.example", null, null, """{"keys":[]}""", Token));
        await Refused(() => _ours.Domain.FederateAsync("theirs.example", null, null, """{"keys":[{"kty":"oct","k":"AAAA","use":"jwt-svid","kid":"a"}]}""", Token));
        await Refused(() => _ours.Domain.FederateAsync("theirs.example", null, null, """{"keys":[{"kty":"EC","use":"x509-svid","x5c":["AAAA"]}]}""", Token));
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var leaf = new CertificateRequest("CN=x", key, HashAlgorithmName.SHA256).CreateSelfSigned(DateTimeOffset.UtcNow, DateTimeOffset.UtcNow.AddDays(1));
        await Refused(() => _ours.Domain.FederateAsync("theirs.example", null, null, $$"""{"keys":[{"kty":"EC","use":"x509-svid","x5c":["{{Convert.ToBase64String(leaf.RawData)}}"]}]}""", Token));

        static async Task Refused(Func<Task> call) => Assert.Equal(ErrorCode.InvalidArgument, (await Assert.ThrowsAsync<CandelaException>(call)).Code);
    }

    [Fact]
    public void Mangled_bundles_are_refused_without_harm()
    {
        byte[][] seeds = [_theirs.Domain.Bundle.ToJson()];
        var mutator = new Mutator(4);
        for (var i = 0; i < Mutator.Count / 4; i++)
        {
            try
            {
                TrustBundle.Parse("theirs.example", mutator.Next(seeds));
            }
            catch (CandelaException e)
            {
                Assert.Equal(ErrorCode.InvalidArgument, e.Code);
            }
        }
    }

    private static WorkloadSpec Spec(string container, string name = "web") => new() { Container = container, Tenant = "acme", Project = "shop", Name = name, DnsNames = ["localhost"] };

    private static Task<WebBench> ServeAsync(Installation installation, X509Svid svid)
    {
        using var key = ECDsa.Create();
        key.ImportPkcs8PrivateKey(svid.PrivateKey.Span, out _);
        using var leaf = X509CertificateLoader.LoadCertificate(svid.Chain[0].Span);
        var certificate = leaf.CopyWithPrivateKey(key);
        var context = SslStreamCertificateContext.Create(certificate, [.. svid.Chain.Skip(1).Select(c => X509CertificateLoader.LoadCertificate(c.Span))], offline: true);
        return WebBench.StartAsync(
            services => services.AddSingleton(installation.Domain),
            application => application.MapTrustBundle(),
            listen => listen.UseHttps(new TlsHandshakeCallbackOptions { OnConnection = _ => ValueTask.FromResult(new SslServerAuthenticationOptions { ServerCertificateContext = context }) }));
    }

    private sealed class Installation(string trustDomain) : IAsyncDisposable
    {
        private readonly TemporaryFolder _folder = new();
        private SqliteStateStore _store = null!;
        private SecretBox _secrets = null!;

        public CertificateAuthority Authority { get; private set; } = null!;

        public WorkloadIdentities Workloads { get; private set; } = null!;

        public TrustDomain Domain { get; private set; } = null!;

        public async Task StartAsync()
        {
            _store = SqliteStateStore.Open(_folder.File("state.db"), TimeProvider.System);
            _secrets = SecretBox.Open(_folder.File("secrets.key"));
            var options = new CertificateAuthorityOptions { TrustDomain = trustDomain };
            Authority = await CertificateAuthority.OpenAsync(_store, _secrets, options, TimeProvider.System, NullLogger<CertificateAuthority>.Instance, Token);
            Workloads = new WorkloadIdentities(_store, Authority, new WorkloadOptions(), TimeProvider.System, NullLogger<WorkloadIdentities>.Instance);
            Domain = await TrustDomain.OpenAsync(_store, _secrets, Authority, Workloads, new WorkloadOptions(), TimeProvider.System, NullLogger<TrustDomain>.Instance, Token);
        }

        public async ValueTask DisposeAsync()
        {
            await Domain.DisposeAsync();
            await Workloads.DisposeAsync();
            await Authority.DisposeAsync();
            _secrets.Dispose();
            await _store.DisposeAsync();
            _folder.Dispose();
        }
    }
}

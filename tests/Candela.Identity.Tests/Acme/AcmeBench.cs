using System.Net;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Candela.Identity.Acme;
using Candela.Identity.Acme.Challenges;
using Candela.Identity.Acme.Http;
using Candela.Identity.Certificates.Names;
using Candela.Identity.Certificates.Profiles;
using Candela.Identity.Auditing;
using Candela.Identity.Tests.Tools;
using Candela.Identity.Tests.Workloads;
using Candela.Identity.Workloads;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;

namespace Candela.Identity.Tests.Acme;

/// <summary>An ACME server over https. Every name leads to this computer, where the test's challenge port is.</summary>
public abstract class AcmeBench : WorkloadBench
{
    private WebBench _web = null!;

    protected TrustDomain Domain { get; private set; } = null!;

    internal AcmeServer Server { get; private set; } = null!;

    protected TestResolver Resolver { get; } = new();

    protected virtual IReadOnlyList<string> OpenDomains { get; } = ["open.example"];

    /// <summary>Port at which challenges are answered.</summary>
    protected int HttpPort { get; private set; }

    /// <summary>Such as <c>https://localhost:4711/acme</c>.</summary>
    protected string BaseUrl => Server.Options.BaseUrl.AbsoluteUri;

    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        Domain = await TrustDomain.OpenAsync(Store, Secrets, Authority, Workloads, WorkloadOptions, Time, NullLogger<TrustDomain>.Instance, Token);
        HttpPort = FreePort();
        var port = FreePort();
        var options = new AcmeOptions { BaseUrl = new Uri($"https://localhost:{port}/acme"), OpenDomains = OpenDomains, HttpPort = HttpPort };
        Server = await AcmeServer.OpenAsync(Store, Secrets, Authority, Domain, Resolver, options, Time, NullLogger<AcmeServer>.Instance, Token);
        _web = await WebBench.StartAsync(services => services.AddSingleton(Server).AddSingleton(new ProtocolAudit(Audit, Time)), application => application.MapGroup("/acme").MapAcme(), await TlsAsync(), port);
        await WriteRootAsync();
    }

    public override async ValueTask DisposeAsync()
    {
        await _web.DisposeAsync();
        await Server.DisposeAsync();
        await Domain.DisposeAsync();
        await base.DisposeAsync();
    }

    /// <summary>A client that trusts the root of this test.</summary>
    protected HttpClient Client()
    {
        var root = X509CertificateLoader.LoadCertificate(Authority.Roots.Single().Span);
        var handler = new SocketsHttpHandler();
        handler.SslOptions.CertificateChainPolicy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck, DisableCertificateDownloads = true };
        handler.SslOptions.CertificateChainPolicy.CustomTrustStore.Add(root);
        return new HttpClient(handler);
    }

    private static int FreePort()
    {
        using var listener = new System.Net.Sockets.TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private async Task<Action<Microsoft.AspNetCore.Server.Kestrel.Core.ListenOptions>> TlsAsync()
    {
        var (issued, pkcs8) = await Authority.IssueWithKeyAsync(
            new() { Profile = CertificateProfile.Server, Owner = "test", Names = new CertificateNames { Dns = ["localhost"] } }, Token);
        using var key = ECDsa.Create();
        key.ImportPkcs8PrivateKey(pkcs8, out _);
        using var leaf = issued.ToCertificate();
        var context = SslStreamCertificateContext.Create(leaf.CopyWithPrivateKey(key), [.. issued.Chain.Select(c => X509CertificateLoader.LoadCertificate(c.Span))], offline: true);
        return listen => listen.UseHttps(new TlsHandshakeCallbackOptions { OnConnection = _ => ValueTask.FromResult(new SslServerAuthenticationOptions { ServerCertificateContext = context }) });
    }

    /// <summary>Every name leads to this computer, but for those without address.</summary>
    protected sealed class TestResolver : IAcmeResolver
    {
        public HashSet<string> Without { get; } = [];

        public Task<IReadOnlyList<IPAddress>> ResolveAsync(string name, CancellationToken cancellationToken) =>
            Task.FromResult<IReadOnlyList<IPAddress>>(Without.Contains(name) ? [] : [IPAddress.Loopback]);
    }
}

using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Candela.Identity.Accounts;
using Candela.Identity.SignIn;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Candela.Identity.Tests.Tools;

/// <summary>Identity's pages by HTTPS at localhost, by the real clock, for a real browser that trusts the one key.</summary>
public sealed class BrowserBench : IAsyncDisposable
{
    public const string Password = "correct horse battery staple";

    private readonly X509Certificate2 _certificate;
    private WebBench? _web;

    private BrowserBench(IdentityFixture identity, X509Certificate2 certificate, Uri address) => (Identity, _certificate, Address) = (identity, certificate, address);

    public IdentityFixture Identity { get; }

    public Uri Address { get; }

    /// <summary>Without the slash.</summary>
    public string Origin => Address.GetLeftPart(UriPartial.Authority);

    /// <summary>SHA-256 of the server's public key, as chromium wants it.</summary>
    public string Spki => Convert.ToBase64String(SHA256.HashData(_certificate.PublicKey.ExportSubjectPublicKeyInfo()));

    /// <summary>The server's certificate (DER), its own authority.</summary>
    public byte[] Certificate => _certificate.RawData;

    public static async Task<BrowserBench> StartAsync(Action<IServiceCollection, Uri>? more, Action<IEndpointRouteBuilder, IServiceProvider>? map)
    {
        var address = new Uri($"https://localhost:{FreePort()}");
        var identity = await IdentityFixture.StartAsync(more: services =>
        {
            services.AddSingleton(TimeProvider.System).AddSignIn(new SignInOptions { PublicUrl = address });
            more?.Invoke(services, address);
        });
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        request.CertificateExtensions.Add(names.Build());
        var certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(30));
        var bench = new BrowserBench(identity, certificate, address);
        bench._web = await WebBench.StartAsync(
            _ => { },
            application =>
            {
                application.MapSignIn(identity.Get<IServiceProvider>());
                map?.Invoke(application, identity.Get<IServiceProvider>());
            },
            listen => listen.UseHttps(certificate),
            address.Port);
        return bench;
    }

    public Task<User> AddUserAsync(User user) => Identity.Credentials.CreateAsync(user, Password, mustChange: false, TestContext.Current.CancellationToken);

    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    public async ValueTask DisposeAsync()
    {
        if (_web is not null)
            await _web.DisposeAsync();
        await Identity.DisposeAsync();
        _certificate.Dispose();
    }
}

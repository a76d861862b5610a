using System.Net;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Candela.Controller.Api;
using Candela.Controller.Api.Access;
using Candela.Controller.Transport;
using Candela.Identity;
using Candela.Identity.Accounts;
using Candela.Identity.Administration;
using Candela.Identity.Authentication;
using Candela.Identity.Kerberos;
using Candela.Identity.OpenIdConnect;
using Candela.Identity.OpenIdConnect.Tokens;
using Candela.Identity.Saml;
using Candela.Identity.SignIn;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Candela.Daemon;

/// <summary>What is served by HTTPS: identity's pages and protocols, and the REST API.</summary>
internal sealed class FrontDoor(IServiceProvider identity, TrustHost trust, Func<SslStreamCertificateContext> certificate, Uri publicUrl)
{
    /// <summary>Longest first line of a request, bytes: a sign-in page is told where to lead back to.</summary>
    private const int RequestLineBytes = 16 * 1024;

    private const int BodyBytes = 1024 * 1024;
    private const int ConnectionCount = 10_000;

    private static readonly TimeSpan HandshakeTime = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan ShutdownTime = TimeSpan.FromSeconds(2);

    /// <summary>Makes the server.</summary>
    /// <param name="address">Where it listens.</param>
    /// <param name="configureLogging">Log.</param>
    /// <param name="addServices">Adds what the REST API works with.</param>
    public WebApplication Build(IPEndPoint address, Action<ILoggingBuilder> configureLogging, Action<IServiceCollection> addServices)
    {
        WebApplicationBuilder builder = DaemonHost.NewBuilder();
        configureLogging(builder.Logging);
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = ShutdownTime);
        builder.Services.AddSingleton(identity.GetRequiredService<IAuditSink>());
        builder.Services.AddTrust(trust);
        addServices(builder.Services);
        builder.Services.AddControllerApi();
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestLineSize = RequestLineBytes;
            kestrel.Limits.MaxRequestBodySize = BodyBytes;
            kestrel.Limits.MaxConcurrentConnections = ConnectionCount;
            kestrel.Listen(address, listen =>
            {
                listen.Protocols = HttpProtocols.Http1AndHttp2;
                listen.UseHttps(new TlsHandshakeCallbackOptions { OnConnection = _ => ValueTask.FromResult(TlsOptions()), HandshakeTimeout = HandshakeTime });
                listen.UseTakeover();
            });
        });
        WebApplication app = builder.Build();
        string audience = new Uri(publicUrl, "/v1").ToString();
        AccessTokenVerifier? tokens = identity.GetService<IAccessTokens>() is { } access
            ? async (token, clientCertificate, cancellationToken) =>
            {
                AccessToken valid = await access.ValidateAsync(token, audience, clientCertificate, cancellationToken);
                return new VerifiedToken(valid.Account, valid.Workload, recheck => access.RecheckAsync(valid, recheck));
            }
            : null;
        app.UseRemoteCallers("/v1", new RemoteCallers(
            trust.Authority, identity.GetRequiredService<IDirectory>(), trust.Domain, tokens, identity.GetRequiredService<IAuditSink>(), TimeProvider.System, audience,
            identity.GetService<TicketAcceptor>()));
        app.MapControllerApi();
        app.MapTrust(trust);
        app.MapPublicTrust();
        app.MapSignIn(identity);
        app.MapOpenIdConnect(identity);
        app.MapSaml(identity);
        return app;
    }

    /// <summary>Client certificates are asked for, none is required, and endpoints judge them: by the record, not by the signature.</summary>
    private SslServerAuthenticationOptions TlsOptions() => new()
    {
        ServerCertificateContext = certificate(),
        ApplicationProtocols = [SslApplicationProtocol.Http2, SslApplicationProtocol.Http11],
        ClientCertificateRequired = true,
        AllowRenegotiation = false,
#pragma warning disable CA5359 // It is the client's, and accepting it means nothing yet.
        RemoteCertificateValidationCallback = (_, _, _, _) => true,
#pragma warning restore CA5359
        CertificateChainPolicy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
            DisableCertificateDownloads = true,
        },
    };
}

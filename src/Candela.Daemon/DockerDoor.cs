using System.Net;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Candela.Controller.Api.Access;
using Candela.Controller.Transport;
using Candela.Docker;
using Candela.Identity;
using Candela.Identity.Accounts;
using Candela.Identity.Administration;
using Candela.Identity.Authentication;
using Candela.Identity.Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;

namespace Candela.Daemon;

/// <summary>
/// The Docker Engine API over TCP, as <c>docker --tlsverify</c> speaks it: TLS with a certificate of Candela's authority at both ends. Whose the client's is
/// says the record, at each request anew.
/// </summary>
internal sealed class DockerDoor(IServiceProvider identity, TrustHost trust, ServerCertificate certificate)
{
    /// <summary>Whom a container's token must be for, if it sends one.</summary>
    private const string Audience = "candela-docker";

    private const int ConnectionCount = 10_000;

    private static readonly TimeSpan HandshakeTime = TimeSpan.FromSeconds(10);

    /// <summary>Lets a server listen.</summary>
    public void Listen(WebApplicationBuilder builder, IPEndPoint address)
    {
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Limits.MaxConcurrentConnections = ConnectionCount;
            kestrel.Listen(address, listen =>
            {
                listen.Protocols = HttpProtocols.Http1;
                listen.UseHttps(new TlsHandshakeCallbackOptions { OnConnection = _ => ValueTask.FromResult(TlsOptions()), HandshakeTimeout = HandshakeTime });
                listen.UseTakeover();
            });
        });
    }

    /// <summary>Lets nobody pass who is not known.</summary>
    public void Guard(IApplicationBuilder application) => application.UseRemoteCallers(
        default,
        new RemoteCallers(trust.Authority, identity.GetRequiredService<IDirectory>(), trust.Domain, null, identity.GetRequiredService<IAuditSink>(), TimeProvider.System, Audience, tickets: null),
        DockerApi.RefuseAsync);

    /// <summary>Without a certificate there is no connection; whether it is a good one the record decides, not the signature.</summary>
    private SslServerAuthenticationOptions TlsOptions() => new()
    {
        ServerCertificateContext = certificate.Current,
        ApplicationProtocols = [SslApplicationProtocol.Http11],
        ClientCertificateRequired = true,
        AllowRenegotiation = false,
        RemoteCertificateValidationCallback = (_, shown, _, _) => shown is not null,
        CertificateChainPolicy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
            DisableCertificateDownloads = true,
        },
    };
}

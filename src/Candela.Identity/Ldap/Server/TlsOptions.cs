using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace Candela.Identity.Ldap.Server;

/// <summary>How TLS is spoken.</summary>
internal static class TlsOptions
{
    /// <summary>
    /// Options with a certificate of the server. A client may show a certificate, whose key the handshake makes it prove; whether it means
    /// anything is looked at when the client binds by it. Nothing is fetched that a certificate points to.
    /// </summary>
    public static SslServerAuthenticationOptions Make(SslStreamCertificateContext certificate) => new()
    {
        ServerCertificateContext = certificate,
        EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
        AllowRenegotiation = false,
        ClientCertificateRequired = true,
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

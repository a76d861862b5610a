using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Candela.Identity.Accounts;
using Candela.Identity.Acme.Challenges;

namespace Candela.Identity.Federation;

/// <summary>
/// Connections to identity providers. Those that a tenant has registered lead to no address of the controller itself; what the operators
/// registered for the system's domain may.
/// </summary>
internal sealed class UpstreamConnections(IDirectory directory, TimeProvider time)
{
    /// <exception cref="SocketException">It cannot be reached, or must not be.</exception>
    public async Task<NetworkStream> ConnectAsync(IdentityProvider provider, string host, int port, CancellationToken cancellationToken)
    {
        var isOperators = directory.Current.GetDomain(provider.DomainId) is { IsSystem: true };
        var addresses = (await Dns.GetHostAddressesAsync(host, cancellationToken)).Where(address => isOperators || SystemAcmeResolver.IsElsewhere(address)).ToArray();
        if (addresses.Length == 0)
            throw new SocketException((int)SocketError.HostNotFound);
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(addresses, port, cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>What its server's certificate must be: for the name, and of the authorities that were given, if any were.</summary>
    public SslClientAuthenticationOptions TlsOf(IdentityProvider provider, string host)
    {
        var options = new SslClientAuthenticationOptions { TargetHost = host };
        if (provider.Authorities.Count > 0)
        {
            var policy = new X509ChainPolicy
            {
                TrustMode = X509ChainTrustMode.CustomRootTrust,
                RevocationMode = X509RevocationMode.NoCheck,
                DisableCertificateDownloads = true,
                VerificationTimeIgnored = false,
                VerificationTime = time.GetUtcNow().UtcDateTime,
            };
            policy.ApplicationPolicy.Add(new System.Security.Cryptography.Oid("1.3.6.1.5.5.7.3.1"));
            foreach (var authority in provider.Authorities)
                policy.CustomTrustStore.Add(X509CertificateLoader.LoadCertificate(authority));
            options.CertificateChainPolicy = policy;
        }

        return options;
    }
}

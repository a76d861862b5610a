using System.Security.Cryptography.X509Certificates;
using Candela.Identity.Saml.Bindings;

namespace Candela.Identity.Saml.Providers;

/// <summary>Verification by a service provider's registered keys.</summary>
internal static class ProviderSignatures
{
    /// <summary>Verifies a message's signature.</summary>
    /// <exception cref="SamlException">There is none, it is wrong, or the service provider has no keys.</exception>
    public static void VerifyWith(this IncomingMessage message, SamlServiceProvider provider)
    {
        var certificates = provider.SigningCertificates.Select(X509CertificateLoader.LoadCertificate).ToArray();
        try
        {
            if (certificates.Length == 0)
                throw new SamlException($"the message is signed, but no certificate is registered for {provider.Name}");
            message.VerifySignature(certificates);
        }
        finally
        {
            foreach (var certificate in certificates)
                certificate.Dispose();
        }
    }
}

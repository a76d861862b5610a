using System.Security.Cryptography.X509Certificates;
using System.Text;
using Candela.Identity.Saml.Xml;

namespace Candela.Identity.Saml.Bindings;

/// <summary>Signature of a query string (saml-bindings-2.0-os, 3.4.4.1).</summary>
/// <param name="Signed">What was signed, with the escapes that the sender has chosen.</param>
/// <param name="Algorithm">Signature algorithm.</param>
/// <param name="Value">Signature.</param>
internal sealed record DetachedSignature(string Signed, string Algorithm, byte[] Value)
{
    /// <exception cref="SamlException">It is of an algorithm that is not taken, or wrong.</exception>
    public void Verify(IReadOnlyList<X509Certificate2> certificates)
    {
        var hash = SignatureAlgorithm.HashOf(Algorithm) ?? throw new SamlException("the signature's algorithm is not RSA with SHA-256, SHA-384 or SHA-512");
        var signed = Encoding.ASCII.GetBytes(Signed);
        foreach (var certificate in certificates)
        {
            using var key = certificate.GetRSAPublicKey();
            if (key is not null && key.VerifyData(signed, Value, hash, System.Security.Cryptography.RSASignaturePadding.Pkcs1))
                return;
        }

        throw new SamlException("the signature is wrong, or of a key that is not registered");
    }
}

namespace Candela.Identity.Certificates;

/// <summary>Kinds of public keys that certificates are issued for.</summary>
public enum CertificateKeyType
{
    /// <summary>ECDSA on NIST P-256: the default.</summary>
    EcdsaP256,

    /// <summary>ECDSA on NIST P-384.</summary>
    EcdsaP384,

    /// <summary>RSA, 2048 to 4096 bits.</summary>
    Rsa,
}

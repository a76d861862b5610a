using System.Security.Cryptography;

namespace Candela.Identity.Saml.Xml;

/// <summary>Signature and digest algorithms that are taken: RSA (PKCS #1, version 1.5) with SHA-2. No SHA-1, no MACs.</summary>
internal static class SignatureAlgorithm
{
    /// <summary>The hash of a signature method; null: not taken.</summary>
    public static HashAlgorithmName? HashOf(string? method) => method switch
    {
        SamlNames.RsaSha256 => HashAlgorithmName.SHA256,
        SamlNames.RsaSha384 => HashAlgorithmName.SHA384,
        SamlNames.RsaSha512 => HashAlgorithmName.SHA512,
        _ => null,
    };

    /// <summary>Whether a digest method is taken.</summary>
    public static bool IsDigest(string? method) => method is SamlNames.Sha256 or SamlNames.Sha384 or SamlNames.Sha512;
}

using System.Security.Cryptography;
using Candela.Identity.Certificates;

namespace Candela.Identity.Jose;

/// <summary>
/// A signature algorithm of RFC 7518, section 3, and the one kind of key that it goes with. Neither <c>none</c> nor, where public keys are
/// expected, <c>HS256</c> is among them: an algorithm is never chosen by the message alone.
/// </summary>
internal sealed record JwsAlgorithm(string Name, CertificateKeyType KeyType, HashAlgorithmName Hash, RSASignaturePadding? Padding = null)
{
    private static readonly Dictionary<string, JwsAlgorithm> Known = new JwsAlgorithm[]
    {
        new("ES256", CertificateKeyType.EcdsaP256, HashAlgorithmName.SHA256),
        new("ES384", CertificateKeyType.EcdsaP384, HashAlgorithmName.SHA384),
        new("RS256", CertificateKeyType.Rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1),
        new("RS384", CertificateKeyType.Rsa, HashAlgorithmName.SHA384, RSASignaturePadding.Pkcs1),
        new("RS512", CertificateKeyType.Rsa, HashAlgorithmName.SHA512, RSASignaturePadding.Pkcs1),
        new("PS256", CertificateKeyType.Rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pss),
        new("PS384", CertificateKeyType.Rsa, HashAlgorithmName.SHA384, RSASignaturePadding.Pss),
        new("PS512", CertificateKeyType.Rsa, HashAlgorithmName.SHA512, RSASignaturePadding.Pss),
    }.ToDictionary(a => a.Name);

    /// <summary>ECDSA on P-256 with SHA-256.</summary>
    public static JwsAlgorithm Es256 { get; } = Known["ES256"];

    /// <summary>RSA (PKCS #1 version 1.5) with SHA-256.</summary>
    public static JwsAlgorithm Rs256 { get; } = Known["RS256"];

    public static IEnumerable<string> Names => Known.Keys;

    /// <summary>Null: not one of these.</summary>
    public static JwsAlgorithm? Find(string? name) => name is null ? null : Known.GetValueOrDefault(name);

    /// <summary>The signature is by this key; false also when the key is of another kind than the algorithm.</summary>
    public bool Verify(JsonWebKey key, ReadOnlySpan<byte> input, ReadOnlySpan<byte> signature)
    {
        if (key.Key.Type != KeyType)
            return false;
        try
        {
            if (Padding is not null)
            {
                using var rsa = RSA.Create();
                rsa.ImportSubjectPublicKeyInfo(key.Key.Der.Span, out _);
                return rsa.VerifyData(input, signature, Hash, Padding);
            }

            using var ecdsa = ECDsa.Create();
            ecdsa.ImportSubjectPublicKeyInfo(key.Key.Der.Span, out _);
            return ecdsa.VerifyData(input, signature, Hash, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
        }
        catch (CryptographicException)
        {
            // A point that is not on the curve, a signature of the wrong length.
            return false;
        }
    }
}

using System.Formats.Asn1;
using System.Numerics;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Candela.Model;

namespace Candela.Identity.Certificates.Requests;

/// <summary>A foreign public key, checked before any library computes with it.</summary>
/// <param name="Type">Its kind.</param>
/// <param name="Der">SubjectPublicKeyInfo in DER (RFC 5280, section 4.1.2.7).</param>
internal sealed record PublicKeyInfo(CertificateKeyType Type, ReadOnlyMemory<byte> Der)
{
    /// <summary>Largest encoding, bytes: RSA of 4096 bits has 550.</summary>
    public const int DerBytes = 1024;

    public const int RsaBitsMinimum = 2048;
    public const int RsaBitsMaximum = 4096;

    private const string Ec = "1.2.840.10045.2.1";
    private const string P256 = "1.2.840.10045.3.1.7";
    private const string P384 = "1.3.132.0.34";
    private const string RsaEncryption = "1.2.840.113549.1.1.1";
    private const int RsaExponentMinimum = 65537;

    /// <exception cref="CandelaException">InvalidArgument: not such a key, too weak, or of a kind that is not supported.</exception>
    public static PublicKeyInfo Read(ReadOnlyMemory<byte> der)
    {
        if (der.Length > DerBytes)
            throw Refused($"its encoding has more than {DerBytes} bytes");
        try
        {
            var reader = new AsnReader(der, AsnEncodingRules.DER);
            var info = reader.ReadSequence();
            reader.ThrowIfNotEmpty();
            var algorithm = info.ReadSequence();
            var key = info.ReadBitString(out var unused);
            info.ThrowIfNotEmpty();
            if (unused != 0)
                throw Refused("its bit string is not whole bytes");
            var type = algorithm.ReadObjectIdentifier() switch
            {
                Ec => CurveOf(algorithm, key),
                RsaEncryption => CheckRsa(algorithm, key),
                _ => throw Refused("it is neither ECDSA (P-256, P-384) nor RSA"),
            };
            algorithm.ThrowIfNotEmpty();
            return new PublicKeyInfo(type, der);
        }
        catch (AsnContentException e)
        {
            throw Refused($"it is not a SubjectPublicKeyInfo in DER ({e.Message})");
        }
    }

    /// <summary>For <see cref="CertificateRequest"/>.</summary>
    public PublicKey ToPublicKey() => PublicKey.CreateFromSubjectPublicKeyInfo(Der.Span, out _);

    /// <summary>The signature over the data is by this key.</summary>
    /// <param name="data">What was signed.</param>
    /// <param name="signature">ECDSA: as DER (RFC 3279, section 2.2.3); RSA: PKCS #1 v1.5.</param>
    /// <param name="hash">Hash function.</param>
    public bool Verify(ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature, HashAlgorithmName hash)
    {
        try
        {
            if (Type == CertificateKeyType.Rsa)
            {
                using var rsa = RSA.Create();
                rsa.ImportSubjectPublicKeyInfo(Der.Span, out _);
                return rsa.VerifyData(data, signature, hash, RSASignaturePadding.Pkcs1);
            }

            using var ecdsa = ECDsa.Create();
            ecdsa.ImportSubjectPublicKeyInfo(Der.Span, out _);
            return ecdsa.VerifyData(data, signature, hash, DSASignatureFormat.Rfc3279DerSequence);
        }
        catch (CryptographicException)
        {
            // A point that is not on the curve, a signature of the wrong form.
            return false;
        }
    }

    private static CertificateKeyType CurveOf(AsnReader algorithm, byte[] point)
    {
        // Explicit parameters (CVE-2020-0601) are a sequence and fail here.
        var (type, fieldBytes) = algorithm.ReadObjectIdentifier() switch
        {
            P256 => (CertificateKeyType.EcdsaP256, 32),
            P384 => (CertificateKeyType.EcdsaP384, 48),
            _ => throw Refused("its curve is neither P-256 nor P-384"),
        };
        if (point.Length != 1 + 2 * fieldBytes || point[0] != 4)
            throw Refused("its point is not in uncompressed form (RFC 5480, section 2.2)");
        return type;
    }

    private static CertificateKeyType CheckRsa(AsnReader algorithm, byte[] key)
    {
        algorithm.ReadNull();
        var reader = new AsnReader(key, AsnEncodingRules.DER);
        var numbers = reader.ReadSequence();
        reader.ThrowIfNotEmpty();
        var modulus = numbers.ReadInteger();
        var exponent = numbers.ReadInteger();
        numbers.ThrowIfNotEmpty();
        if (modulus.Sign <= 0 || modulus.IsEven || modulus.GetBitLength() is < RsaBitsMinimum or > RsaBitsMaximum)
            throw Refused($"an RSA key has {RsaBitsMinimum} to {RsaBitsMaximum} bits");
        if (exponent < RsaExponentMinimum || exponent.IsEven || exponent > uint.MaxValue)
            throw Refused($"the exponent of an RSA key is odd and at least {RsaExponentMinimum}");
        if (BigInteger.GreatestCommonDivisor(modulus, SmallPrimes) != 1)
            throw Refused("the modulus of the RSA key has a small factor");
        return CertificateKeyType.Rsa;
    }

    private static CandelaException Refused(string why) => new(ErrorCode.InvalidArgument, $"the public key is refused: {why}");

    /// <summary>Product of the odd primes below 1000.</summary>
    private static readonly BigInteger SmallPrimes = Enumerable.Range(3, 997).Where(n => n % 2 != 0 && !Enumerable.Range(2, (int)Math.Sqrt(n) - 1).Any(d => n % d == 0))
        .Aggregate(BigInteger.One, (product, prime) => product * prime);
}

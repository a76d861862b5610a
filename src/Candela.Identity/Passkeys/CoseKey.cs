using System.Formats.Cbor;
using System.Security.Cryptography;

namespace Candela.Identity.Passkeys;

/// <summary>A public key as authenticators give it (RFC 9052, 7; RFC 9053): ES256 on P-256, or RS256.</summary>
/// <param name="Algorithm">COSE algorithm.</param>
/// <param name="PublicKey">SubjectPublicKeyInfo (DER).</param>
internal sealed record CoseKey(int Algorithm, byte[] PublicKey)
{
    public const int Es256 = -7;
    public const int Rs256 = -257;

    private const int CoordinateBytes = 32;

    /// <summary>Reads a key.</summary>
    /// <exception cref="PasskeyException">It is none, or of another kind.</exception>
    public static CoseKey Read(CborReader reader)
    {
        var (type, algorithm) = (0L, 0L);
        long? curve = null;
        byte[]? first = null, second = null, third = null;
        reader.ReadStartMap();
        while (reader.PeekState() != CborReaderState.EndMap)
        {
            switch (reader.ReadInt64())
            {
                case 1: type = reader.ReadInt64(); break;
                case 3: algorithm = reader.ReadInt64(); break;
                case -1 when reader.PeekState() == CborReaderState.ByteString: first = reader.ReadByteString(); break;
                case -1: curve = reader.ReadInt64(); break;
                case -2: second = reader.ReadByteString(); break;
                case -3: third = reader.ReadByteString(); break;
                default: reader.SkipValue(); break;
            }
        }

        reader.ReadEndMap();
        return (type, algorithm) switch
        {
            (2, Es256) when curve == 1 && second?.Length == CoordinateBytes && third?.Length == CoordinateBytes => new CoseKey(Es256, EllipticKey(second, third)),
            (3, Rs256) when first is { Length: >= 256 and <= 1024 } && second is { Length: > 0 and <= 8 } => new CoseKey(Rs256, RsaKey(first, second)),
            _ => throw new PasskeyException("the passkey's key is neither ES256 on P-256 nor RS256 of 2048 to 8192 bits"),
        };
    }

    /// <summary>Whether a signature is right.</summary>
    /// <param name="publicKey">SubjectPublicKeyInfo (DER).</param>
    /// <param name="algorithm">COSE algorithm.</param>
    /// <param name="data">What was signed.</param>
    /// <param name="signature">Signature (WebAuthn Level 2, 6.5.6).</param>
    public static bool Verify(byte[] publicKey, int algorithm, byte[] data, byte[] signature)
    {
        if (algorithm == Es256)
        {
            using var elliptic = ECDsa.Create();
            elliptic.ImportSubjectPublicKeyInfo(publicKey, out _);
            return elliptic.VerifyData(data, signature, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);
        }

        using var rsa = RSA.Create();
        rsa.ImportSubjectPublicKeyInfo(publicKey, out _);
        return rsa.VerifyData(data, signature, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
    }

    private static byte[] EllipticKey(byte[] x, byte[] y)
    {
        // The curve's point is checked by the import.
        using var key = ECDsa.Create(new ECParameters { Curve = ECCurve.NamedCurves.nistP256, Q = new ECPoint { X = x, Y = y } });
        return key.ExportSubjectPublicKeyInfo();
    }

    private static byte[] RsaKey(byte[] modulus, byte[] exponent)
    {
        using var key = RSA.Create(new RSAParameters { Modulus = modulus, Exponent = exponent });
        return key.ExportSubjectPublicKeyInfo();
    }
}

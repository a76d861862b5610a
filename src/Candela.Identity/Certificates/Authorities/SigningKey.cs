using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Candela.Identity.Certificates.Authorities;

/// <summary>An ECDSA private key that many threads sign with: each takes a copy of its own, as one instance serves one thread at a time.</summary>
internal sealed class SigningKey : X509SignatureGenerator, IDisposable
{
    private readonly ConcurrentBag<ECDsa> _free = [];
    private readonly ECParameters _parameters;
    private readonly X509SignatureGenerator _generator;
    private readonly ECDsa _first;

    private SigningKey(ECDsa key)
    {
        _first = key;
        _parameters = key.ExportParameters(includePrivateParameters: true);
        _generator = CreateForECDsa(key);
        Hash = key.KeySize > 256 ? HashAlgorithmName.SHA384 : HashAlgorithmName.SHA256;
    }

    /// <summary>Hash function that fits the key.</summary>
    public HashAlgorithmName Hash { get; }

    public static SigningKey Create(ECCurve curve) => new(ECDsa.Create(curve));

    /// <param name="pkcs8">PrivateKeyInfo; the caller clears it.</param>
    public static SigningKey Import(ReadOnlySpan<byte> pkcs8)
    {
        var key = ECDsa.Create();
        try
        {
            key.ImportPkcs8PrivateKey(pkcs8, out _);
            return new SigningKey(key);
        }
        catch
        {
            key.Dispose();
            throw;
        }
    }

    /// <summary>PKCS #8; the caller clears it.</summary>
    public byte[] Export() => _first.ExportPkcs8PrivateKey();

    /// <summary>PKCS #8, encrypted with a passphrase: PBES2, PBKDF2-SHA256 with 600,000 rounds, AES-256-CBC (RFC 8018), as openssl reads it.</summary>
    public string ExportPem(string passphrase) =>
        _first.ExportEncryptedPkcs8PrivateKeyPem(passphrase, new PbeParameters(PbeEncryptionAlgorithm.Aes256Cbc, HashAlgorithmName.SHA256, 600_000));

    public byte[] ExportPublicKey() => _first.ExportSubjectPublicKeyInfo();

    public override byte[] GetSignatureAlgorithmIdentifier(HashAlgorithmName hashAlgorithm) => _generator.GetSignatureAlgorithmIdentifier(hashAlgorithm);

    /// <summary>Signature as DER (RFC 3279, section 2.2.3).</summary>
    public override byte[] SignData(byte[] data, HashAlgorithmName hashAlgorithm) => Sign(data, hashAlgorithm, DSASignatureFormat.Rfc3279DerSequence);

    /// <summary>Signature of a JSON web signature (RFC 7518, section 3.4): both numbers, one after the other.</summary>
    public byte[] SignJws(byte[] input) => Sign(input, Hash, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);

    private byte[] Sign(byte[] data, HashAlgorithmName hashAlgorithm, DSASignatureFormat format)
    {
        if (!_free.TryTake(out var key))
            key = ECDsa.Create(_parameters);
        try
        {
            return key.SignData(data, hashAlgorithm, format);
        }
        finally
        {
            _free.Add(key);
        }
    }

    public void Dispose()
    {
        while (_free.TryTake(out var key))
            key.Dispose();
        _first.Dispose();
        CryptographicOperations.ZeroMemory(_parameters.D);
    }

    protected override PublicKey BuildPublicKey() => new(_first);
}

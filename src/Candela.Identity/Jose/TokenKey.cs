using System.Collections.Concurrent;
using System.Security.Cryptography;
using Candela.Identity.Certificates;
using Candela.Identity.Certificates.Authorities;
using Candela.Identity.Certificates.Requests;

namespace Candela.Identity.Jose;

/// <summary>A private key that signs tokens by one algorithm, from many threads.</summary>
internal abstract class TokenKey : IDisposable
{
    private const int RsaBits = 2048;

    /// <summary>Makes a key.</summary>
    /// <param name="algorithm">ES256 or RS256.</param>
    public static TokenKey Create(JwsAlgorithm algorithm) =>
        algorithm.KeyType == CertificateKeyType.Rsa ? new RsaTokenKey(RSA.Create(RsaBits), algorithm) : new EcTokenKey(SigningKey.Create(ECCurve.NamedCurves.nistP256));

    /// <param name="algorithm">ES256 or RS256.</param>
    /// <param name="pkcs8">PrivateKeyInfo; the caller clears it.</param>
    public static TokenKey Import(JwsAlgorithm algorithm, ReadOnlySpan<byte> pkcs8)
    {
        if (algorithm.KeyType != CertificateKeyType.Rsa)
            return new EcTokenKey(SigningKey.Import(pkcs8));
        var key = RSA.Create();
        key.ImportPkcs8PrivateKey(pkcs8, out _);
        return new RsaTokenKey(key, algorithm);
    }

    /// <summary>Its public half.</summary>
    public abstract JsonWebKey Public { get; }

    /// <summary>Signature (RFC 7518, section 3).</summary>
    public abstract byte[] Sign(byte[] input);

    /// <summary>PKCS #8; the caller clears it.</summary>
    public abstract byte[] Export();

    public abstract void Dispose();

    private sealed class EcTokenKey(SigningKey key) : TokenKey
    {
        public override JsonWebKey Public { get; } = JsonWebKey.Of(new PublicKeyInfo(CertificateKeyType.EcdsaP256, key.ExportPublicKey()));

        public override byte[] Sign(byte[] input) => key.SignJws(input);

        public override byte[] Export() => key.Export();

        public override void Dispose() => key.Dispose();
    }

    /// <summary>Each thread takes a copy of its own, as one instance serves one thread at a time.</summary>
    private sealed class RsaTokenKey(RSA key, JwsAlgorithm algorithm) : TokenKey
    {
        private readonly ConcurrentBag<RSA> _free = [];
        private readonly RSAParameters _parameters = key.ExportParameters(includePrivateParameters: true);

        public override JsonWebKey Public { get; } = JsonWebKey.Of(new PublicKeyInfo(CertificateKeyType.Rsa, key.ExportSubjectPublicKeyInfo()));

        public override byte[] Sign(byte[] input)
        {
            if (!_free.TryTake(out var own))
                own = RSA.Create(_parameters);
            try
            {
                return own.SignData(input, algorithm.Hash, algorithm.Padding!);
            }
            finally
            {
                _free.Add(own);
            }
        }

        public override byte[] Export() => key.ExportPkcs8PrivateKey();

        public override void Dispose()
        {
            while (_free.TryTake(out var own))
                own.Dispose();
            key.Dispose();
        }
    }
}

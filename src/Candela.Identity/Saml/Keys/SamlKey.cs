using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Candela.Identity.Saml.Keys;

/// <summary>A signing key with the self-signed certificate by which service providers know it. Safe for use from many threads.</summary>
/// <param name="id">Id.</param>
/// <param name="signsFrom">When it begins to sign.</param>
/// <param name="certificate">Certificate with the private key.</param>
internal sealed class SamlKey(string id, DateTimeOffset signsFrom, X509Certificate2 certificate) : IDisposable
{
    public string Id { get; } = id;

    public DateTimeOffset SignsFrom { get; } = signsFrom;

    public X509Certificate2 Certificate { get; } = certificate;

    /// <summary>The private key, an instance of the caller's own.</summary>
    public RSA GetPrivateKey() => Certificate.GetRSAPrivateKey()!;

    /// <summary>Signs bytes: RSA with SHA-256, PKCS #1 version 1.5.</summary>
    public byte[] Sign(byte[] data)
    {
        using var key = GetPrivateKey();
        return key.SignData(data, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
    }

    public void Dispose() => Certificate.Dispose();
}

using System.Collections.Concurrent;
using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Candela.Identity.Certificates.Names;
using Candela.Identity.Certificates.Profiles;
using Candela.Identity.Certificates.Requests;

namespace Candela.Identity.Certificates.Authorities;

/// <summary>An authority that has its certificate, and its private key where it is at hand.</summary>
internal sealed class Authority : IDisposable
{
    private readonly CertificateAuthorityOptions _options;
    private readonly ConcurrentDictionary<string, X509Extension[]> _extensions = new(StringComparer.Ordinal);

    public Authority(AuthorityDocument document, SigningKey? key, CertificateAuthorityOptions options)
    {
        _options = options;
        Document = document;
        Key = key;
        Certificate = X509CertificateLoader.LoadCertificate(document.Certificate ?? throw new ArgumentException("It has no certificate yet.", nameof(document)));
        var publicKey = Certificate.PublicKey.EncodedKeyValue.RawData;
#pragma warning disable CA5350 // A name to look the issuer up by, which RFC 6960 wants; nothing is trusted for it.
        NameHashSha1 = SHA1.HashData(Certificate.SubjectName.RawData);
        KeyHashSha1 = SHA1.HashData(publicKey);
#pragma warning restore CA5350
        NameHashSha256 = SHA256.HashData(Certificate.SubjectName.RawData);
        KeyHashSha256 = SHA256.HashData(publicKey);
        KeyIdentifier = X509AuthorityKeyIdentifierExtension.CreateFromCertificate(Certificate, includeKeyIdentifier: true, includeIssuerAndSerial: false);
    }

    public AuthorityDocument Document { get; }

    public string Id => Document.Id;

    public bool IsRoot => Document.Purpose is null;

    /// <summary>Null: it cannot sign here.</summary>
    public SigningKey? Key { get; }

    public X509Certificate2 Certificate { get; }

    public ReadOnlyMemory<byte> Der => Document.Certificate!;

    /// <summary>Points those it signed to its key.</summary>
    public X509AuthorityKeyIdentifierExtension KeyIdentifier { get; }

    /// <summary>Hashes by which OCSP names an issuer (RFC 6960, section 4.1.1).</summary>
    public byte[] NameHashSha1 { get; }

    public byte[] NameHashSha256 { get; }

    public byte[] KeyHashSha1 { get; }

    public byte[] KeyHashSha256 { get; }

    public DateTimeOffset NotBefore => Certificate.NotBefore.ToUniversalTime();

    public DateTimeOffset NotAfter => Certificate.NotAfter.ToUniversalTime();

    /// <summary>Makes the certificate of a subject.</summary>
    public byte[] Issue(
        CertificateProfile profile, X500DistinguishedName subject, CertificateNames names, PublicKeyInfo key, DateTimeOffset notBefore, DateTimeOffset notAfter, byte[] serial)
    {
        var signer = Key ?? throw new InvalidOperationException($"The key of {Certificate.Subject} is not here.");
        var request = new CertificateRequest(subject, key.ToPublicKey(), signer.Hash);
        var keyType = key.Type == CertificateKeyType.Rsa ? "rsa" : "ec";
        foreach (var extension in _extensions.GetOrAdd($"{profile.Name} {keyType}", _ => ExtensionsOf(profile, key.Type)))
            request.CertificateExtensions.Add(extension);
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        if (names.Count > 0)
            request.CertificateExtensions.Add(SubjectAlternativeName.Write(names, critical: subject.RawData.Length <= EmptyNameBytes));
        using var certificate = request.Create(Certificate.SubjectName, signer, notBefore, notAfter, serial);
        return certificate.RawData;
    }

    public void Dispose()
    {
        Key?.Dispose();
        Certificate.Dispose();
    }

    private const int EmptyNameBytes = 2;

    private X509Extension[] ExtensionsOf(CertificateProfile profile, CertificateKeyType keyType)
    {
        var usages = new OidCollection();
        foreach (var usage in profile.Usages)
            usages.Add(new Oid(usage));
        var isServer = profile.Usages.Contains(CertificateProfile.ServerAuthentication);
        var keyUsage = X509KeyUsageFlags.DigitalSignature | (keyType == CertificateKeyType.Rsa && isServer ? X509KeyUsageFlags.KeyEncipherment : 0);
        List<X509Extension> extensions =
        [
            X509BasicConstraintsExtension.CreateForEndEntity(critical: true),
            new X509KeyUsageExtension(keyUsage, critical: true),
            new X509EnhancedKeyUsageExtension(usages, critical: false),
            KeyIdentifier,
        ];
        if (profile.Name == CertificateProfile.OcspSigner)
            extensions.Add(NoCheck); // Its own revocation is not asked about: it is short-lived (RFC 6960, section 4.2.2.2.1).
        else if (_options.UrlOf($"crl/{Id}.crl") is { } crl)
            extensions.AddRange([CertificateRevocationListBuilder.BuildCrlDistributionPointExtension([crl]), new X509AuthorityInformationAccessExtension([_options.UrlOf("ocsp")!], [_options.UrlOf($"certificates/{Id}.cer")!])]);
        return [.. extensions];
    }

    private static readonly X509Extension NoCheck = new("1.3.6.1.5.5.7.48.1.5", NullDer(), critical: false);

    private static byte[] NullDer()
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        writer.WriteNull();
        return writer.Encode();
    }
}

using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Candela.Identity.Certificates.Names;
using Candela.Identity.Certificates.Profiles;
using Candela.Identity.Workloads;
using Candela.Model;

namespace Candela.Identity.Certificates.Authorities;

/// <summary>Makes and checks the certificates of authorities (RFC 5280, section 4.2).</summary>
internal static class AuthorityCertificates
{
    private const string NameConstraints = "2.5.29.30";
    private const string BasicConstraints = "2.5.29.19";
    private const string KeyUsage = "2.5.29.15";
    private const X509KeyUsageFlags SignsCertificates = X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign;

    private static readonly Asn1Tag UriTag = new(TagClass.ContextSpecific, 6);
    private static readonly Asn1Tag PermittedTag = new(TagClass.ContextSpecific, 0, isConstructed: true);

    /// <summary>Id of an authority: first half of the SHA-256 of its SubjectPublicKeyInfo, hexadecimal.</summary>
    public static string IdOf(ReadOnlySpan<byte> publicKey) => Convert.ToHexStringLower(SHA256.HashData(publicKey).AsSpan(0, 16));

    /// <summary>A self-signed root's certificate in DER.</summary>
    public static byte[] Root(CertificateAuthorityOptions options, SigningKey key, DateTimeOffset now)
    {
        var request = Request(options, key, purpose: null, pathLength: 1);
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        using var certificate = request.Create(request.SubjectName, key, now - options.Backdating, now + options.RootLifetime, SerialNumber.New());
        return certificate.RawData;
    }

    /// <summary>What an issuing authority asks its root to sign.</summary>
    public static CertificateRequest Request(CertificateAuthorityOptions options, SigningKey key, AuthorityPurpose? purpose, int pathLength)
    {
        var kind = purpose switch { null => "root", AuthorityPurpose.General => "issuing", _ => "workload" };
        var subject = new X500DistinguishedNameBuilder();
        subject.AddOrganizationName(options.Organization);
        // The id makes the name unique: authorities that follow one another differ by name, too.
        subject.AddCommonName($"{options.Organization.AsSpan(0, Math.Min(options.Organization.Length, 30))} {kind} CA {IdOf(key.ExportPublicKey()).AsSpan(0, 8)}");
        var request = new CertificateRequest(subject.Build(), key.PublicKey, key.Hash);
        request.CertificateExtensions.Add(X509BasicConstraintsExtension.CreateForCertificateAuthority(pathLength));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(SignsCertificates, critical: true));
        if (purpose != AuthorityPurpose.General)
        {
            // A signing certificate is an SVID of its trust domain (X509-SVID, section 3.2).
            var id = SpiffeId.OfTrustDomain(options.TrustDomain).ToString();
            request.CertificateExtensions.Add(SubjectAlternativeName.Write(new CertificateNames { Uris = [id] }, critical: false));
        }

        if (purpose == AuthorityPurpose.Workload)
            request.CertificateExtensions.Add(PermitUrisOf(options.TrustDomain));
        return request;
    }

    /// <summary>Signs an issuing authority's certificate.</summary>
    /// <param name="options">Settings.</param>
    /// <param name="request">From <see cref="Request"/>.</param>
    /// <param name="root">Root with its key.</param>
    /// <param name="now">Time.</param>
    public static byte[] Sign(CertificateAuthorityOptions options, CertificateRequest request, Authority root, DateTimeOffset now)
    {
        var signer = root.Key ?? throw RootIsOffline();
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        request.CertificateExtensions.Add(root.KeyIdentifier);
        if (options.UrlOf($"crl/{root.Id}.crl") is { } crl)
            request.CertificateExtensions.Add(CertificateRevocationListBuilder.BuildCrlDistributionPointExtension([crl]));
        var notAfter = now + options.IssuingLifetime;
        using var certificate = new CertificateRequest(request.SubjectName, request.PublicKey, signer.Hash).With(request.CertificateExtensions)
            .Create(root.Certificate.SubjectName, signer, now - options.Backdating, notAfter < root.NotAfter ? notAfter : root.NotAfter, SerialNumber.New());
        return certificate.RawData;
    }

    /// <summary>Checks a certificate that an offline root signed for an issuing authority.</summary>
    /// <exception cref="CandelaException">InvalidArgument: says what is wrong with it.</exception>
    public static void CheckSigned(X509Certificate2 certificate, CertificateRequest request, Authority root, DateTimeOffset now)
    {
        if (!certificate.PublicKey.ExportSubjectPublicKeyInfo().AsSpan().SequenceEqual(request.PublicKey.ExportSubjectPublicKeyInfo()))
            throw Refused("it is for another key than the request");
        if (!certificate.SubjectName.RawData.AsSpan().SequenceEqual(request.SubjectName.RawData))
            throw Refused("it has another subject than the request");
        foreach (var wanted in request.CertificateExtensions)
        {
            if (!certificate.Extensions.Any(e => e.Oid?.Value == wanted.Oid?.Value && e.RawData.AsSpan().SequenceEqual(wanted.RawData)))
                throw Refused($"it lacks, or changed, the extension {wanted.Oid?.Value} of the request (openssl x509 -req needs -copy_extensions copyall)");
        }

        if (certificate.Extensions.Any(e => e.Critical && e.Oid?.Value is not (BasicConstraints or KeyUsage or NameConstraints)))
            throw Refused("it has a critical extension that was not asked for");
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.Add(root.Certificate);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.DisableCertificateDownloads = true;
        chain.ChainPolicy.VerificationTimeIgnored = false;
        chain.ChainPolicy.VerificationTime = now.UtcDateTime;
        if (!chain.Build(certificate))
            throw Refused($"it does not verify by the root {root.Certificate.Subject}: {string.Join(", ", chain.ChainStatus.Select(s => s.StatusInformation.Trim()))}");
    }

    public static CandelaException RootIsOffline() => new(
        ErrorCode.Conflict, "the root's private key is kept elsewhere: give it back for this, or have the signing request signed where it is and install the certificate");

    private static CertificateRequest With(this CertificateRequest request, IEnumerable<X509Extension> extensions)
    {
        foreach (var extension in extensions)
            request.CertificateExtensions.Add(extension);
        return request;
    }

    /// <summary>Name constraints (RFC 5280, section 4.2.1.10): URIs of this host only.</summary>
    private static X509Extension PermitUrisOf(string trustDomain)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        using (writer.PushSequence(PermittedTag))
        using (writer.PushSequence())
            writer.WriteCharacterString(UniversalTagNumber.IA5String, trustDomain, UriTag);
        return new X509Extension(NameConstraints, writer.Encode(), critical: true);
    }

    private static CandelaException Refused(string why) => new(ErrorCode.InvalidArgument, $"the authority's certificate is refused: {why}");
}

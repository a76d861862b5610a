using System.Formats.Asn1;
using System.Security.Cryptography;
using Candela.Identity.Certificates.Names;
using Candela.Model;

namespace Candela.Identity.Certificates.Requests;

/// <summary>
/// A certificate signing request (PKCS #10, RFC 2986), strictly read, whose sender has proved that it holds the private key. Of what it
/// asks for, key and names count; all other extensions are the profile's business.
/// </summary>
internal sealed class SigningRequest
{
    /// <summary>Largest request, bytes.</summary>
    public const int DerBytes = 16 * 1024;

    private const int AttributeCount = 16;
    private const int ExtensionCount = 32;
    private const int SubjectPartCount = 16;
    private const string ExtensionRequest = "1.2.840.113549.1.9.14";
    private const string CommonNameOid = "2.5.4.3";
    private const string BasicConstraints = "2.5.29.19";

    private SigningRequest(PublicKeyInfo publicKey, string? commonName, CertificateNames names)
    {
        PublicKey = publicKey;
        CommonName = commonName;
        Names = names;
    }

    public PublicKeyInfo PublicKey { get; }

    /// <summary>The subject's common name; null when it has none.</summary>
    public string? CommonName { get; }

    /// <summary>Subject alternative names, unchecked.</summary>
    public CertificateNames Names { get; }

    /// <summary>Reads PEM (RFC 7468), <c>CERTIFICATE REQUEST</c> or the older <c>NEW CERTIFICATE REQUEST</c>.</summary>
    /// <exception cref="CandelaException">InvalidArgument.</exception>
    public static SigningRequest ReadPem(ReadOnlySpan<char> pem)
    {
        if (pem.Length > 2 * DerBytes)
            throw Refused($"it has more than {2 * DerBytes} characters");
        if (!PemEncoding.TryFind(pem, out var fields) || pem[fields.Label] is not ("CERTIFICATE REQUEST" or "NEW CERTIFICATE REQUEST"))
            throw Refused("it does not begin with -----BEGIN CERTIFICATE REQUEST-----");
        return Read(Convert.FromBase64String(pem[fields.Base64Data].ToString()));
    }

    /// <summary>Reads DER and checks the signature.</summary>
    /// <exception cref="CandelaException">InvalidArgument: malformed, or not signed by the key it names.</exception>
    public static SigningRequest Read(ReadOnlyMemory<byte> der)
    {
        if (der.Length > DerBytes)
            throw Refused($"it has more than {DerBytes} bytes");
        try
        {
            return ReadChecked(der);
        }
        catch (AsnContentException e)
        {
            throw Refused($"it is not PKCS #10 in DER ({e.Message})");
        }
    }

    private static SigningRequest ReadChecked(ReadOnlyMemory<byte> der)
    {
        // Some programs do not sort the attributes as DER wants it; the signature covers them as they are.
        var reader = new AsnReader(der, AsnEncodingRules.DER, new AsnReaderOptions { SkipSetSortOrderVerification = true });
        var request = reader.ReadSequence();
        reader.ThrowIfNotEmpty();
        var signed = request.PeekEncodedValue();
        var info = request.ReadSequence();
        var hash = HashOf(request.ReadSequence(), out var signedByRsa);
        var signature = request.ReadBitString(out var unused);
        request.ThrowIfNotEmpty();
        if (!info.TryReadInt32(out var version) || version != 0 || unused != 0)
            throw Refused("its version is not 1, or its signature not whole bytes");
        var commonName = ReadCommonName(info.ReadSequence());
        var publicKey = PublicKeyInfo.Read(info.ReadEncodedValue());
        var names = CertificateNames.None;
        if (info.HasData)
            names = ReadAttributes(info.ReadSetOf(new Asn1Tag(TagClass.ContextSpecific, 0)));
        info.ThrowIfNotEmpty();
        if (signedByRsa != (publicKey.Type == CertificateKeyType.Rsa) || !publicKey.Verify(signed.Span, signature, hash))
            throw Refused("it is not signed by the key that it names");
        return new SigningRequest(publicKey, commonName, names);
    }

    private static HashAlgorithmName HashOf(AsnReader algorithm, out bool rsa)
    {
        // RFC 5758, section 3.2 (no parameters) and RFC 4055, section 5 (NULL).
        var (hash, byRsa) = algorithm.ReadObjectIdentifier() switch
        {
            "1.2.840.10045.4.3.2" => (HashAlgorithmName.SHA256, false),
            "1.2.840.10045.4.3.3" => (HashAlgorithmName.SHA384, false),
            "1.2.840.10045.4.3.4" => (HashAlgorithmName.SHA512, false),
            "1.2.840.113549.1.1.11" => (HashAlgorithmName.SHA256, true),
            "1.2.840.113549.1.1.12" => (HashAlgorithmName.SHA384, true),
            "1.2.840.113549.1.1.13" => (HashAlgorithmName.SHA512, true),
            _ => throw Refused("its signature is neither ECDSA nor RSA (PKCS #1 v1.5) with SHA-256, SHA-384 or SHA-512"),
        };
        if (byRsa)
            algorithm.ReadNull();
        algorithm.ThrowIfNotEmpty();
        rsa = byRsa;
        return hash;
    }

    private static string? ReadCommonName(AsnReader subject)
    {
        string? commonName = null;
        for (var count = 0; subject.HasData; count++)
        {
            if (count == SubjectPartCount)
                throw Refused($"its subject has more than {SubjectPartCount} parts");
            var set = subject.ReadSetOf();
            while (set.HasData)
            {
                var part = set.ReadSequence();
                var isCommonName = part.ReadObjectIdentifier() == CommonNameOid;
                var value = part.ReadEncodedValue();
                part.ThrowIfNotEmpty();
                if (!isCommonName)
                    continue;
                if (commonName is not null)
                    throw Refused("its subject has two common names");
                commonName = ReadText(value);
            }
        }

        return commonName;
    }

    private static string ReadText(ReadOnlyMemory<byte> value)
    {
        var reader = new AsnReader(value, AsnEncodingRules.DER);
        var tag = reader.PeekTag();
        if (tag.TagClass != TagClass.Universal || (UniversalTagNumber)tag.TagValue is not (UniversalTagNumber.UTF8String or UniversalTagNumber.PrintableString or UniversalTagNumber.IA5String))
            throw Refused("its common name is neither UTF8String, PrintableString nor IA5String");
        var text = reader.ReadCharacterString((UniversalTagNumber)tag.TagValue);
        if (text.Any(char.IsControl))
            throw Refused("its common name holds control characters");
        return text;
    }

    private static CertificateNames ReadAttributes(AsnReader attributes)
    {
        CertificateNames? names = null;
        for (var count = 0; attributes.HasData; count++)
        {
            if (count == AttributeCount)
                throw Refused($"it has more than {AttributeCount} attributes");
            var attribute = attributes.ReadSequence();
            var isRequest = attribute.ReadObjectIdentifier() == ExtensionRequest;
            var values = attribute.ReadSetOf();
            attribute.ThrowIfNotEmpty();
            if (!isRequest)
                continue;
            if (names is not null)
                throw Refused("it asks for extensions twice");
            names = ReadExtensions(values.ReadSequence());
            values.ThrowIfNotEmpty();
        }

        return names ?? CertificateNames.None;
    }

    private static CertificateNames ReadExtensions(AsnReader extensions)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var names = CertificateNames.None;
        while (extensions.HasData)
        {
            if (seen.Count == ExtensionCount)
                throw Refused($"it asks for more than {ExtensionCount} extensions");
            var extension = extensions.ReadSequence();
            var oid = extension.ReadObjectIdentifier();
            if (extension.HasData && extension.PeekTag().HasSameClassAndValue(Asn1Tag.Boolean))
                extension.ReadBoolean();
            var value = extension.ReadOctetString();
            extension.ThrowIfNotEmpty();
            if (!seen.Add(oid))
                throw Refused($"it asks for the extension {oid} twice");
            if (oid == SubjectAlternativeName.Oid)
                names = SubjectAlternativeName.Read(value);
            else if (oid == BasicConstraints && AsksForAuthority(value))
                throw Refused("it asks for the certificate of an authority, which is not given on request");
        }

        return names;
    }

    private static bool AsksForAuthority(byte[] value)
    {
        var reader = new AsnReader(value, AsnEncodingRules.DER);
        var constraints = reader.ReadSequence();
        return constraints.HasData && constraints.PeekTag().HasSameClassAndValue(Asn1Tag.Boolean) && constraints.ReadBoolean();
    }

    private static CandelaException Refused(string why) => new(ErrorCode.InvalidArgument, $"the certificate signing request is refused: {why}");
}

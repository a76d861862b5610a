using System.Formats.Asn1;

namespace Candela.Identity.Certificates.Revocation;

/// <summary>Which certificate is asked about (CertID of RFC 6960, section 4.1.1).</summary>
/// <param name="HashAlgorithm">Object identifier of the hash function of the next two.</param>
/// <param name="IssuerNameHash">Hash of the issuer's name.</param>
/// <param name="IssuerKeyHash">Hash of the issuer's key.</param>
/// <param name="Serial">Serial number without leading zero bytes; at most 20 bytes.</param>
/// <param name="Der">The whole as it came, to be repeated in the answer.</param>
internal sealed record OcspCertificateId(string HashAlgorithm, ReadOnlyMemory<byte> IssuerNameHash, ReadOnlyMemory<byte> IssuerKeyHash, ReadOnlyMemory<byte> Serial, ReadOnlyMemory<byte> Der);

/// <summary>An OCSP request (RFC 6960, section 4.1.1), strictly read. A signature on it is not looked at: anyone may ask.</summary>
/// <param name="Certificates">What is asked about.</param>
/// <param name="Nonce">The nonce extension's value, to be repeated in the answer; null: none was sent.</param>
internal sealed record OcspRequest(IReadOnlyList<OcspCertificateId> Certificates, ReadOnlyMemory<byte>? Nonce)
{
    /// <summary>Largest request, bytes.</summary>
    public const int DerBytes = 8 * 1024;

    /// <summary>Most certificates asked about at once.</summary>
    public const int CertificateCount = 32;

    public const string NonceOid = "1.3.6.1.5.5.7.48.1.2";
    public const string Sha1 = "1.3.14.3.2.26";
    public const string Sha256 = "2.16.840.1.101.3.4.2.1";

    private const int ExtensionCount = 16;
    private const int NonceBytes = 128; // RFC 9654, section 2.1
    private const int SerialBytes = 20;

    private static readonly Asn1Tag Tag0 = new(TagClass.ContextSpecific, 0);
    private static readonly Asn1Tag Tag1 = new(TagClass.ContextSpecific, 1);
    private static readonly Asn1Tag Tag2 = new(TagClass.ContextSpecific, 2);

    /// <exception cref="AsnContentException">Not an OCSP request, or beyond a limit.</exception>
    public static OcspRequest Read(ReadOnlyMemory<byte> der)
    {
        if (der.Length > DerBytes)
            throw new AsnContentException($"the request has more than {DerBytes} bytes");
        var reader = new AsnReader(der, AsnEncodingRules.DER);
        var request = reader.ReadSequence();
        reader.ThrowIfNotEmpty();
        var body = request.ReadSequence();
        if (request.HasData)
            request.ReadSequence(Tag0);
        request.ThrowIfNotEmpty();

        if (Next(body, Tag0))
        {
            var version = body.ReadSequence(Tag0);
            if (!version.TryReadInt32(out var number) || number != 0)
                throw new AsnContentException("the request is not of version 1");
            version.ThrowIfNotEmpty();
        }

        if (Next(body, Tag1))
            body.ReadSequence(Tag1);
        var list = body.ReadSequence();
        var certificates = new List<OcspCertificateId>();
        while (list.HasData)
        {
            if (certificates.Count == CertificateCount)
                throw new AsnContentException($"the request asks about more than {CertificateCount} certificates");
            var single = list.ReadSequence();
            certificates.Add(ReadId(single.ReadEncodedValue()));
            if (Next(single, Tag0))
                ReadExtensions(single.ReadSequence(Tag0));
            single.ThrowIfNotEmpty();
        }

        if (certificates.Count == 0)
            throw new AsnContentException("the request asks about nothing");
        ReadOnlyMemory<byte>? nonce = null;
        if (Next(body, Tag2))
            nonce = ReadExtensions(body.ReadSequence(Tag2));
        body.ThrowIfNotEmpty();
        return new OcspRequest(certificates, nonce);
    }

    private static OcspCertificateId ReadId(ReadOnlyMemory<byte> der)
    {
        var id = new AsnReader(der, AsnEncodingRules.DER).ReadSequence();
        var algorithm = id.ReadSequence();
        var hash = algorithm.ReadObjectIdentifier();
        if (algorithm.HasData)
            algorithm.ReadNull();
        algorithm.ThrowIfNotEmpty();
        var name = id.ReadOctetString();
        var key = id.ReadOctetString();
        var serial = id.ReadIntegerBytes();
        id.ThrowIfNotEmpty();
        if (serial.Span[0] == 0)
            serial = serial[1..];
        if (serial.Length > SerialBytes)
            throw new AsnContentException($"a serial number has more than {SerialBytes} bytes");
        return new OcspCertificateId(hash, name, key, serial, der);
    }

    /// <summary>Value of the nonce extension; null: there is none.</summary>
    private static ReadOnlyMemory<byte>? ReadExtensions(AsnReader explicitly)
    {
        var extensions = explicitly.ReadSequence();
        explicitly.ThrowIfNotEmpty();
        ReadOnlyMemory<byte>? nonce = null;
        for (var count = 0; extensions.HasData; count++)
        {
            if (count == ExtensionCount)
                throw new AsnContentException($"the request has more than {ExtensionCount} extensions");
            var extension = extensions.ReadSequence();
            var oid = extension.ReadObjectIdentifier();
            var critical = Next(extension, Asn1Tag.Boolean) && extension.ReadBoolean();
            var value = extension.ReadOctetString();
            extension.ThrowIfNotEmpty();
            if (oid == NonceOid)
            {
                if (nonce is not null)
                    throw new AsnContentException("the request has two nonces");
                var content = new AsnReader(value, AsnEncodingRules.DER);
                if (content.ReadOctetString().Length is 0 or > NonceBytes)
                    throw new AsnContentException($"a nonce has 1 to {NonceBytes} bytes");
                content.ThrowIfNotEmpty();
                nonce = value;
            }
            else if (critical)
            {
                throw new AsnContentException($"the request has the critical extension {oid}, which is not known here");
            }
        }

        return nonce;
    }

    private static bool Next(AsnReader reader, Asn1Tag tag) => reader.HasData && reader.PeekTag().HasSameClassAndValue(tag);
}

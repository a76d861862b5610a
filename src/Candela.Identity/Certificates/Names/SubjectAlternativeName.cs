using System.Formats.Asn1;
using System.Net;
using System.Security.Cryptography.X509Certificates;

namespace Candela.Identity.Certificates.Names;

/// <summary>The subject alternative name extension: <c>GeneralNames</c> of RFC 5280, section 4.2.1.6, in DER.</summary>
internal static class SubjectAlternativeName
{
    public const string Oid = "2.5.29.17";

    /// <summary>Longest single name, bytes: a SPIFFE ID (SPIFFE-ID, section 2.3).</summary>
    public const int NameBytes = 2048;

    private static readonly Asn1Tag MailTag = new(TagClass.ContextSpecific, 1);
    private static readonly Asn1Tag DnsTag = new(TagClass.ContextSpecific, 2);
    private static readonly Asn1Tag UriTag = new(TagClass.ContextSpecific, 6);
    private static readonly Asn1Tag AddressTag = new(TagClass.ContextSpecific, 7);

    public static X509Extension Write(CertificateNames names, bool critical)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            foreach (var name in names.Dns)
                writer.WriteCharacterString(UniversalTagNumber.IA5String, name, DnsTag);
            foreach (var address in names.Addresses)
                writer.WriteOctetString(address.GetAddressBytes(), AddressTag);
            foreach (var uri in names.Uris)
                writer.WriteCharacterString(UniversalTagNumber.IA5String, uri, UriTag);
            foreach (var mail in names.Mail)
                writer.WriteCharacterString(UniversalTagNumber.IA5String, mail, MailTag);
        }

        return new X509Extension(Oid, writer.Encode(), critical);
    }

    /// <summary>Names as they stand; that they are good ones is for the profile to say.</summary>
    /// <exception cref="AsnContentException">Not this extension in DER, too many names, or of another kind.</exception>
    public static CertificateNames Read(ReadOnlyMemory<byte> value)
    {
        var reader = new AsnReader(value, AsnEncodingRules.DER);
        var names = reader.ReadSequence();
        reader.ThrowIfNotEmpty();
        List<string> dns = [], uris = [], mail = [];
        List<IPAddress> addresses = [];
        for (var count = 0; names.HasData; count++)
        {
            if (count == CertificateNames.CountMaximum)
                throw new AsnContentException($"there are more than {CertificateNames.CountMaximum} names");
            var tag = names.PeekTag();
            if (tag.HasSameClassAndValue(DnsTag))
                dns.Add(ReadText(names, DnsTag));
            else if (tag.HasSameClassAndValue(UriTag))
                uris.Add(ReadText(names, UriTag));
            else if (tag.HasSameClassAndValue(MailTag))
                mail.Add(ReadText(names, MailTag));
            else if (tag.HasSameClassAndValue(AddressTag))
                addresses.Add(ReadAddress(names));
            else
                throw new AsnContentException("a name is neither a host name, an IP address, a URI nor a mail address");
        }

        return new CertificateNames { Dns = dns, Addresses = addresses, Uris = uris, Mail = mail };
    }

    private static string ReadText(AsnReader reader, Asn1Tag tag)
    {
        if (!reader.TryReadPrimitiveCharacterStringBytes(tag, out var bytes) || bytes.Length > NameBytes)
            throw new AsnContentException($"a name is longer than {NameBytes} bytes");
        foreach (var b in bytes.Span)
        {
            // No space, no NUL, nothing that a terminal or a C program would see otherwise.
            if (b is <= 0x20 or >= 0x7f)
                throw new AsnContentException($"a name holds the byte 0x{b:x2}");
        }

        return System.Text.Encoding.ASCII.GetString(bytes.Span);
    }

    private static IPAddress ReadAddress(AsnReader reader)
    {
        if (!reader.TryReadPrimitiveOctetString(out var bytes, AddressTag) || bytes.Length is not (4 or 16))
            throw new AsnContentException("an IP address has neither 4 nor 16 bytes");
        return new IPAddress(bytes.Span);
    }
}

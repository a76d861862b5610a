using System.Formats.Asn1;
using Candela.Identity.Certificates.Authorities;

namespace Candela.Identity.Certificates.Revocation;

/// <summary>What is known of one certificate.</summary>
/// <param name="Id">As asked.</param>
/// <param name="IsKnown">It was issued.</param>
/// <param name="RevokedAt">When it was revoked; null: it is good, if known.</param>
/// <param name="Reason">Why.</param>
internal readonly record struct OcspStatus(OcspCertificateId Id, bool IsKnown, DateTimeOffset? RevokedAt, RevocationReason Reason);

/// <summary>Writes OCSP responses (RFC 6960, section 4.2.1) in DER.</summary>
internal static class OcspResponse
{
    private const string Basic = "1.3.6.1.5.5.7.48.1.1";

    private static readonly Asn1Tag Tag0 = new(TagClass.ContextSpecific, 0);
    private static readonly Asn1Tag Tag1 = new(TagClass.ContextSpecific, 1);
    private static readonly Asn1Tag Tag2 = new(TagClass.ContextSpecific, 2);

    private enum ResponseStatus
    {
        Successful = 0,
        MalformedRequest = 1,
        TryLater = 3,
        Unauthorized = 6,
    }

    /// <summary>The request cannot be read.</summary>
    public static byte[] MalformedRequest { get; } = Failure(ResponseStatus.MalformedRequest);

    /// <summary>The signer is not at hand.</summary>
    public static byte[] TryLater { get; } = Failure(ResponseStatus.TryLater);

    /// <summary>The certificates are not of one of our authorities (RFC 5019, section 2.2.3).</summary>
    public static byte[] Unauthorized { get; } = Failure(ResponseStatus.Unauthorized);

    /// <summary>An answer, signed.</summary>
    /// <param name="statuses">What is known.</param>
    /// <param name="nonce">Nonce extension's value of the request.</param>
    /// <param name="signer">Delegated signer's key.</param>
    /// <param name="signerCertificate">Its certificate in DER.</param>
    /// <param name="signerKeyHash">SHA-1 of its public key.</param>
    /// <param name="now">Time.</param>
    /// <param name="next">Until when the answer may be used.</param>
    public static byte[] Write(
        IEnumerable<OcspStatus> statuses, ReadOnlyMemory<byte>? nonce, SigningKey signer, byte[] signerCertificate, byte[] signerKeyHash, DateTimeOffset now, DateTimeOffset next)
    {
        var data = Data(statuses, nonce, signerKeyHash, now, next);
        var basic = new AsnWriter(AsnEncodingRules.DER);
        using (basic.PushSequence())
        {
            basic.WriteEncodedValue(data);
            basic.WriteEncodedValue(signer.GetSignatureAlgorithmIdentifier(signer.Hash));
            basic.WriteBitString(signer.SignData(data, signer.Hash));
            using (basic.PushSequence(Tag0))
            using (basic.PushSequence())
                basic.WriteEncodedValue(signerCertificate);
        }

        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            writer.WriteEnumeratedValue(ResponseStatus.Successful);
            using (writer.PushSequence(Tag0))
            using (writer.PushSequence())
            {
                writer.WriteObjectIdentifier(Basic);
                writer.WriteOctetString(basic.Encode());
            }
        }

        return writer.Encode();
    }

    private static byte[] Data(IEnumerable<OcspStatus> statuses, ReadOnlyMemory<byte>? nonce, byte[] signerKeyHash, DateTimeOffset now, DateTimeOffset next)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            using (writer.PushSequence(Tag2))
                writer.WriteOctetString(signerKeyHash);
            writer.WriteGeneralizedTime(now, omitFractionalSeconds: true);
            using (writer.PushSequence())
            {
                foreach (var status in statuses)
                    Single(writer, status, now, next);
            }

            if (nonce is { } value)
            {
                using (writer.PushSequence(Tag1))
                using (writer.PushSequence())
                using (writer.PushSequence())
                {
                    writer.WriteObjectIdentifier(OcspRequest.NonceOid);
                    writer.WriteOctetString(value.Span);
                }
            }
        }

        return writer.Encode();
    }

    private static void Single(AsnWriter writer, OcspStatus status, DateTimeOffset now, DateTimeOffset next)
    {
        using (writer.PushSequence())
        {
            writer.WriteEncodedValue(status.Id.Der.Span);
            if (status.RevokedAt is { } at)
            {
                using (writer.PushSequence(Tag1))
                {
                    writer.WriteGeneralizedTime(at, omitFractionalSeconds: true);
                    if (status.Reason != RevocationReason.Unspecified)
                    {
                        using (writer.PushSequence(Tag0))
                            writer.WriteEnumeratedValue(status.Reason);
                    }
                }
            }
            else
            {
                writer.WriteNull(status.IsKnown ? Tag0 : Tag2);
            }

            writer.WriteGeneralizedTime(now, omitFractionalSeconds: true);
            using (writer.PushSequence(Tag0))
                writer.WriteGeneralizedTime(next, omitFractionalSeconds: true);
        }
    }

    private static byte[] Failure(ResponseStatus status)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
            writer.WriteEnumeratedValue(status);
        return writer.Encode();
    }
}

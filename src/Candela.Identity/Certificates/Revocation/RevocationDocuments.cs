namespace Candela.Identity.Certificates.Revocation;

/// <summary>A revoked certificate as lists need it; deleted some time after the certificate has expired.</summary>
/// <param name="At">When it was revoked.</param>
/// <param name="Reason">Why.</param>
/// <param name="NotAfter">When the certificate expires.</param>
internal sealed record RevocationDocument(DateTimeOffset At, RevocationReason Reason, DateTimeOffset NotAfter);

/// <summary>An authority's last list.</summary>
/// <param name="Number">CRL number (RFC 5280, section 5.2.3).</param>
/// <param name="ThisUpdate">When it was made.</param>
/// <param name="NextUpdate">Until when it is valid.</param>
/// <param name="Revision">Revision of the last revocation in it.</param>
/// <param name="Der">The list.</param>
internal sealed record CrlDocument(long Number, DateTimeOffset ThisUpdate, DateTimeOffset NextUpdate, long Revision, byte[] Der);

/// <summary>A delegated OCSP signer.</summary>
/// <param name="Certificate">Its certificate in DER.</param>
/// <param name="Key">Private key (PKCS #8), sealed.</param>
/// <param name="NotAfter">When the certificate expires.</param>
internal sealed record OcspSignerDocument(byte[] Certificate, byte[] Key, DateTimeOffset NotAfter);

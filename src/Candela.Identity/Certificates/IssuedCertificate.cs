using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Serialization;
using Candela.Identity.Certificates.Revocation;

namespace Candela.Identity.Certificates;

/// <summary>A certificate that was issued, and what became of it.</summary>
public sealed record IssuedCertificate
{
    /// <summary>Serial number, 32 hexadecimal digits in upper case: unique over all authorities.</summary>
    public required string Serial { get; init; }

    /// <summary>Id of the authority that issued it.</summary>
    public required string Authority { get; init; }

    /// <summary>Its profile.</summary>
    public required string Profile { get; init; }

    /// <summary>Who answers for it, such as <c>container:ID</c>, <c>machine:NAME</c>, <c>acme:ACCOUNT</c>.</summary>
    public required string Owner { get; init; }

    /// <summary>Subject as text, from the outermost part on.</summary>
    public required string Subject { get; init; }

    /// <summary>Subject alternative names.</summary>
    public required IReadOnlyList<string> Names { get; init; }

    /// <summary>From when on it is valid.</summary>
    public required DateTimeOffset NotBefore { get; init; }

    /// <summary>Until when it is valid.</summary>
    public required DateTimeOffset NotAfter { get; init; }

    /// <summary>The certificate in DER.</summary>
    public required ReadOnlyMemory<byte> Der { get; init; }

    /// <summary>When it was revoked; null: it was not.</summary>
    public DateTimeOffset? RevokedAt { get; init; }

    /// <summary>Why it was revoked; null: it was not.</summary>
    public RevocationReason? Reason { get; init; }

    /// <summary>The authorities above it without the root, nearest first, in DER.</summary>
    [JsonIgnore]
    public IReadOnlyList<ReadOnlyMemory<byte>> Chain { get; init; } = [];

    /// <summary>Certificate and chain as PEM (RFC 7468), as servers want them.</summary>
    public string ToPem()
    {
        var text = new StringBuilder();
        foreach (var der in Chain.Prepend(Der))
            text.Append(PemEncodingOf(der)).Append('\n');
        return text.ToString();
    }

    internal static string PemEncodingOf(ReadOnlyMemory<byte> der) => System.Security.Cryptography.PemEncoding.WriteString("CERTIFICATE", der.Span);

    /// <summary>The certificate for .NET's own use; the caller disposes of it.</summary>
    public X509Certificate2 ToCertificate() => X509CertificateLoader.LoadCertificate(Der.Span);
}

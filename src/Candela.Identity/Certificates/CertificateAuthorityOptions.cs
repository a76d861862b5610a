using Candela.Identity.Certificates.Names;

namespace Candela.Identity.Certificates;

/// <summary>Settings of the certificate authority. All controllers of an installation have the same.</summary>
public sealed record CertificateAuthorityOptions
{
    /// <summary>
    /// Name of the trust domain, a host name in lower case (SPIFFE-ID, section 2.1). It stands in every workload's identity: it cannot be
    /// changed later.
    /// </summary>
    public string TrustDomain { get; init; } = "candela.internal";

    /// <summary>Organization in the authorities' names; at most 64 characters.</summary>
    public string Organization { get; init; } = "Candela";

    /// <summary>
    /// Where others reach the endpoints <c>crl</c>, <c>ocsp</c> and <c>certificates</c> (http, since whoever checks a certificate cannot check
    /// this one's first); null: certificates name none.
    /// </summary>
    public Uri? PublicUrl { get; init; }

    /// <summary>How long a new root is valid.</summary>
    public TimeSpan RootLifetime { get; init; } = TimeSpan.FromDays(3650);

    /// <summary>How long a new issuing authority is valid; it issues for half that time.</summary>
    public TimeSpan IssuingLifetime { get; init; } = TimeSpan.FromDays(365);

    /// <summary>How long a list of revoked certificates is valid; it is renewed at half that time, and soon after a revocation.</summary>
    public TimeSpan CrlLifetime { get; init; } = TimeSpan.FromHours(24);

    /// <summary>How long the root's list is valid: long, since an offline root signs seldom.</summary>
    public TimeSpan RootCrlLifetime { get; init; } = TimeSpan.FromDays(365);

    /// <summary>How far a certificate's time reaches back, for clocks that are slow.</summary>
    public TimeSpan Backdating { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>How long the record of an expired certificate is kept.</summary>
    public TimeSpan RecordRetention { get; init; } = TimeSpan.FromDays(30);

    /// <summary>The same of workloads' certificates, of which there are many.</summary>
    public TimeSpan WorkloadRecordRetention { get; init; } = TimeSpan.FromHours(1);

    /// <exception cref="ArgumentException">A value is out of range; the message says which.</exception>
    internal void Check()
    {
        if (TrustDomain != DnsNames.Check(TrustDomain, allowWildcard: false))
            throw new ArgumentException($"The trust domain {TrustDomain} must be in lower case.");
        if (Organization.Length is 0 or > 64)
            throw new ArgumentException("The organization's name has 1 to 64 characters.");
        if (PublicUrl is { } url && (!url.IsAbsoluteUri || url.Scheme is not ("http" or "https") || url.Query.Length + url.Fragment.Length > 0))
            throw new ArgumentException($"The public URL {url} must begin with http:// and have neither query nor fragment.");
        if (IssuingLifetime < TimeSpan.FromHours(1) || RootLifetime < IssuingLifetime || CrlLifetime < TimeSpan.FromMinutes(1) || RootCrlLifetime < CrlLifetime ||
            Backdating < TimeSpan.Zero || RecordRetention < TimeSpan.Zero || WorkloadRecordRetention < TimeSpan.Zero)
            throw new ArgumentException("Lifetimes must be positive, the root's the longest: root ≥ issuing ≥ 1 hour, root CRL ≥ CRL ≥ 1 minute.");
    }

    /// <summary>An endpoint's address for certificates to name; null when there is none.</summary>
    internal string? UrlOf(string path) => PublicUrl is null ? null : $"{PublicUrl.AbsoluteUri.TrimEnd('/')}/{path}";
}

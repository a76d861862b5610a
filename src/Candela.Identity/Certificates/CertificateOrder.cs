using Candela.Identity.Certificates.Names;

namespace Candela.Identity.Certificates;

/// <summary>What certificate is wanted. Whoever places an order has already decided that its owner may have these names.</summary>
public sealed record CertificateOrder
{
    /// <summary>Profile, such as <see cref="Profiles.CertificateProfile.Server"/>.</summary>
    public required string Profile { get; init; }

    /// <summary>Who answers for it, such as <c>user:ID</c>; at most 256 characters. Its certificates can be listed and revoked together.</summary>
    public required string Owner { get; init; }

    /// <summary>Subject alternative names.</summary>
    public CertificateNames Names { get; init; } = CertificateNames.None;

    /// <summary>Common name; of profiles with host names one of these, or null.</summary>
    public string? CommonName { get; init; }

    /// <summary>How long it is valid; null: the profile's default.</summary>
    public TimeSpan? Lifetime { get; init; }
}

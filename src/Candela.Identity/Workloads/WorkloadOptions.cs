namespace Candela.Identity.Workloads;

/// <summary>Settings of workload identity.</summary>
public sealed record WorkloadOptions
{
    /// <summary>How long an X.509-SVID is valid; a new one comes at half that time. At most the workload profile's maximum.</summary>
    public TimeSpan X509Lifetime { get; init; } = TimeSpan.FromHours(1);

    /// <summary>How long a JWT-SVID is valid.</summary>
    public TimeSpan JwtLifetime { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>How long a key signs JWT-SVIDs.</summary>
    public TimeSpan JwtKeyLifetime { get; init; } = TimeSpan.FromHours(24);

    /// <summary>How long a new key is published before it signs: more than others take to fetch the bundle (<see cref="BundleRefresh"/>).</summary>
    public TimeSpan JwtKeyAnnouncement { get; init; } = TimeSpan.FromHours(1);

    /// <summary>How often other trust domains should fetch the bundle (<c>spiffe_refresh_hint</c>).</summary>
    public TimeSpan BundleRefresh { get; init; } = TimeSpan.FromMinutes(5);

    internal void Check()
    {
        if (X509Lifetime < TimeSpan.FromMinutes(1) || JwtLifetime < TimeSpan.FromSeconds(10) || BundleRefresh < TimeSpan.FromSeconds(1) ||
            JwtKeyAnnouncement < BundleRefresh || JwtKeyLifetime < 2 * JwtKeyAnnouncement)
            throw new ArgumentException("Lifetimes of workload identity: X.509-SVID ≥ 1 minute, JWT-SVID ≥ 10 s, key announcement ≥ bundle refresh ≥ 1 s, key lifetime ≥ twice its announcement.");
    }
}

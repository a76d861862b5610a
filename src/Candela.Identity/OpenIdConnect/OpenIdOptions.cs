namespace Candela.Identity.OpenIdConnect;

/// <summary>Lifetimes of what the OpenID provider gives out. All controllers of an installation have the same.</summary>
public sealed record OpenIdOptions
{
    /// <summary>How long an access token is valid; a client may have less.</summary>
    public TimeSpan AccessTokenLifetime { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>How long an ID token is valid.</summary>
    public TimeSpan IdTokenLifetime { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>How long an authorization code can be redeemed (RFC 6749, section 4.1.2: at most ten minutes).</summary>
    public TimeSpan CodeLifetime { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>How long a refresh token that is not used can be.</summary>
    public TimeSpan RefreshIdleTime { get; init; } = TimeSpan.FromDays(30);

    /// <summary>How long a refresh token and its successors are good for, whatever their use.</summary>
    public TimeSpan RefreshLifetime { get; init; } = TimeSpan.FromDays(90);

    /// <summary>How long a device waits for its user (RFC 8628, section 3.2).</summary>
    public TimeSpan DeviceLifetime { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>How long a device waits between two questions.</summary>
    public TimeSpan DeviceInterval { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long a key signs.</summary>
    public TimeSpan KeyLifetime { get; init; } = TimeSpan.FromDays(30);

    /// <summary>How long a key is published before it signs: more than clients keep the key set.</summary>
    public TimeSpan KeyAnnouncement { get; init; } = TimeSpan.FromDays(1);

    /// <exception cref="ArgumentException">What is out of range.</exception>
    internal void Check()
    {
        var minute = TimeSpan.FromMinutes(1);
        if (AccessTokenLifetime < TimeSpan.FromSeconds(10) || AccessTokenLifetime > TimeSpan.FromHours(1) || IdTokenLifetime < minute || IdTokenLifetime > TimeSpan.FromHours(1) ||
            CodeLifetime < TimeSpan.FromSeconds(10) || CodeLifetime > 10 * minute || RefreshIdleTime < minute || RefreshLifetime < RefreshIdleTime ||
            DeviceLifetime < minute || DeviceLifetime > TimeSpan.FromHours(1) || DeviceInterval < TimeSpan.FromSeconds(1) ||
            KeyAnnouncement < minute || KeyLifetime < 2 * KeyAnnouncement)
            throw new ArgumentException("OpenID Connect: access tokens 10 s to 1 h, ID tokens 1 min to 1 h, codes 10 s to 10 min, refresh idle ≤ refresh lifetime, devices 1 min to 1 h, key lifetime ≥ twice its announcement.");
    }
}

namespace Candela.Identity.OpenIdConnect.Grants;

/// <summary>How far a device's user is.</summary>
internal enum DeviceState
{
    Pending,
    Allowed,
    Denied,
}

/// <summary>A device that waits for its user.</summary>
internal sealed record DeviceDocument
{
    public required string ClientId { get; init; }

    public required string UserCode { get; init; }

    public required IReadOnlyList<string> Scopes { get; init; }

    public required IReadOnlyList<string> Audiences { get; init; }

    public required DateTimeOffset ExpiresAt { get; init; }

    public DeviceState State { get; init; }

    /// <summary>What the user has allowed.</summary>
    public GrantDocument? Grant { get; init; }

    /// <summary>When the device last asked.</summary>
    public DateTimeOffset? AskedAt { get; init; }

    public required int IntervalSeconds { get; init; }
}

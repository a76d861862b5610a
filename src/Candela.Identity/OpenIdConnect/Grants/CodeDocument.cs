namespace Candela.Identity.OpenIdConnect.Grants;

/// <summary>An authorization code that was given out.</summary>
internal sealed record CodeDocument
{
    public required GrantDocument Grant { get; init; }

    public required string RedirectUri { get; init; }

    /// <summary>S256 challenge (RFC 7636, section 4.2).</summary>
    public required string Challenge { get; init; }

    public required DateTimeOffset ExpiresAt { get; init; }

    /// <summary>Grant that it was redeemed for; null: not yet.</summary>
    public string? RedeemedFor { get; init; }
}

namespace Candela.Identity.OpenIdConnect.Grants;

/// <summary>What an account has allowed a client: all tokens of one sign-in or device are of one grant, and end with it.</summary>
internal sealed record GrantDocument
{
    public required string ClientId { get; init; }

    public required Guid AccountId { get; init; }

    public required IReadOnlyList<string> Scopes { get; init; }

    /// <summary>For whom access tokens are, unless fewer are asked for.</summary>
    public required IReadOnlyList<string> Audiences { get; init; }

    public required DateTimeOffset AuthenticatedAt { get; init; }

    public required IReadOnlyList<string> Methods { get; init; }

    /// <summary>Browser session of the sign-in: named in ID tokens.</summary>
    public string? SessionId { get; init; }

    /// <summary>It outlives the session.</summary>
    public bool IsOffline { get; init; }

    public string? Nonce { get; init; }

    /// <summary>Number of the refresh token that counts.</summary>
    public int Sequence { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public required DateTimeOffset ExpiresAt { get; init; }
}

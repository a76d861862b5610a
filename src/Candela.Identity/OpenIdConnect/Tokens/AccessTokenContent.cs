namespace Candela.Identity.OpenIdConnect.Tokens;

/// <summary>What an access token says (RFC 9068, section 2.2).</summary>
internal sealed record AccessTokenContent
{
    /// <summary>Account id, SPIFFE ID, or the client's id.</summary>
    public required string Subject { get; init; }

    public required string ClientId { get; init; }

    public required IReadOnlyList<string> Audiences { get; init; }

    public required IReadOnlyList<string> Scopes { get; init; }

    public required DateTimeOffset ExpiresAt { get; init; }

    /// <summary>Grant that it lasts no longer than; null: it has none.</summary>
    public string? GrantId { get; init; }

    /// <summary>When and how the account signed in; null: it has not, a program acts for itself.</summary>
    public DateTimeOffset? AuthenticatedAt { get; init; }

    public IReadOnlyList<string> Methods { get; init; } = [];

    /// <summary>Thumbprint of the TLS certificate without which it is worth nothing (RFC 8705, section 3.1).</summary>
    public string? Thumbprint { get; init; }

    /// <summary>Client that acts for the subject by token exchange (RFC 8693, section 4.1).</summary>
    public string? Actor { get; init; }

    /// <summary>Container whose end ends it, too; of workloads.</summary>
    public string? Container { get; init; }
}

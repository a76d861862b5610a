using System.Text.Json;
using Candela.Identity.Accounts;
using Candela.Identity.Workloads;

namespace Candela.Identity.OpenIdConnect.Tokens;

/// <summary>A good access token.</summary>
public sealed record AccessToken
{
    /// <summary>Its id (<c>jti</c>).</summary>
    public required string Id { get; init; }

    /// <summary>Whom it speaks for: an account's id, a SPIFFE ID, or the client's id.</summary>
    public required string Subject { get; init; }

    /// <summary>Account whose rights count; null: it speaks for a workload or a client only.</summary>
    public DirectoryEntry? Account { get; init; }

    /// <summary>Workload whose rights count; null: it speaks for none.</summary>
    public SpiffeId? Workload { get; init; }

    /// <summary>Client that it was given to.</summary>
    public required string ClientId { get; init; }

    /// <summary>For whom it is.</summary>
    public required IReadOnlyList<string> Audiences { get; init; }

    /// <summary>What it is good for.</summary>
    public required IReadOnlyList<string> Scopes { get; init; }

    /// <summary>Until when it is valid.</summary>
    public required DateTimeOffset ExpiresAt { get; init; }

    /// <summary>Grant that it comes from; null: none.</summary>
    public string? GrantId { get; init; }

    /// <summary>All claims.</summary>
    internal JsonElement Claims { get; init; }
}

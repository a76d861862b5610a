using System.Text.Json.Serialization;

namespace Candela.Cli.Remote;

/// <summary>A daemon elsewhere, as kept in a file that only its user can read.</summary>
internal sealed record SavedContext
{
    /// <summary>Scheme, host and port; also the issuer of its tokens.</summary>
    public required string Url { get; init; }

    /// <summary>Whom to trust, PEM; null: whom this host trusts.</summary>
    public string? Roots { get; init; }

    /// <summary>OAuth client that signs in.</summary>
    public string? ClientId { get; init; }

    /// <summary>Secret of a client that is there for itself; null: people sign in.</summary>
    public string? ClientSecret { get; init; }

    /// <summary>Path of the token endpoint.</summary>
    public string? TokenPath { get; init; }

    /// <summary>Path of the revocation endpoint.</summary>
    public string? RevocationPath { get; init; }

    /// <summary>Who is signed in, as the daemon calls them; null: nobody.</summary>
    public string? Account { get; init; }

    /// <summary>Access token; null: none.</summary>
    public string? AccessToken { get; init; }

    /// <summary>Until when it is good, by this host's clock.</summary>
    public DateTimeOffset ExpiresAt { get; init; }

    /// <summary>Refresh token, good once; null: none.</summary>
    public string? RefreshToken { get; init; }

    /// <summary>The same without anything that signs in.</summary>
    public SavedContext SignedOut() => this with { Account = null, AccessToken = null, ExpiresAt = default, RefreshToken = null, ClientSecret = null };
}

/// <summary>Serialization without reflection.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, WriteIndented = true)]
[JsonSerializable(typeof(SavedContext))]
internal sealed partial class ContextJson : JsonSerializerContext;

using System.Text.Json.Serialization;

namespace Candela.Identity.OpenIdConnect.Clients;

/// <summary>A program that people sign in to, or that gets tokens itself (RFC 6749, section 2).</summary>
public sealed record OAuthClient
{
    /// <summary>Its <c>client_id</c>: <c>NAME@DOMAIN</c>, unique; never changes.</summary>
    public required string Id { get; init; }

    /// <summary>Domain that it belongs to. Of a tenant's, only the tenant's accounts can sign in to it.</summary>
    public required Guid DomainId { get; init; }

    /// <summary>Name as shown to people; null: the id.</summary>
    public string? DisplayName { get; init; }

    /// <summary>False: it gets nothing, and what it has counts no more.</summary>
    public bool Enabled { get; init; } = true;

    /// <summary>How it proves who it is.</summary>
    public required ClientAuthentication Authentication { get; init; }

    /// <summary>Ways to a token that it may use: some of <see cref="GrantTypes"/>.</summary>
    public required IReadOnlyList<string> Grants { get; init; }

    /// <summary>
    /// Where people may be led back to, compared character by character; at <c>http://127.0.0.1/</c> and <c>http://[::1]/</c> with any port
    /// (RFC 8252, section 7.3).
    /// </summary>
    public IReadOnlyList<string> RedirectUris { get; init; } = [];

    /// <summary>Where people may be led back to when they have signed out.</summary>
    public IReadOnlyList<string> PostLogoutRedirectUris { get; init; } = [];

    /// <summary>What its tokens can be good for.</summary>
    public IReadOnlyList<string> Scopes { get; init; } = [];

    /// <summary>For whom it may get tokens (RFC 8707); the first is meant when it names none. Empty: only for the provider itself.</summary>
    public IReadOnlyList<string> Audiences { get; init; } = [];

    /// <summary>SHA-256 digests of its secrets: they have 256 random bits, so nothing slow is needed.</summary>
    public IReadOnlyList<ClientSecret> Secrets { get; init; } = [];

    /// <summary>Its public keys as a JSON web key set.</summary>
    public string? Jwks { get; init; }

    /// <summary>Owner of the certificate that it shows, such as <c>service-account:ID</c>, or a subject alternative name.</summary>
    public string? TlsSubject { get; init; }

    /// <summary>SHA-256 thumbprints, base64url, of self-signed certificates that it may show.</summary>
    public IReadOnlyList<string> TlsThumbprints { get; init; } = [];

    /// <summary>Access tokens are bound to the TLS certificate that it shows (RFC 8705, section 3).</summary>
    public bool BoundTokens { get; init; }

    /// <summary>Account whose rights its own tokens (client credentials) have; null: they have none in Candela.</summary>
    public Guid? ServiceAccountId { get; init; }

    /// <summary>People are not asked whether they agree: it belongs to the installation.</summary>
    public bool Trusted { get; init; }

    /// <summary>Lifetime of its access tokens, seconds; null: the provider's.</summary>
    public int? AccessTokenSeconds { get; init; }

    /// <summary>What its ID tokens are signed by: ES256 or RS256; null: ES256.</summary>
    public string? IdTokenAlgorithm { get; init; }

    /// <summary>Where it is told that a session has ended (OpenID Connect Back-Channel Logout 1.0); null: nowhere.</summary>
    public string? BackChannelLogoutUri { get; init; }

    /// <summary>When it was made.</summary>
    public DateTimeOffset CreatedAt { get; init; }

    /// <summary>When it was last changed.</summary>
    public DateTimeOffset ModifiedAt { get; init; }

    /// <summary>Revision of the state store that last changed it.</summary>
    [JsonIgnore]
    public long Revision { get; init; }

    /// <summary>Name as shown to people.</summary>
    [JsonIgnore]
    public string ShownName => DisplayName ?? Id;
}

/// <summary>A secret as stored.</summary>
/// <param name="Digest">SHA-256.</param>
/// <param name="CreatedAt">When it was made.</param>
/// <param name="ExpiresAt">Until when it counts; null: until it is replaced.</param>
public sealed record ClientSecret(byte[] Digest, DateTimeOffset CreatedAt, DateTimeOffset? ExpiresAt);

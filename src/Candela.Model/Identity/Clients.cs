namespace Candela.Model.Identity;

/// <summary>A program that people sign in to, or that gets tokens itself, by OpenID Connect or OAuth.</summary>
public sealed record ClientReport
{
    /// <summary>Its <c>client_id</c>: <c>NAME@DOMAIN</c>.</summary>
    public required string Id { get; init; }

    /// <summary>Name as shown to people.</summary>
    public string? DisplayName { get; init; }

    /// <summary>False: it gets nothing, and what it has counts no more.</summary>
    public required bool Enabled { get; init; }

    /// <summary>How it proves who it is: <c>none</c>, <c>secret</c>, <c>private-key-jwt</c>, <c>tls</c> or <c>self-signed-tls</c>.</summary>
    public required string Authentication { get; init; }

    /// <summary>Ways to a token that it may use, by their registered names.</summary>
    public required IReadOnlyList<string> Grants { get; init; }

    /// <summary>Where people may be led back to.</summary>
    public IReadOnlyList<string>? RedirectUris { get; init; }

    /// <summary>Where people may be led back to when they have signed out.</summary>
    public IReadOnlyList<string>? PostLogoutRedirectUris { get; init; }

    /// <summary>What its tokens can be good for.</summary>
    public IReadOnlyList<string>? Scopes { get; init; }

    /// <summary>For whom it may get tokens; the first is meant when it names none.</summary>
    public IReadOnlyList<string>? Audiences { get; init; }

    /// <summary>Public keys, a JSON web key set.</summary>
    public string? Jwks { get; init; }

    /// <summary>Owner or name of the certificate that it shows.</summary>
    public string? TlsSubject { get; init; }

    /// <summary>Its access tokens are bound to the TLS certificate that it shows.</summary>
    public required bool BoundTokens { get; init; }

    /// <summary>Service account whose rights its own tokens have, <c>NAME@DOMAIN</c>.</summary>
    public string? ServiceAccount { get; init; }

    /// <summary>People are not asked whether they agree.</summary>
    public required bool Trusted { get; init; }

    /// <summary>How many secrets it has; the secrets themselves are nowhere kept.</summary>
    public required int SecretCount { get; init; }

    /// <summary>What its ID tokens are signed by, where it is not ES256.</summary>
    public string? IdTokenAlgorithm { get; init; }

    /// <summary>Where it is told that a session has ended.</summary>
    public string? BackChannelLogoutUri { get; init; }

    /// <summary>When it was made.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>When it was last changed.</summary>
    public required DateTimeOffset ModifiedAt { get; init; }
}

/// <summary>A client, and a secret that cannot be shown again.</summary>
public sealed record ClientSecretReport
{
    /// <summary>The client.</summary>
    public required ClientReport Client { get; init; }

    /// <summary>Its secret; absent: it has none.</summary>
    public string? Secret { get; init; }

    /// <summary>Without the secret.</summary>
    public override string ToString() => $"{nameof(ClientSecretReport)} {Client.Id}";
}

/// <summary>Registration of a client.</summary>
public sealed record CreateClientRequest
{
    /// <summary>Name: small letters, digits, <c>-</c>, <c>.</c> and <c>_</c>.</summary>
    public required string Name { get; init; }

    /// <summary>Name as shown to people.</summary>
    public string? DisplayName { get; init; }

    /// <summary>As in <see cref="ClientReport.Authentication"/>.</summary>
    public required string Authentication { get; init; }

    /// <summary>As in <see cref="ClientReport.Grants"/>.</summary>
    public required IReadOnlyList<string> Grants { get; init; }

    /// <summary>Where people may be led back to, exactly.</summary>
    public IReadOnlyList<string>? RedirectUris { get; init; }

    /// <summary>Where people may be led back to when they have signed out, exactly.</summary>
    public IReadOnlyList<string>? PostLogoutRedirectUris { get; init; }

    /// <summary>What its tokens can be good for.</summary>
    public IReadOnlyList<string>? Scopes { get; init; }

    /// <summary>For whom it may get tokens.</summary>
    public IReadOnlyList<string>? Audiences { get; init; }

    /// <summary>Public keys, a JSON web key set.</summary>
    public string? Jwks { get; init; }

    /// <summary>Owner or name of the certificate that it shows.</summary>
    public string? TlsSubject { get; init; }

    /// <summary>Self-signed certificate that it shows, PEM.</summary>
    public string? Certificate { get; init; }

    /// <summary>Bind its access tokens to the TLS certificate that it shows.</summary>
    public bool BoundTokens { get; init; }

    /// <summary>Service account whose rights its own tokens have, <c>NAME@DOMAIN</c>.</summary>
    public string? ServiceAccount { get; init; }

    /// <summary>Do not ask people whether they agree.</summary>
    public bool Trusted { get; init; }

    /// <summary>What its ID tokens are signed by (<c>id_token_signed_response_alg</c>): <c>ES256</c> (default) or <c>RS256</c>.</summary>
    public string? IdTokenAlgorithm { get; init; }

    /// <summary>Where it is told that a session has ended (<c>backchannel_logout_uri</c>).</summary>
    public string? BackChannelLogoutUri { get; init; }
}

/// <summary>Another secret for a client.</summary>
public sealed record RotateSecretRequest
{
    /// <summary>For how long the former secrets go on to count, seconds; 0: they end at once.</summary>
    public int KeepSeconds { get; init; }
}

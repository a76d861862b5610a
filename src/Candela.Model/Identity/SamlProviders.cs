namespace Candela.Model.Identity;

/// <summary>A SAML service provider.</summary>
public sealed record SamlProviderReport
{
    /// <summary>Name.</summary>
    public required string Name { get; init; }

    /// <summary>Domain whose accounts sign in there.</summary>
    public required string Domain { get; init; }

    /// <summary>What people are told to sign in to.</summary>
    public string? DisplayName { get; init; }

    /// <summary>Its entity id.</summary>
    public required string EntityId { get; init; }

    /// <summary>Where responses go, the default first.</summary>
    public required IReadOnlyList<string> ConsumerAddresses { get; init; }

    /// <summary>Where logout messages go.</summary>
    public string? LogoutAddress { get; init; }

    /// <summary>SHA-256 of the certificates that its messages are verified with, hexadecimal.</summary>
    public required IReadOnlyList<string> SigningCertificates { get; init; }

    /// <summary>SHA-256 of the certificate that assertions are encrypted for, hexadecimal.</summary>
    public string? EncryptionCertificate { get; init; }

    /// <summary>Its requests must be signed.</summary>
    public required bool RequireSignedRequests { get; init; }

    /// <summary><c>persistent</c>, <c>email</c> or <c>transient</c>.</summary>
    public required string NameId { get; init; }

    /// <summary>What it is told: its names, and what they are.</summary>
    public required IReadOnlyDictionary<string, string> Attributes { get; init; }

    /// <summary>Groups whose members may sign in there; empty: all of the domain.</summary>
    public required IReadOnlyList<string> AllowedGroups { get; init; }

    /// <summary>It may be used.</summary>
    public required bool Enabled { get; init; }

    /// <summary>When it was registered.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>For updates that must not overwrite another one.</summary>
    public required long Revision { get; init; }
}

/// <summary>Registration or change of a SAML service provider: what is absent stays, or comes from the metadata.</summary>
public sealed record SamlProviderRequest
{
    /// <summary>Name; of a registration only.</summary>
    public string? Name { get; init; }

    /// <summary>Its metadata (XML).</summary>
    public string? Metadata { get; init; }

    /// <summary>What people are told to sign in to; empty: the name.</summary>
    public string? DisplayName { get; init; }

    /// <summary>Its entity id.</summary>
    public string? EntityId { get; init; }

    /// <summary>Where responses go, the default first.</summary>
    public IReadOnlyList<string>? ConsumerAddresses { get; init; }

    /// <summary>Where logout messages go, by Redirect; empty: nowhere.</summary>
    public string? LogoutAddress { get; init; }

    /// <summary>Certificates (PEM) that its messages are verified with.</summary>
    public IReadOnlyList<string>? SigningCertificates { get; init; }

    /// <summary>Certificate (PEM) that assertions are encrypted for; empty: none.</summary>
    public string? EncryptionCertificate { get; init; }

    /// <summary>Its requests must be signed.</summary>
    public bool? RequireSignedRequests { get; init; }

    /// <summary><c>persistent</c>, <c>email</c> or <c>transient</c>.</summary>
    public string? NameId { get; init; }

    /// <summary>All that it is told from now on: its names, and what they are.</summary>
    public IReadOnlyDictionary<string, string>? Attributes { get; init; }

    /// <summary>Names of the groups whose members may sign in there; empty: all of the domain.</summary>
    public IReadOnlyList<string>? AllowedGroups { get; init; }

    /// <summary>It may be used.</summary>
    public bool? Enabled { get; init; }

    /// <summary>Revision that it must have; absent: any.</summary>
    public long? Revision { get; init; }
}

/// <summary>A key that signs SAML messages.</summary>
/// <param name="Id">Id.</param>
/// <param name="SignsFrom">When it begins to sign.</param>
/// <param name="NotAfter">End of its certificate.</param>
/// <param name="Fingerprint">SHA-256 of its certificate, hexadecimal.</param>
/// <param name="IsCurrent">It signs now.</param>
public sealed record SamlKeyReport(string Id, DateTimeOffset SignsFrom, DateTimeOffset NotAfter, string Fingerprint, bool IsCurrent);

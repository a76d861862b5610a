using Candela.Identity.Certificates.Profiles;

namespace Candela.Identity.Certificates.Authorities;

/// <summary>An authority as stored.</summary>
internal sealed record AuthorityDocument
{
    /// <summary>First half of the SHA-256 of its public key, hexadecimal.</summary>
    public required string Id { get; init; }

    /// <summary>What it issues; null: it is a root, which issues authorities.</summary>
    public AuthorityPurpose? Purpose { get; init; }

    /// <summary>Certificate in DER; null: it waits for the root to sign <see cref="Request"/>.</summary>
    public byte[]? Certificate { get; init; }

    /// <summary>Private key (PKCS #8), sealed; null: kept elsewhere.</summary>
    public byte[]? Key { get; init; }

    /// <summary>Signing request in DER, while it waits for its certificate.</summary>
    public byte[]? Request { get; init; }

    /// <summary>Root that signed it; null for a root.</summary>
    public string? Root { get; init; }

    /// <summary>When it was made.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>A root that is no longer to be trusted; an issuing authority that was revoked.</summary>
    public bool Withdrawn { get; init; }
}

/// <summary>Which authorities are in use. Changed by compare-and-swap: two controllers never make two roots.</summary>
internal sealed record CurrentAuthorities
{
    /// <summary>Root that signs new issuing authorities.</summary>
    public required string Root { get; init; }

    /// <summary>Issues for servers, clients and machines.</summary>
    public required string General { get; init; }

    /// <summary>Issues for workloads.</summary>
    public required string Workload { get; init; }

    public string Of(AuthorityPurpose purpose) => purpose == AuthorityPurpose.Workload ? Workload : General;

    public CurrentAuthorities With(AuthorityPurpose purpose, string id) => purpose == AuthorityPurpose.Workload ? this with { Workload = id } : this with { General = id };
}

namespace Candela.Model.Identity;

/// <summary>A certificate on record.</summary>
public sealed record CertificateReport
{
    /// <summary>Serial number, hexadecimal.</summary>
    public required string Serial { get; init; }

    /// <summary>Its profile.</summary>
    public required string Profile { get; init; }

    /// <summary>Who answers for it: an account, or for example <c>container:ID</c>.</summary>
    public required string Owner { get; init; }

    /// <summary>Subject.</summary>
    public required string Subject { get; init; }

    /// <summary>Subject alternative names.</summary>
    public required IReadOnlyList<string> Names { get; init; }

    /// <summary>From when on it is valid.</summary>
    public required DateTimeOffset NotBefore { get; init; }

    /// <summary>Until when it is valid.</summary>
    public required DateTimeOffset NotAfter { get; init; }

    /// <summary>When it was revoked; absent: it was not.</summary>
    public DateTimeOffset? RevokedAt { get; init; }

    /// <summary>Certificate and chain in PEM; only in the answer to its request and where one is shown.</summary>
    public string? Pem { get; init; }
}

/// <summary>Asks for a client certificate.</summary>
public sealed record RequestCertificateRequest
{
    /// <summary>Account that it will be good for: <c>user:NAME@DOMAIN</c> or <c>service-account:NAME@DOMAIN</c>.</summary>
    public required string Owner { get; init; }

    /// <summary>Signing request (PKCS #10) in PEM: of it the key counts, and that its sender holds it.</summary>
    public required string Request { get; init; }

    /// <summary>How long it is to be valid, hours; absent: the profile's default.</summary>
    public int? LifetimeHours { get; init; }
}

/// <summary>Whom to trust.</summary>
/// <param name="Pem">Roots of the platform's certificate authority, PEM.</param>
public sealed record RootsReport(string Pem);

/// <summary>Who one is to the API.</summary>
/// <param name="Name">Name, as in the audit log.</param>
/// <param name="Subject">Whose rights count, by stable id: <c>entry:ID</c> or <c>workload:TENANT/PROJECT/NAME</c>; absent: one may do everything.</param>
/// <param name="From">Where the call came from.</param>
public sealed record WhoAmIReport(string Name, string? Subject, string From);

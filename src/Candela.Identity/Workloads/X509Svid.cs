namespace Candela.Identity.Workloads;

/// <summary>An X.509-SVID and its private key, as a workload gets it.</summary>
public sealed record X509Svid
{
    /// <summary>Whose it is.</summary>
    public required SpiffeId Id { get; init; }

    /// <summary>Certificate and those of the authorities above it without the root, in DER.</summary>
    public required IReadOnlyList<ReadOnlyMemory<byte>> Chain { get; init; }

    /// <summary>Private key as PKCS #8, unencrypted: for the workload alone, and nowhere kept but in memory.</summary>
    public required ReadOnlyMemory<byte> PrivateKey { get; init; }

    /// <summary>Serial number, hexadecimal.</summary>
    public required string Serial { get; init; }

    /// <summary>When it was issued.</summary>
    public required DateTimeOffset IssuedAt { get; init; }

    /// <summary>Until when it is valid.</summary>
    public required DateTimeOffset NotAfter { get; init; }
}

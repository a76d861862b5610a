using System.Text.Json.Serialization;
using Candela.Identity.Certificates;

namespace Candela.Identity.Machines;

/// <summary>A join token; kept until it expires, so that a machine which did not get the answer can ask again.</summary>
internal sealed record JoinTokenDocument
{
    public required string Id { get; init; }

    /// <summary>SHA-256 of the secret, which has 256 random bits: no slow hash is needed.</summary>
    public required byte[] SecretSha256 { get; init; }

    /// <summary>The one machine that it is for, which may have joined before; null: any new one.</summary>
    public string? Machine { get; init; }

    public required DateTimeOffset ExpiresAt { get; init; }

    public required string CreatedBy { get; init; }

    /// <summary>Machine that is joining by it; null: none yet. From then on it is that machine's, with that key, and no other's.</summary>
    public string? Joining { get; init; }

    /// <summary>SHA-256 of the joining machine's public key.</summary>
    public byte[]? JoiningKey { get; init; }

    /// <summary>Id of its entry in the directory.</summary>
    public Guid Entry { get; init; }

    /// <summary>The certificate that it was used for; null: not used yet.</summary>
    public HeldCertificate? Certificate { get; init; }
}

/// <summary>A machine that has joined.</summary>
internal sealed record MachineDocument
{
    public required string Name { get; init; }

    /// <summary>Its entry in the directory.</summary>
    public required Guid Entry { get; init; }

    public required DateTimeOffset JoinedAt { get; init; }

    /// <summary>Certificates that have not expired.</summary>
    public required IReadOnlyList<HeldCertificate> Certificates { get; init; }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(JoinTokenDocument))]
[JsonSerializable(typeof(MachineDocument))]
internal sealed partial class MachineJson : JsonSerializerContext;

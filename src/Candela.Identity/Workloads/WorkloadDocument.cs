using System.Text.Json.Serialization;
using Candela.Identity.Certificates;

namespace Candela.Identity.Workloads;

/// <summary>A live workload as stored.</summary>
internal sealed record WorkloadDocument
{
    public required string Container { get; init; }

    /// <summary>SPIFFE ID.</summary>
    public required string Id { get; init; }

    public required IReadOnlyList<string> DnsNames { get; init; }

    public required IReadOnlyList<string> Addresses { get; init; }

    public required DateTimeOffset BeganAt { get; init; }

    /// <summary>Certificates that have not expired: to be revoked when it ends.</summary>
    public required IReadOnlyList<HeldCertificate> Certificates { get; init; }
}

/// <summary>Keys that sign JWT-SVIDs, in the order in which they sign.</summary>
/// <param name="Keys">Keys.</param>
internal sealed record JwtKeysDocument(IReadOnlyList<JwtKeyDocument> Keys);

/// <summary>A key that signs JWT-SVIDs.</summary>
/// <param name="Id">Its <c>kid</c>: its thumbprint.</param>
/// <param name="PublicKey">SubjectPublicKeyInfo.</param>
/// <param name="Key">PKCS #8, sealed.</param>
/// <param name="SignsFrom">From when on it signs; before, it is only published.</param>
internal sealed record JwtKeyDocument(string Id, byte[] PublicKey, byte[] Key, DateTimeOffset SignsFrom);

/// <summary>Another trust domain.</summary>
internal sealed record FederationDocument
{
    public required string TrustDomain { get; init; }

    /// <summary>Where its bundle is; null: it was given by hand.</summary>
    public Uri? Url { get; init; }

    /// <summary>SPIFFE ID that the endpoint must show; null: it is verified as web servers are.</summary>
    public string? EndpointId { get; init; }

    /// <summary>Its bundle (SPIFFE Trust Domain and Bundle, section 4); null: not fetched yet.</summary>
    public string? Bundle { get; init; }

    public DateTimeOffset FetchedAt { get; init; }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(WorkloadDocument))]
[JsonSerializable(typeof(JwtKeysDocument))]
[JsonSerializable(typeof(FederationDocument))]
internal sealed partial class WorkloadJson : JsonSerializerContext;

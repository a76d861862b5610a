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
[JsonSerializable(typeof(FederationDocument))]
internal sealed partial class WorkloadJson : JsonSerializerContext;

using System.Net;

namespace Candela.Identity.Workloads;

/// <summary>A container as identity knows it: what the platform, never the guest, says of it.</summary>
public sealed record WorkloadSpec
{
    /// <summary>Id of the container: of this one instance, never used again.</summary>
    public required string Container { get; init; }

    /// <summary>Name of its tenant.</summary>
    public required string Tenant { get; init; }

    /// <summary>Name of its project.</summary>
    public required string Project { get; init; }

    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary>Host names under which the platform's DNS knows it; those that cannot stand in a certificate are left out.</summary>
    public IReadOnlyList<string> DnsNames { get; init; } = [];

    /// <summary>Its addresses.</summary>
    public IReadOnlyList<IPAddress> Addresses { get; init; } = [];
}

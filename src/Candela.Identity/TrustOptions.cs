using Candela.Identity.Acme;
using Candela.Identity.Certificates;
using Candela.Identity.Workloads;

namespace Candela.Identity;

/// <summary>Options of certificates and workload identity. All controllers of an installation have the same.</summary>
public sealed record TrustOptions
{
    /// <summary>The certificate authority.</summary>
    public CertificateAuthorityOptions Authority { get; init; } = new();

    /// <summary>Workload identity.</summary>
    public WorkloadOptions Workloads { get; init; } = new();

    /// <summary>The ACME server; null: there is none.</summary>
    public AcmeOptions? Acme { get; init; }
}

using Candela.Identity.Tests.Certificates;
using Candela.Identity.Workloads;
using Microsoft.Extensions.Logging.Abstractions;

namespace Candela.Identity.Tests.Workloads;

/// <summary>Workload identity on a certificate authority of its own.</summary>
public abstract class WorkloadBench(TimeProvider? time = null) : CertificateBench(time)
{
    protected WorkloadIdentities Workloads { get; private set; } = null!;

    protected virtual WorkloadOptions WorkloadOptions { get; } = new();

    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        Workloads = OpenWorkloads();
    }

    public override async ValueTask DisposeAsync()
    {
        await Workloads.DisposeAsync();
        await base.DisposeAsync();
    }

    protected WorkloadIdentities OpenWorkloads() => new(Store, Authority, WorkloadOptions, Time, NullLogger<WorkloadIdentities>.Instance);

    /// <summary>As if the controller had been started anew.</summary>
    protected async Task ReopenWorkloadsAsync()
    {
        await Workloads.DisposeAsync();
        await ReopenAsync();
        Workloads = OpenWorkloads();
    }

    protected static WorkloadSpec Spec(string container, string name = "web") =>
        new() { Container = container, Tenant = "acme", Project = "shop", Name = name, DnsNames = [name, $"{name}.shop.acme.internal"], Addresses = [System.Net.IPAddress.Parse("10.9.8.7")] };
}

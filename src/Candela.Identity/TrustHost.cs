using Candela.Identity.Accounts;
using Candela.Identity.Acme;
using Candela.Identity.Acme.Challenges;
using Candela.Identity.Certificates;
using Candela.Identity.Machines;
using Candela.Identity.Secrets;
using Candela.Identity.Workloads;
using Candela.State;
using Microsoft.Extensions.Logging;

namespace Candela.Identity;

/// <summary>Beginning and end of certificates, workload identity, ACME and the joining of machines.</summary>
public sealed class TrustHost : IAsyncDisposable
{
    private TrustHost(CertificateAuthority authority, WorkloadIdentities workloads, TrustDomain domain, MachineEnrollment machines, AcmeServer? acme) =>
        (Authority, Workloads, Domain, Machines, Acme) = (authority, workloads, domain, machines, acme);

    /// <summary>The certificate authority.</summary>
    public CertificateAuthority Authority { get; }

    /// <summary>Live workloads and their X.509-SVIDs.</summary>
    public WorkloadIdentities Workloads { get; }

    /// <summary>The SPIFFE trust domain.</summary>
    public TrustDomain Domain { get; }

    /// <summary>How machines join.</summary>
    public MachineEnrollment Machines { get; }

    /// <summary>The ACME server; null: there is none.</summary>
    public AcmeServer? Acme { get; }

    /// <summary>Reads everything from the store, and makes what is missing at the first start. The directory must have been started.</summary>
    /// <param name="store">State store.</param>
    /// <param name="secrets">For private keys.</param>
    /// <param name="directory">Where machines get their entries.</param>
    /// <param name="resolver">Says where the host of a name is that must prove itself.</param>
    /// <param name="options">Settings.</param>
    /// <param name="time">Clock.</param>
    /// <param name="loggers">Logs.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <exception cref="ArgumentException">An option is out of range; the message says which.</exception>
    /// <exception cref="System.Security.Cryptography.CryptographicException">The key file does not fit the store.</exception>
    public static async Task<TrustHost> OpenAsync(
        IStateStore store, ISecretBox secrets, IDirectory directory, IAcmeResolver resolver, TrustOptions options, TimeProvider time, ILoggerFactory loggers, CancellationToken cancellationToken)
    {
        var authority = await CertificateAuthority.OpenAsync(store, secrets, options.Authority, time, loggers.CreateLogger<CertificateAuthority>(), cancellationToken);
        var workloads = new WorkloadIdentities(store, authority, options.Workloads, time, loggers.CreateLogger<WorkloadIdentities>());
        var domain = await TrustDomain.OpenAsync(store, secrets, authority, workloads, options.Workloads, time, loggers.CreateLogger<TrustDomain>(), cancellationToken);
        var acme = options.Acme is null
            ? null
            : await AcmeServer.OpenAsync(store, secrets, authority, domain, resolver, options.Acme, time, loggers.CreateLogger<AcmeServer>(), cancellationToken);
        return new TrustHost(authority, workloads, domain, new MachineEnrollment(store, authority, directory, time), acme);
    }

    /// <summary>Ends what runs in the background; the state store stays open.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Acme is not null)
            await Acme.DisposeAsync();
        await Domain.DisposeAsync();
        await Workloads.DisposeAsync();
        await Authority.DisposeAsync();
    }
}

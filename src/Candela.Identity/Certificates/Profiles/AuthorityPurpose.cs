namespace Candela.Identity.Certificates.Profiles;

/// <summary>What an issuing authority issues.</summary>
public enum AuthorityPurpose
{
    /// <summary>Servers, clients, machines.</summary>
    General,

    /// <summary>Workloads; name constraints keep it within the trust domain.</summary>
    Workload,
}

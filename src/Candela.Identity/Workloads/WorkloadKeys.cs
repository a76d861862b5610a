namespace Candela.Identity.Workloads;

/// <summary>Where workload identity's documents are in the state store.</summary>
internal static class WorkloadKeys
{
    public const string Live = "/identity/workloads/live/";
    public const string JwtKeys = "/identity/workloads/jwt-keys";
    public const string Federation = "/identity/workloads/federation/";

    public static string Workload(string container) => Live + container;

    /// <summary>Says which container an identity belongs to: two live ones never share one.</summary>
    public static string Identity(SpiffeId id) => $"/identity/workloads/ids{id.Path}";

    public static string Federated(string trustDomain) => Federation + trustDomain;
}

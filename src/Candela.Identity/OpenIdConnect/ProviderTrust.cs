namespace Candela.Identity.OpenIdConnect;

/// <summary>Certificates and workloads, which are there later than the provider's other parts.</summary>
internal sealed class ProviderTrust
{
    /// <summary>Null: neither certificates nor workloads prove anything here.</summary>
    public TrustHost? Host { get; set; }
}

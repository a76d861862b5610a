using Candela.Identity.Certificates;
using Candela.Identity.Jose;

namespace Candela.Identity.Workloads.Bundles;

/// <summary>The trust bundles that hold here: this trust domain's and the federated ones.</summary>
internal sealed class BundleSource(CertificateAuthority authority, JwtSigningKeys keys, FederatedBundles federated, WorkloadOptions options)
{
    public string TrustDomain => authority.TrustDomain;

    /// <summary>This trust domain's.</summary>
    public TrustBundle Own
    {
        get
        {
            var published = keys.Published.ToDictionary(k => k.Thumbprint);
            var sequence = Math.Max(authority.Authorities.RootRevision, keys.Revision);
            return new TrustBundle(TrustDomain, authority.Roots, published, sequence, options.BundleRefresh);
        }
    }

    /// <summary>Those of other trust domains.</summary>
    public IReadOnlyCollection<TrustBundle> Federated => federated.All;

    /// <summary>Ends when a bundle has changed since this was read.</summary>
    public Task Changed => Task.WhenAny(authority.Authorities.Changed, keys.Changed, federated.Changed);

    /// <summary>Null: the trust domain is not trusted here.</summary>
    public TrustBundle? Find(string trustDomain) => trustDomain == TrustDomain ? Own : federated.Find(trustDomain);
}

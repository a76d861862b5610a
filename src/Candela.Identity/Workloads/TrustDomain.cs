using System.Text.Json;
using Candela.Identity.Certificates;
using Candela.Identity.Jose;
using Candela.Identity.Secrets;
using Candela.Identity.Workloads.Bundles;
using Candela.Identity.Workloads.Jwt;
using Candela.Model;
using Candela.State;
using Microsoft.Extensions.Logging;

namespace Candela.Identity.Workloads;

/// <summary>
/// The installation's SPIFFE trust domain: its bundle, JWT-SVIDs, and the other trust domains that it trusts. Safe for use from many threads.
/// </summary>
public sealed class TrustDomain : IAsyncDisposable
{
    private readonly JwtSigningKeys _keys;
    private readonly FederatedBundles _federated;
    private readonly JwtSvidIssuer _issuer;
    private readonly JwtSvidValidator _validator;

    private TrustDomain(CertificateAuthority authority, WorkloadIdentities workloads, JwtSigningKeys keys, FederatedBundles federated, WorkloadOptions options, TimeProvider time)
    {
        Name = authority.TrustDomain;
        Workloads = workloads;
        Bundles = new BundleSource(authority, keys, federated, options);
        _keys = keys;
        _federated = federated;
        _issuer = new JwtSvidIssuer(keys, options, time);
        _validator = new JwtSvidValidator(workloads, Bundles, time);
    }

    /// <summary>Its name.</summary>
    public string Name { get; }

    /// <summary>Its workloads.</summary>
    public WorkloadIdentities Workloads { get; }

    /// <summary>Ends when a bundle has changed since this was read.</summary>
    public Task BundlesChanged => Bundles.Changed;

    /// <summary>Its bundle, for others to trust.</summary>
    public TrustBundle Bundle => Bundles.Own;

    internal BundleSource Bundles { get; }

    /// <summary>Reads keys and bundles from the store; makes the first key.</summary>
    public static async Task<TrustDomain> OpenAsync(
        IStateStore store, ISecretBox secrets, CertificateAuthority authority, WorkloadIdentities workloads, WorkloadOptions options, TimeProvider time, ILogger<TrustDomain> logger,
        CancellationToken cancellationToken)
    {
        options.Check();
        var keys = new JwtSigningKeys(store, secrets, new JwtKeySchedule(WorkloadKeys.JwtKeys, options.JwtLifetime, options.JwtKeyLifetime, options.JwtKeyAnnouncement), time, logger);
        var federated = new FederatedBundles(store, authority.TrustDomain, time, logger);
        await keys.StartAsync(cancellationToken);
        await federated.StartAsync(cancellationToken);
        return new TrustDomain(authority, workloads, keys, federated, options, time);
    }

    /// <summary>Issues a JWT-SVID to a container that runs here.</summary>
    /// <param name="container">Its id, as its own channel says.</param>
    /// <param name="audiences">Who may accept it; 1 to 16.</param>
    /// <exception cref="CandelaException">NotFound: it has no identity here. InvalidArgument: the audiences.</exception>
    public JwtSvid IssueJwt(string container, IReadOnlyList<string> audiences) => Workloads.FindHeld(container) is { HasEnded: false } workload
        ? _issuer.Issue(workload.Id, container, audiences)
        : throw new CandelaException(ErrorCode.NotFound, "this container has no identity here: it has ended, or runs elsewhere");

    /// <summary>Says whose JWT-SVID a token is.</summary>
    /// <param name="token">Token.</param>
    /// <param name="audience">Who asks.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>The identity, and all claims.</returns>
    /// <exception cref="CandelaException">Unauthenticated: it is malformed, forged, expired, for another audience, or its container has ended.</exception>
    public Task<(SpiffeId Id, JsonElement Claims)> ValidateJwtAsync(string token, string audience, CancellationToken cancellationToken) =>
        _validator.ValidateAsync(token, audience, cancellationToken);

    /// <summary>Names of the trust domains that are trusted besides this one, and their bundles.</summary>
    public IReadOnlyCollection<TrustBundle> Federated => _federated.All;

    /// <summary>Trusts another trust domain.</summary>
    /// <param name="trustDomain">Its name.</param>
    /// <param name="url">Where its bundle is fetched from, and renewed; null: <paramref name="bundle"/> stays as it is.</param>
    /// <param name="endpoint">SPIFFE ID that the endpoint must show (<c>https_spiffe</c>); null: it is verified as web servers are (<c>https_web</c>).</param>
    /// <param name="bundle">
    /// Bundle, which came by a safe way; needed without an address, and with an endpoint's identity, which it verifies at first.
    /// </param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <exception cref="CandelaException">InvalidArgument; ResourceExhausted: too many; Unavailable: the bundle could not be fetched.</exception>
    public Task FederateAsync(string trustDomain, Uri? url, string? endpoint, string? bundle, CancellationToken cancellationToken) => _federated.SetAsync(
        new FederationDocument { TrustDomain = SpiffeId.OfTrustDomain(trustDomain).TrustDomain, Url = url, EndpointId = endpoint, Bundle = bundle }, cancellationToken);

    /// <summary>Trusts a trust domain no longer.</summary>
    /// <exception cref="CandelaException">NotFound.</exception>
    public Task UnfederateAsync(string trustDomain, CancellationToken cancellationToken) => _federated.RemoveAsync(trustDomain, cancellationToken);

    /// <summary>Host names of the container whose JWT-SVID a token is; of this trust domain only.</summary>
    /// <exception cref="CandelaException">Unauthenticated.</exception>
    internal async Task<IReadOnlyList<string>> NamesOfAsync(string token, string audience, CancellationToken cancellationToken)
    {
        var (id, claims) = await ValidateJwtAsync(token, audience, cancellationToken);
        return id.TrustDomain == Name && await Workloads.ReadAsync(claims.GetProperty(JwtSvidIssuer.ContainerClaim).GetString()!, cancellationToken) is var (document, _)
            ? document.DnsNames
            : throw new CandelaException(ErrorCode.Unauthenticated, $"{id} is not a living workload of {Name}");
    }

    /// <summary>Ends what runs in the background.</summary>
    public async ValueTask DisposeAsync()
    {
        await _federated.DisposeAsync();
        await _keys.DisposeAsync();
    }

    internal (string Id, Jose.TokenKey Key) SigningKey() => _keys.Current();

    internal Task RefreshFederatedAsync(CancellationToken cancellationToken) => _federated.RefreshDueAsync(cancellationToken);

    internal Task MaintainKeysAsync(CancellationToken cancellationToken) => _keys.MaintainAsync(cancellationToken);
}

using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Candela.Identity.Certificates.Authorities;
using Candela.Identity.Certificates.Names;
using Candela.Identity.Certificates.Profiles;
using Candela.Identity.Certificates.Requests;
using Candela.Identity.Secrets;
using Candela.Model;
using Candela.State;

namespace Candela.Identity.Certificates;

/// <summary>
/// The platform's certificate authority: a root that can be taken offline, issuing authorities below it, and the certificates they issue.
/// All of it is in the state store, so that any controller can serve. Safe for use from many threads.
/// </summary>
public sealed class CertificateAuthority : IAsyncDisposable
{
    private const int OwnerLength = 256;

    private readonly CertificateAuthorityOptions _options;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _closing = new();
    private readonly Task _following;

    private CertificateAuthority(IStateStore store, AuthoritySet authorities, AuthorityLifecycle lifecycle, CertificateAuthorityOptions options, TimeProvider time)
    {
        _options = options;
        _time = time;
        Authorities = authorities;
        Lifecycle = lifecycle;
        Records = new CertificateRecords(store, time);
        _following = authorities.FollowAsync(_closing.Token);
    }

    /// <summary>Name of the trust domain.</summary>
    public string TrustDomain => _options.TrustDomain;

    /// <summary>Certificates of the roots to be trusted, in DER, the one in use first.</summary>
    public IReadOnlyList<ReadOnlyMemory<byte>> Roots => [.. Authorities.Roots.Select(r => r.Der)];

    internal AuthoritySet Authorities { get; }

    internal AuthorityLifecycle Lifecycle { get; }

    internal CertificateRecords Records { get; }

    /// <summary>Reads the authorities from the store; makes them at the first start.</summary>
    /// <exception cref="ArgumentException">An option is out of range.</exception>
    /// <exception cref="CryptographicException">The private keys cannot be opened: the key file does not fit the store.</exception>
    public static async Task<CertificateAuthority> OpenAsync(
        IStateStore store, ISecretBox secrets, CertificateAuthorityOptions options, TimeProvider time, CancellationToken cancellationToken)
    {
        options.Check();
        var authorities = new AuthoritySet(store, secrets, options);
        var lifecycle = new AuthorityLifecycle(store, secrets, authorities, options, time);
        await authorities.ReadAsync(cancellationToken);
        await lifecycle.EnsureAsync(cancellationToken);
        return new CertificateAuthority(store, authorities, lifecycle, options, time);
    }

    /// <summary>Issues a certificate for a key whose holder sent a signing request (PKCS #10).</summary>
    /// <param name="order">What is wanted. Without names in the order those of the request count, if the profile allows them.</param>
    /// <param name="request">Signing request in DER.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <exception cref="CandelaException">
    /// InvalidArgument: the request is malformed, not signed by its key, or asks for what the profile does not allow. PermissionDenied: a profile
    /// that the platform alone uses.
    /// </exception>
    public async Task<IssuedCertificate> IssueAsync(CertificateOrder order, ReadOnlyMemory<byte> request, CancellationToken cancellationToken)
    {
        RefusePlatformProfile(order.Profile);
        var read = SigningRequest.Read(request);
        return await IssueAsync(Merge(order, read), read.PublicKey, cancellationToken);
    }

    /// <summary>Issues a certificate for a new P-256 key.</summary>
    /// <returns>The certificate, and the private key as PKCS #8, which is nowhere kept; the caller clears it.</returns>
    public async Task<(IssuedCertificate Certificate, byte[] PrivateKey)> IssueWithKeyAsync(CertificateOrder order, CancellationToken cancellationToken)
    {
        RefusePlatformProfile(order.Profile);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var issued = await IssueAsync(order, new PublicKeyInfo(CertificateKeyType.EcdsaP256, key.ExportSubjectPublicKeyInfo()), cancellationToken);
        return (issued, key.ExportPkcs8PrivateKey());
    }

    /// <summary>Ends what runs in the background.</summary>
    public async ValueTask DisposeAsync()
    {
        await _closing.CancelAsync();
        await _following.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        Authorities.Dispose();
        _closing.Dispose();
    }

    /// <summary>Issues and records a certificate of any profile.</summary>
    internal async Task<IssuedCertificate> IssueAsync(CertificateOrder order, PublicKeyInfo key, CancellationToken cancellationToken)
    {
        var issued = Make(order, key);
        await Records.AddAsync([issued], cancellationToken);
        return issued;
    }

    /// <summary>Makes a certificate of any profile; the caller records it before anyone sees it.</summary>
    internal IssuedCertificate Make(CertificateOrder order, PublicKeyInfo key, Authority? by = null)
    {
        if (order.Owner.Length is 0 or > OwnerLength)
            throw new ArgumentException($"An owner has 1 to {OwnerLength} characters.", nameof(order));
        var profile = Authorities.Profile(order.Profile);
        var names = ProfileCheck.Names(profile, TrustDomain, order.Names);
        var commonName = ProfileCheck.CommonName(profile, names, order.CommonName);
        ProfileCheck.Key(profile, key);
        var lifetime = ProfileCheck.Lifetime(profile, order.Lifetime);
        var authority = by ?? Authorities.Issuing(profile.Authority);
        var now = _time.GetUtcNow();
        // Whole seconds, as certificates have them; never beyond the authority's own time.
        var notBefore = WholeSeconds(now - _options.Backdating);
        var notAfter = WholeSeconds(now + lifetime);
        notBefore = notBefore < authority.NotBefore ? authority.NotBefore : notBefore;
        notAfter = notAfter > authority.NotAfter ? authority.NotAfter : notAfter;
        if (notAfter <= now)
            throw new CandelaException(ErrorCode.Unavailable, $"the certificate authority {authority.Certificate.Subject} has expired: renew it");
        var serial = SerialNumber.New();
        var subject = SubjectOf(commonName);
        return new IssuedCertificate
        {
            Serial = SerialNumber.TextOf(serial),
            Authority = authority.Id,
            Profile = profile.Name,
            Owner = order.Owner,
            Subject = subject.Name,
            Names = [.. names.All],
            NotBefore = notBefore,
            NotAfter = notAfter,
            Der = authority.Issue(profile, subject, names, key, notBefore, notAfter, serial),
            Chain = authority.IsRoot ? [] : [authority.Der],
        };
    }

    private static CertificateOrder Merge(CertificateOrder order, SigningRequest request)
    {
        if (order.Names.Count > 0 && request.Names.Count > 0 && !order.Names.SameAs(request.Names))
            throw new CandelaException(ErrorCode.InvalidArgument, "the signing request names others than was ordered: leave them out or name the same");
        if (order.CommonName is not null && request.CommonName is not null && order.CommonName != request.CommonName)
            throw new CandelaException(ErrorCode.InvalidArgument, $"the signing request has the common name {Printable.Of(request.CommonName)}, ordered was {Printable.Of(order.CommonName)}");
        return order with { Names = order.Names.Count > 0 ? order.Names : request.Names, CommonName = order.CommonName ?? request.CommonName };
    }

    private static void RefusePlatformProfile(string profile)
    {
        if (profile is CertificateProfile.Workload or CertificateProfile.Machine or CertificateProfile.OcspSigner)
            throw new CandelaException(ErrorCode.PermissionDenied, $"certificates of profile {profile} are issued by the platform alone: a container or machine gets its own");
    }

    /// <summary>Workloads and machines have no common name, lest it be taken for a host name: the organization alone.</summary>
    private X500DistinguishedName SubjectOf(string? commonName)
    {
        var subject = new X500DistinguishedNameBuilder();
        subject.AddOrganizationName(_options.Organization);
        if (commonName is not null)
            subject.AddCommonName(commonName);
        return subject.Build();
    }

    private static DateTimeOffset WholeSeconds(DateTimeOffset time) => new(time.Ticks - time.Ticks % TimeSpan.TicksPerSecond, TimeSpan.Zero);
}

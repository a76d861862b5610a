using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Candela.Identity.Certificates.Authorities;
using Candela.Identity.Certificates.Names;
using Candela.Identity.Certificates.Profiles;
using Candela.Identity.Certificates.Requests;
using Candela.Identity.Certificates.Revocation;
using Candela.Identity.Secrets;
using Candela.Model;
using Candela.State;
using Microsoft.Extensions.Logging;

namespace Candela.Identity.Certificates;

/// <summary>
/// The platform's certificate authority: a root that can be taken offline, issuing authorities below it, and the certificates they issue.
/// All of it is in the state store, so that any controller can serve. Safe for use from many threads.
/// </summary>
public sealed partial class CertificateAuthority : IAsyncDisposable
{
    private const int OwnerLength = 256;

    private readonly CertificateAuthorityOptions _options;
    private readonly TimeProvider _time;
    private readonly CrlPublisher _lists;
    private readonly OcspResponder _responder;
    private readonly RevokedSet _revoked;
    private readonly ILogger _logger;
    private readonly SemaphoreSlim _maintaining = new(1);
    private readonly CancellationTokenSource _closing = new();
    private readonly Task _background;

    private CertificateAuthority(
        IStateStore store, ISecretBox secrets, AuthoritySet authorities, AuthorityLifecycle lifecycle, RevokedSet revoked, CertificateAuthorityOptions options, TimeProvider time, ILogger logger)
    {
        _options = options;
        _time = time;
        _revoked = revoked;
        _logger = logger;
        Authorities = authorities;
        Lifecycle = lifecycle;
        Records = new CertificateRecords(store, revoked, time);
        _lists = new CrlPublisher(store, authorities, revoked, options, time);
        _responder = new OcspResponder(store, secrets, this, time);
        _background = Task.WhenAll(authorities.FollowAsync(time, logger, _closing.Token), revoked.FollowAsync(time, logger, _closing.Token), MaintainForEverAsync());
    }

    /// <summary>Name of the trust domain.</summary>
    public string TrustDomain => _options.TrustDomain;

    /// <summary>Certificates of the roots to be trusted, in DER, the one in use first.</summary>
    public IReadOnlyList<ReadOnlyMemory<byte>> Roots => [.. Authorities.Roots.Select(r => r.Der)];

    /// <summary>What has been revoked, in memory.</summary>
    internal RevokedSet Revoked => _revoked;

    internal AuthoritySet Authorities { get; }

    internal AuthorityLifecycle Lifecycle { get; }

    internal CertificateRecords Records { get; }

    /// <summary>Reads the authorities from the store; makes them at the first start.</summary>
    /// <exception cref="ArgumentException">An option is out of range.</exception>
    /// <exception cref="CryptographicException">The private keys cannot be opened: the key file does not fit the store.</exception>
    public static async Task<CertificateAuthority> OpenAsync(
        IStateStore store, ISecretBox secrets, CertificateAuthorityOptions options, TimeProvider time, ILogger<CertificateAuthority> logger, CancellationToken cancellationToken)
    {
        options.Check();
        var authorities = new AuthoritySet(store, secrets, options);
        var lifecycle = new AuthorityLifecycle(store, secrets, authorities, options, time);
        await authorities.ReadAsync(cancellationToken);
        await lifecycle.EnsureAsync(cancellationToken);
        var revoked = new RevokedSet(store);
        await revoked.ReadAsync(cancellationToken);
        return new CertificateAuthority(store, secrets, authorities, lifecycle, revoked, options, time, logger);
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

    /// <summary>A certificate on record.</summary>
    /// <param name="serial">Serial number, hexadecimal.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <exception cref="CandelaException">NotFound.</exception>
    public async Task<IssuedCertificate> GetAsync(string serial, CancellationToken cancellationToken)
    {
        foreach (var authority in Authorities.All.Where(_ => IsSerial(serial)))
        {
            if (await Records.FindAsync(authority.Id, serial.ToUpperInvariant(), cancellationToken) is { } certificate)
                return certificate with { Chain = [authority.Der] };
        }

        throw HasNone(serial);
    }

    /// <summary>Revokes a certificate. Its authority's list and OCSP answers say so from then on.</summary>
    /// <param name="serial">Serial number, hexadecimal.</param>
    /// <param name="reason">Why.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>The certificate; one that was revoked before stays as it was.</returns>
    /// <exception cref="CandelaException">NotFound: no such certificate is on record.</exception>
    public async Task<IssuedCertificate> RevokeAsync(string serial, RevocationReason reason, CancellationToken cancellationToken)
    {
        foreach (var authority in Authorities.All.Where(_ => IsSerial(serial)))
        {
            if (await Records.RevokeAsync(authority.Id, serial.ToUpperInvariant(), reason, cancellationToken) is { } certificate)
                return certificate;
        }

        throw HasNone(serial);
    }

    /// <summary>Revokes all certificates of an owner that are still good; reads all records to find them.</summary>
    public async Task RevokeOwnerAsync(string owner, RevocationReason reason, CancellationToken cancellationToken)
    {
        await foreach (var certificate in CertificatesAsync(cancellationToken))
        {
            if (certificate.Owner == owner && certificate.RevokedAt is null && certificate.NotAfter > _time.GetUtcNow())
                await Records.RevokeAsync(certificate.Authority, certificate.Serial, reason, cancellationToken);
        }
    }

    /// <summary>All certificates on record.</summary>
    public IAsyncEnumerable<IssuedCertificate> CertificatesAsync(CancellationToken cancellationToken) => Records.AllAsync(cancellationToken);

    /// <summary>The record of a certificate, if it is, byte for byte, one that was issued here; else null.</summary>
    internal async Task<IssuedCertificate?> FindAsync(ReadOnlyMemory<byte> der, CancellationToken cancellationToken)
    {
        X509Certificate2 certificate;
        try
        {
            certificate = X509CertificateLoader.LoadCertificate(der.Span);
        }
        catch (CryptographicException)
        {
            return null;
        }

        using (certificate)
        {
            var issuer = Authorities.All.FirstOrDefault(a => !a.IsRoot && a.Certificate.SubjectName.RawData.AsSpan().SequenceEqual(certificate.IssuerName.RawData));
            var record = issuer is null ? null : await Records.FindAsync(issuer.Id, SerialNumber.TextOf(certificate), cancellationToken);
            return record is not null && record.Der.Span.SequenceEqual(certificate.RawData) ? record : null;
        }
    }

    /// <summary>
    /// Says whether a certificate that a peer has shown, and whose key it has proved to hold, is one of ours and good: it must be on record,
    /// byte for byte, within its time, and neither it nor its authority revoked.
    /// </summary>
    /// <param name="presented">The certificate in DER.</param>
    /// <param name="profile">Profile that it must have.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <exception cref="CandelaException">Unauthenticated: it is not.</exception>
    public async Task<IssuedCertificate> VerifyAsync(ReadOnlyMemory<byte> presented, string profile, CancellationToken cancellationToken)
    {
        if (await FindAsync(presented, cancellationToken) is not { } record || record.Profile != profile || Authorities.Find(record.Authority) is not { Document.Withdrawn: false })
            throw new CandelaException(ErrorCode.Unauthenticated, $"this is not a {profile} certificate of this installation");
        if (record.RevokedAt is { } at)
            throw new CandelaException(ErrorCode.Unauthenticated, $"the certificate {record.Serial} was revoked at {at:u} ({record.Reason})");
        var now = _time.GetUtcNow();
        if (now < record.NotBefore || now > record.NotAfter)
            throw new CandelaException(ErrorCode.Unauthenticated, $"the certificate {record.Serial} is valid from {record.NotBefore:u} to {record.NotAfter:u}");
        return record;
    }

    /// <summary>Ends what runs in the background.</summary>
    public async ValueTask DisposeAsync()
    {
        await _closing.CancelAsync();
        await _background.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _maintaining.Dispose();
        _lists.Dispose();
        _responder.Dispose();
        Authorities.Dispose();
        _closing.Dispose();
    }

    /// <summary>Issues and records a certificate of any profile.</summary>
    internal async Task<IssuedCertificate> IssueAsync(CertificateOrder order, PublicKeyInfo key, CancellationToken cancellationToken)
    {
        var issued = Make(order, key);
        await Records.AddAsync(issued, cancellationToken);
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

    private static bool IsSerial(string text) => text.Length == 2 * SerialNumber.Bytes && text.All(char.IsAsciiHexDigit);

    private static CandelaException HasNone(string serial) => new(ErrorCode.NotFound, $"no certificate with the serial number {Printable.Of(serial)} is on record");

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

using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Candela.Identity.Certificates.Authorities;
using Candela.Identity.Certificates.Profiles;
using Candela.Identity.Certificates.Revocation;
using Candela.Model;
using Candela.State;
using Microsoft.Extensions.Logging;

namespace Candela.Identity.Certificates;

/// <summary>What operators do with the authorities, what the public may ask, and the upkeep.</summary>
public sealed partial class CertificateAuthority
{
    private static readonly TimeSpan UpkeepInterval = TimeSpan.FromHours(1);

    /// <summary>An authority's list of revoked certificates (RFC 5280, section 5) in DER.</summary>
    /// <param name="authority">Its id.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>The list, and until when it is valid.</returns>
    /// <exception cref="CandelaException">NotFound: no such authority. Unavailable: its key is elsewhere, and it left no list.</exception>
    public async Task<(ReadOnlyMemory<byte> Der, DateTimeOffset NextUpdate)> GetCrlAsync(string authority, CancellationToken cancellationToken)
    {
        var list = await _lists.GetAsync(authority, cancellationToken);
        return (list.Der, list.NextUpdate);
    }

    /// <summary>Answers an OCSP request (RFC 6960), both in DER.</summary>
    public Task<byte[]> AnswerOcspAsync(ReadOnlyMemory<byte> request, CancellationToken cancellationToken) => _responder.AnswerAsync(request, cancellationToken);

    /// <summary>An authority's certificate in DER; null: there is no such authority.</summary>
    public ReadOnlyMemory<byte>? FindCertificate(string authority) => Authorities.Find(authority)?.Der;

    /// <summary>Ids of the authorities in use: the root, and the issuing ones by purpose.</summary>
    public (string Root, string General, string Workload) InUse =>
        Authorities.Current is { } c ? (c.Root, c.General, c.Workload) : throw new CandelaException(ErrorCode.Unavailable, "the certificate authority has not been made yet");

    /// <inheritdoc cref="AuthorityLifecycle.CreateRootAsync"/>
    public Task<string> CreateRootAsync(CancellationToken cancellationToken) => Lifecycle.CreateRootAsync(cancellationToken);

    /// <inheritdoc cref="AuthorityLifecycle.RenewAsync"/>
    public Task<string> RenewIssuingAsync(AuthorityPurpose purpose, CancellationToken cancellationToken) => Lifecycle.RenewAsync(purpose, cancellationToken);

    /// <inheritdoc cref="AuthorityLifecycle.RequestAsync"/>
    public Task<(string Id, string Request)> RequestIssuingAsync(AuthorityPurpose purpose, CancellationToken cancellationToken) =>
        Lifecycle.RequestAsync(purpose, cancellationToken);

    /// <summary>Puts an issuing authority to use whose request an offline root has signed.</summary>
    /// <param name="id">From <see cref="RequestIssuingAsync"/>.</param>
    /// <param name="pem">The certificate.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <exception cref="CandelaException">NotFound, or InvalidArgument: the certificate is not what was asked for.</exception>
    public async Task InstallIssuingAsync(string id, string pem, CancellationToken cancellationToken)
    {
        X509Certificate2 certificate;
        try
        {
            certificate = X509Certificate2.CreateFromPem(pem);
        }
        catch (CryptographicException e)
        {
            throw new CandelaException(ErrorCode.InvalidArgument, "the authority's certificate is not PEM", e);
        }

        using (certificate)
            await Lifecycle.InstallAsync(id, certificate, cancellationToken);
    }

    /// <inheritdoc cref="AuthorityLifecycle.ExportRootKey"/>
    public string ExportRootKey(string passphrase) => Lifecycle.ExportRootKey(passphrase);

    /// <summary>
    /// Deletes the root's private key here, after a last list of what it revoked. Until it is given back no issuing authority can be made or
    /// revoked here. Export it first.
    /// </summary>
    public async Task RemoveRootKeyAsync(CancellationToken cancellationToken)
    {
        var root = Authorities.Find(InUse.Root)!;
        if (root.Key is null)
            throw AuthorityCertificates.RootIsOffline();
        await _lists.RenewAsync(root, cancellationToken);
        await Lifecycle.RemoveRootKeyAsync(cancellationToken);
    }

    /// <inheritdoc cref="AuthorityLifecycle.RestoreRootKeyAsync"/>
    public Task RestoreRootKeyAsync(string pem, string passphrase, CancellationToken cancellationToken) => Lifecycle.RestoreRootKeyAsync(pem, passphrase, cancellationToken);

    /// <summary>Takes trust from a root that is no longer in use: it leaves the trust bundles.</summary>
    /// <exception cref="CandelaException">NotFound, or Conflict: it, or an authority that it signed, is in use.</exception>
    public Task WithdrawRootAsync(string id, CancellationToken cancellationToken) =>
        Authorities.Find(id) is { IsRoot: true } ? Lifecycle.WithdrawAsync(id, cancellationToken) : throw new CandelaException(ErrorCode.NotFound, $"there is no root {id}");

    /// <summary>Revokes an issuing authority that is no longer in use, and with it all that it issued; its private key is deleted.</summary>
    /// <exception cref="CandelaException">NotFound, or Conflict: it is in use, or the root's key, which must sign the list, is not here.</exception>
    public async Task RevokeIssuingAsync(string id, RevocationReason reason, CancellationToken cancellationToken)
    {
        if (Authorities.Find(id) is not { IsRoot: false } issuing)
            throw new CandelaException(ErrorCode.NotFound, $"there is no issuing authority {id}");
        if (Authorities.Find(issuing.Document.Root!) is not { Key: not null } root)
            throw AuthorityCertificates.RootIsOffline();
        await Lifecycle.WithdrawAsync(id, cancellationToken);
        var document = new RevocationDocument(_time.GetUtcNow(), reason, issuing.NotAfter);
        await Records.CommitRevocationsAsync(new StateTransaction(), [(root.Id, SerialNumber.TextOf(issuing.Certificate), document)], cancellationToken);
    }

    /// <summary>A profile with its limits as they are.</summary>
    /// <exception cref="CandelaException">NotFound.</exception>
    public CertificateProfile Profile(string name) => Authorities.Profile(name);

    /// <summary>Narrows a profile's limits for all controllers.</summary>
    /// <exception cref="CandelaException">NotFound, or InvalidArgument: a limit is wider than the profile's own.</exception>
    public async Task SetProfileLimitsAsync(string name, ProfileLimits limits, CancellationToken cancellationToken)
    {
        var own = CertificateProfile.BuiltIn[Authorities.Profile(name).Name].Limits;
        if (limits.LifetimeMaximum > own.LifetimeMaximum || limits.LifetimeDefault > limits.LifetimeMaximum || limits.LifetimeDefault <= TimeSpan.Zero)
            throw new CandelaException(ErrorCode.InvalidArgument, $"lifetimes of {name} certificates are at most {own.LifetimeMaximum}, the default at most the maximum");
        if (limits.KeyTypes.Count == 0 || limits.KeyTypes.Except(own.KeyTypes).Any() || limits.AllowWildcards && !own.AllowWildcards)
            throw new CandelaException(ErrorCode.InvalidArgument, $"{name} certificates are possible for {string.Join(", ", own.KeyTypes)}, {(own.AllowWildcards ? "with" : "without")} wildcards: choose among these");
        if (limits.NameMaximum < 1 || limits.NameMaximum > own.NameMaximum)
            throw new CandelaException(ErrorCode.InvalidArgument, $"{name} certificates have 1 to {own.NameMaximum} names");
        var domains = limits.Domains.Select(d => Names.DnsNames.Check(d, allowWildcard: false)).ToArray();
        var value = JsonSerializer.SerializeToUtf8Bytes(limits with { Domains = domains }, CertificateJson.Default.ProfileLimits);
        await Lifecycle.PutProfileAsync(name, value, cancellationToken);
    }

    /// <summary>Renews authorities and lists that have lived half their time, and forgets what has long expired.</summary>
    internal async Task MaintainAsync(CancellationToken cancellationToken)
    {
        await _maintaining.WaitAsync(cancellationToken);
        try
        {
            foreach (var purpose in Enum.GetValues<AuthorityPurpose>())
                await RenewIfDueAsync(purpose, cancellationToken);
            foreach (var authority in Authorities.All.Where(a => a.Key is not null))
                await _lists.GetAsync(authority.Id, cancellationToken);
            await Records.PurgeAsync(
                c => c.Profile == CertificateProfile.Workload ? _options.WorkloadRecordRetention : _options.RecordRetention,
                _options.CrlLifetime,
                cancellationToken);
        }
        finally
        {
            _maintaining.Release();
        }
    }

    private async Task RenewIfDueAsync(AuthorityPurpose purpose, CancellationToken cancellationToken)
    {
        var issuing = Authorities.Find(Authorities.Current!.Of(purpose))!;
        if (_time.GetUtcNow() < issuing.NotBefore + (issuing.NotAfter - issuing.NotBefore) / 2)
            return;
        if (Authorities.Find(Authorities.Current.Root) is not { Key: not null })
        {
            Log.RootIsNeeded(_logger, purpose, issuing.NotAfter);
            return;
        }

        try
        {
            await Lifecycle.RenewAsync(purpose, cancellationToken);
        }
        catch (CandelaException e) when (e.Code == ErrorCode.Conflict)
        {
            // Another controller was first.
        }
    }

    private async Task MaintainForEverAsync()
    {
        using var timer = new PeriodicTimer(UpkeepInterval, _time);
        while (await timer.WaitForNextTickAsync(_closing.Token))
        {
            try
            {
                await MaintainAsync(_closing.Token);
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                Log.UpkeepFailed(_logger, e);
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "The {Purpose} certificate authority must be renewed before {NotAfter}: give the root's key back, or have a request signed by it")]
        public static partial void RootIsNeeded(ILogger logger, AuthorityPurpose purpose, DateTimeOffset notAfter);

        [LoggerMessage(2, LogLevel.Error, "Upkeep of the certificate authority failed; it is tried again in an hour")]
        public static partial void UpkeepFailed(ILogger logger, Exception reason);
    }
}

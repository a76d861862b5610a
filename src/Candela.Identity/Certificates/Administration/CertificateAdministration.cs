using System.Security.Cryptography;
using Candela.Identity.Administration;
using Candela.Identity.Authentication;
using Candela.Identity.Authorization;
using Candela.Identity.Certificates.Profiles;
using Candela.Identity.Certificates.Revocation;
using Candela.Identity.Machines;
using Candela.Identity.Workloads;
using Candela.Model;

namespace Candela.Identity.Certificates.Administration;

/// <summary>
/// Certificates, authorities, machines' tokens and trust as an actor may see and change them: every call asks whether the actor may, at the
/// system, and is kept in the audit log. The way for front ends. Failures are <see cref="CandelaException"/>s, PermissionDenied among them.
/// </summary>
public sealed class CertificateAdministration
{
    private readonly TrustHost _host;
    private readonly AccessGuard _guard;

    /// <param name="host">What is administered.</param>
    /// <param name="guard">Decides and records.</param>
    public CertificateAdministration(TrustHost host, AccessGuard guard) => (_host, _guard) = (host, guard);

    /// <summary>Roots to trust, PEM: no secret, and nobody's right to withhold.</summary>
    public string RootsPem => string.Concat(_host.Authority.Roots.Select(root => PemEncoding.WriteString("CERTIFICATE", root.Span) + "\n"));

    /// <summary>Certificates on record, of one owner or of all, at most <paramref name="limit"/>.</summary>
    public Task<IReadOnlyList<IssuedCertificate>> ListAsync(Actor actor, string? owner, int limit, CancellationToken cancellationToken) =>
        RunAsync(actor, "certificate.list", owner ?? "", ResourceKind.Certificate, Verb.List, async () =>
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
            var found = new List<IssuedCertificate>();
            await foreach (var certificate in _host.Authority.CertificatesAsync(cancellationToken))
            {
                if (owner is null || certificate.Owner == owner)
                    found.Add(certificate);
                if (found.Count == limit)
                    break;
            }

            return (IReadOnlyList<IssuedCertificate>)found;
        }, cancellationToken);

    /// <summary>One certificate.</summary>
    /// <exception cref="CandelaException">NotFound.</exception>
    public Task<IssuedCertificate> GetAsync(Actor actor, string serial, CancellationToken cancellationToken) =>
        RunAsync(actor, "certificate.get", serial, ResourceKind.Certificate, Verb.Get, () => _host.Authority.GetAsync(serial, cancellationToken), cancellationToken);

    /// <summary>Issues a certificate for a signing request in DER.</summary>
    public Task<IssuedCertificate> IssueAsync(Actor actor, CertificateOrder order, ReadOnlyMemory<byte> request, CancellationToken cancellationToken) =>
        RunAsync(actor, "certificate.create", $"{order.Profile} {order.Owner}", ResourceKind.Certificate, Verb.Create, async () =>
        {
            // Whoever has an account's certificate can sign in as the account.
            if (CertificateOwner.AccountId(order.Owner) is { } accountId)
                await _guard.RequireCoverAsync(actor, Subject.Entry(accountId), order.Owner, cancellationToken);
            return await _host.Authority.IssueAsync(order, request, cancellationToken);
        }, cancellationToken);

    /// <summary>Revokes a certificate.</summary>
    public Task<IssuedCertificate> RevokeAsync(Actor actor, string serial, RevocationReason reason, CancellationToken cancellationToken) =>
        RunAsync(actor, "certificate.revoke", serial, ResourceKind.Certificate, Verb.Delete, () => _host.Authority.RevokeAsync(serial, reason, cancellationToken), cancellationToken);

    /// <summary>Narrows a profile's limits.</summary>
    public Task SetProfileLimitsAsync(Actor actor, string profile, ProfileLimits limits, CancellationToken cancellationToken) =>
        RunAsync(actor, "certificate.profile.update", profile, ResourceKind.Certificate, Verb.Update, () => _host.Authority.SetProfileLimitsAsync(profile, limits, cancellationToken), cancellationToken);

    /// <inheritdoc cref="CertificateAuthority.CreateRootAsync"/>
    public Task<string> CreateRootAsync(Actor actor, CancellationToken cancellationToken) =>
        RunAsync(actor, "authority.root.create", "", ResourceKind.System, Verb.Operate, () => _host.Authority.CreateRootAsync(cancellationToken), cancellationToken);

    /// <inheritdoc cref="CertificateAuthority.WithdrawRootAsync"/>
    public Task WithdrawRootAsync(Actor actor, string id, CancellationToken cancellationToken) =>
        RunAsync(actor, "authority.root.withdraw", id, ResourceKind.System, Verb.Operate, () => _host.Authority.WithdrawRootAsync(id, cancellationToken), cancellationToken);

    /// <inheritdoc cref="CertificateAuthority.ExportRootKey"/>
    public Task<string> ExportRootKeyAsync(Actor actor, string passphrase, CancellationToken cancellationToken) =>
        RunAsync(actor, "authority.root.export", "", ResourceKind.System, Verb.Operate, () => Task.FromResult(_host.Authority.ExportRootKey(passphrase)), cancellationToken);

    /// <inheritdoc cref="CertificateAuthority.RemoveRootKeyAsync"/>
    public Task RemoveRootKeyAsync(Actor actor, CancellationToken cancellationToken) =>
        RunAsync(actor, "authority.root.remove-key", "", ResourceKind.System, Verb.Operate, () => _host.Authority.RemoveRootKeyAsync(cancellationToken), cancellationToken);

    /// <inheritdoc cref="CertificateAuthority.RestoreRootKeyAsync"/>
    public Task RestoreRootKeyAsync(Actor actor, string pem, string passphrase, CancellationToken cancellationToken) =>
        RunAsync(actor, "authority.root.restore-key", "", ResourceKind.System, Verb.Operate, () => _host.Authority.RestoreRootKeyAsync(pem, passphrase, cancellationToken), cancellationToken);

    /// <inheritdoc cref="CertificateAuthority.RenewIssuingAsync"/>
    public Task<string> RenewIssuingAsync(Actor actor, AuthorityPurpose purpose, CancellationToken cancellationToken) =>
        RunAsync(actor, "authority.issuing.renew", purpose.ToString(), ResourceKind.System, Verb.Operate, () => _host.Authority.RenewIssuingAsync(purpose, cancellationToken), cancellationToken);

    /// <inheritdoc cref="CertificateAuthority.RequestIssuingAsync"/>
    public Task<(string Id, string Request)> RequestIssuingAsync(Actor actor, AuthorityPurpose purpose, CancellationToken cancellationToken) =>
        RunAsync(actor, "authority.issuing.request", purpose.ToString(), ResourceKind.System, Verb.Operate, () => _host.Authority.RequestIssuingAsync(purpose, cancellationToken), cancellationToken);

    /// <inheritdoc cref="CertificateAuthority.InstallIssuingAsync"/>
    public Task InstallIssuingAsync(Actor actor, string id, string pem, CancellationToken cancellationToken) =>
        RunAsync(actor, "authority.issuing.install", id, ResourceKind.System, Verb.Operate, () => _host.Authority.InstallIssuingAsync(id, pem, cancellationToken), cancellationToken);

    /// <inheritdoc cref="CertificateAuthority.RevokeIssuingAsync"/>
    public Task RevokeIssuingAsync(Actor actor, string id, RevocationReason reason, CancellationToken cancellationToken) =>
        RunAsync(actor, "authority.issuing.revoke", id, ResourceKind.System, Verb.Operate, () => _host.Authority.RevokeIssuingAsync(id, reason, cancellationToken), cancellationToken);

    /// <inheritdoc cref="MachineEnrollment.CreateTokenAsync"/>
    public Task<JoinToken> CreateJoinTokenAsync(Actor actor, string? machine, TimeSpan lifetime, CancellationToken cancellationToken) =>
        RunAsync(actor, "machine.token.create", machine ?? "", ResourceKind.Machine, Verb.Create, () => _host.Machines.CreateTokenAsync(machine, lifetime, actor.Name, cancellationToken), cancellationToken);

    /// <inheritdoc cref="MachineEnrollment.WithdrawTokenAsync"/>
    public Task WithdrawJoinTokenAsync(Actor actor, string id, CancellationToken cancellationToken) =>
        RunAsync(actor, "machine.token.withdraw", id, ResourceKind.Machine, Verb.Create, () => _host.Machines.WithdrawTokenAsync(id, cancellationToken), cancellationToken);

    /// <inheritdoc cref="MachineEnrollment.RemoveAsync"/>
    public Task RemoveMachineAsync(Actor actor, string name, CancellationToken cancellationToken) =>
        RunAsync(actor, "machine.remove", name, ResourceKind.Machine, Verb.Delete, () => _host.Machines.RemoveAsync(name, cancellationToken), cancellationToken);

    /// <inheritdoc cref="Acme.AcmeServer.CreateExternalAccountAsync"/>
    public Task<(string Id, string Key)> CreateAcmeAccountAsync(Actor actor, string owner, IReadOnlyList<string> domains, TimeSpan lifetime, CancellationToken cancellationToken) =>
        RunAsync(actor, "acme.external-account.create", $"{owner}: {string.Join(", ", domains.Take(10))}", ResourceKind.Certificate, Verb.Create, () => Acme().CreateExternalAccountAsync(owner, domains, lifetime, cancellationToken), cancellationToken);

    /// <inheritdoc cref="Acme.AcmeServer.WithdrawExternalAccountAsync"/>
    public Task WithdrawAcmeAccountAsync(Actor actor, string id, CancellationToken cancellationToken) =>
        RunAsync(actor, "acme.external-account.withdraw", id, ResourceKind.Certificate, Verb.Delete, () => Acme().WithdrawExternalAccountAsync(id, cancellationToken), cancellationToken);

    /// <summary>Trusts another trust domain by its bundle; what else is given says how it is renewed.</summary>
    /// <param name="actor">Who.</param>
    /// <param name="trustDomain">Its name.</param>
    /// <param name="url">Bundle endpoint; null: <paramref name="bundle"/> stays as it is.</param>
    /// <param name="endpoint">Identity that the endpoint must show; null: it is verified as web servers are.</param>
    /// <param name="bundle">Bundle; needed without an address, and with an endpoint's identity.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    public Task FederateAsync(Actor actor, string trustDomain, Uri? url, string? endpoint, string? bundle, CancellationToken cancellationToken) =>
        RunAsync(actor, "trust.federate", trustDomain, ResourceKind.System, Verb.Update, () => _host.Domain.FederateAsync(trustDomain, url, endpoint, bundle, cancellationToken), cancellationToken);

    /// <inheritdoc cref="TrustDomain.UnfederateAsync"/>
    public Task UnfederateAsync(Actor actor, string trustDomain, CancellationToken cancellationToken) =>
        RunAsync(actor, "trust.unfederate", trustDomain, ResourceKind.System, Verb.Update, () => _host.Domain.UnfederateAsync(trustDomain, cancellationToken), cancellationToken);

    private Acme.AcmeServer Acme() => _host.Acme ?? throw new CandelaException(ErrorCode.NotSupported, "there is no ACME server: give the daemon the address at which clients reach it");

    private Task<T> RunAsync<T>(Actor actor, string action, string target, ResourceKind kind, Verb verb, Func<Task<T>> call, CancellationToken cancellationToken) =>
        _guard.RunAsync(actor, action, target, async () =>
        {
            await _guard.RequireAsync(actor, kind, verb, ResourceScope.System, cancellationToken);
            return await call();
        });

    private Task<bool> RunAsync(Actor actor, string action, string target, ResourceKind kind, Verb verb, Func<Task> call, CancellationToken cancellationToken) =>
        RunAsync(actor, action, target, kind, verb, async () =>
        {
            await call();
            return true;
        }, cancellationToken);
}

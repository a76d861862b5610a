using System.Text.Json;
using Candela.Identity.Certificates.Revocation;
using Candela.Model;
using Candela.State;

namespace Candela.Identity.Certificates;

/// <summary>What was issued and what was revoked, in the state store.</summary>
internal sealed class CertificateRecords(IStateStore store, TimeProvider time)
{
    /// <summary>Records new certificates, all or none.</summary>
    public async Task AddAsync(IReadOnlyList<IssuedCertificate> certificates, CancellationToken cancellationToken)
    {
        var transaction = new StateTransaction();
        foreach (var certificate in certificates)
            Add(transaction, certificate);
        if (await store.CommitAsync(transaction, cancellationToken) is { Succeeded: false, FailedKey: var key })
            throw new CandelaException(ErrorCode.Internal, $"{key} exists: two certificates have one serial number");
    }

    /// <summary>Adds a new certificate to a transaction of the caller's.</summary>
    public static void Add(StateTransaction transaction, IssuedCertificate certificate)
    {
        var key = CertificateKeys.Certificate(certificate.Authority, certificate.Serial);
        transaction.Expect(key, 0).Put(key, JsonSerializer.SerializeToUtf8Bytes(certificate, CertificateJson.Default.IssuedCertificate));
    }

    /// <summary>Null: no such certificate was issued.</summary>
    public async Task<IssuedCertificate?> FindAsync(string authority, string serial, CancellationToken cancellationToken) =>
        await store.GetAsync(CertificateKeys.Certificate(authority, serial), cancellationToken) is { } entry ? Read(entry) : null;

    /// <summary>Revokes a certificate; one that already is stays as it is.</summary>
    /// <returns>The certificate as it is now; null: no such certificate was issued.</returns>
    public async Task<IssuedCertificate?> RevokeAsync(string authority, string serial, RevocationReason reason, CancellationToken cancellationToken)
    {
        var key = CertificateKeys.Certificate(authority, serial);
        while (true)
        {
            if (await store.GetAsync(key, cancellationToken) is not { } entry)
                return null;
            var certificate = Read(entry);
            if (certificate.RevokedAt is not null)
                return certificate;
            var transaction = new StateTransaction().Expect(key, entry.Revision);
            var revoked = Revoke(transaction, certificate, reason);
            if ((await store.CommitAsync(transaction, cancellationToken)).Succeeded)
                return revoked;
        }
    }

    /// <summary>Adds a revocation to a transaction of the caller's, who has made sure that the certificate is not revoked yet.</summary>
    public IssuedCertificate Revoke(StateTransaction transaction, IssuedCertificate certificate, RevocationReason reason)
    {
        var revoked = certificate with { RevokedAt = time.GetUtcNow(), Reason = reason };
        var document = new RevocationDocument(revoked.RevokedAt.Value, reason, certificate.NotAfter);
        transaction
            .Put(CertificateKeys.Certificate(certificate.Authority, certificate.Serial), JsonSerializer.SerializeToUtf8Bytes(revoked, CertificateJson.Default.IssuedCertificate))
            .Put(CertificateKeys.Revocation(certificate.Authority, certificate.Serial), JsonSerializer.SerializeToUtf8Bytes(document, CertificateJson.Default.RevocationDocument));
        return revoked;
    }

    private static IssuedCertificate Read(StateEntry entry) => JsonSerializer.Deserialize(entry.Value.Span, CertificateJson.Default.IssuedCertificate)!;
}

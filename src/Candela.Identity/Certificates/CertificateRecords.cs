using System.Runtime.CompilerServices;
using System.Text.Json;
using Candela.Identity.Certificates.Revocation;
using Candela.Model;
using Candela.State;

namespace Candela.Identity.Certificates;

/// <summary>What was issued and what was revoked, in the state store.</summary>
internal sealed class CertificateRecords(IStateStore store, RevokedSet revoked, TimeProvider time)
{
    /// <summary>Most deletions of one transaction.</summary>
    private const int PurgeCount = 500;

    /// <summary>Records a new certificate.</summary>
    public async Task AddAsync(IssuedCertificate certificate, CancellationToken cancellationToken)
    {
        var transaction = new StateTransaction();
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

    /// <summary>All certificates that are on record.</summary>
    public async IAsyncEnumerable<IssuedCertificate> AllAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        string? after = null;
        do
        {
            var page = await store.RangeAsync(CertificateKeys.Issued, after, StateLimits.PageCount, cancellationToken);
            foreach (var entry in page.Entries)
                yield return Read(entry);
            after = page.Next;
        }
        while (after is not null);
    }

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
            await CommitRevocationsAsync(new StateTransaction(), [new HeldCertificate(authority, serial, DateTimeOffset.MaxValue)], reason, cancellationToken);
        }
    }

    /// <summary>Commits a transaction together with the revocation of those of a holder's certificates that have not expired; false when an expectation does not hold.</summary>
    public async Task<bool> CommitRevocationsAsync(
        StateTransaction transaction, IEnumerable<HeldCertificate> certificates, RevocationReason reason, CancellationToken cancellationToken)
    {
        var revocations = new List<(string Authority, string Serial, RevocationDocument Document)>();
        foreach (var (authority, serial, notAfter) in certificates)
        {
            if (notAfter <= time.GetUtcNow())
                continue;
            var key = CertificateKeys.Certificate(authority, serial);
            if (await store.GetAsync(key, cancellationToken) is not { } entry || Read(entry) is not { RevokedAt: null } certificate)
                continue;
            certificate = certificate with { RevokedAt = time.GetUtcNow(), Reason = reason };
            transaction.Expect(key, entry.Revision).Put(key, JsonSerializer.SerializeToUtf8Bytes(certificate, CertificateJson.Default.IssuedCertificate));
            revocations.Add((authority, serial, new RevocationDocument(certificate.RevokedAt.Value, reason, certificate.NotAfter)));
        }

        return await CommitRevocationsAsync(transaction, revocations, cancellationToken);
    }

    /// <summary>Commits a transaction together with revocations; false when an expectation does not hold.</summary>
    public async Task<bool> CommitRevocationsAsync(
        StateTransaction transaction, IReadOnlyList<(string Authority, string Serial, RevocationDocument Document)> revocations, CancellationToken cancellationToken)
    {
        var puts = revocations.Select(r => (Key: CertificateKeys.Revocation(r.Authority, r.Serial), Value: JsonSerializer.SerializeToUtf8Bytes(r.Document, CertificateJson.Default.RevocationDocument))).ToArray();
        foreach (var (key, value) in puts)
            transaction.Put(key, value);
        var result = await store.CommitAsync(transaction, cancellationToken);
        if (result.Succeeded)
        {
            foreach (var (key, value) in puts)
                revoked.Apply(key, value, result.Revision);
        }

        return result.Succeeded;
    }

    /// <summary>Deletes records of certificates that have long expired, and revocations that no list names any more.</summary>
    public async Task PurgeAsync(Func<IssuedCertificate, TimeSpan> retention, TimeSpan crlLifetime, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        await PurgeAsync(CertificateKeys.Issued, entry => Read(entry) is var c && c.NotAfter + retention(c) < now, cancellationToken);
        await PurgeAsync(
            CertificateKeys.Revocations,
            entry => JsonSerializer.Deserialize(entry.Value.Span, CertificateJson.Default.RevocationDocument)!.NotAfter + crlLifetime < now,
            cancellationToken);
    }

    private async Task PurgeAsync(string prefix, Func<StateEntry, bool> isOver, CancellationToken cancellationToken)
    {
        string? after = null;
        do
        {
            var page = await store.RangeAsync(prefix, after, PurgeCount, cancellationToken);
            var transaction = new StateTransaction();
            foreach (var entry in page.Entries.Where(isOver))
                transaction.Delete(entry.Key);
            if (transaction.Writes.Count > 0)
                await store.CommitAsync(transaction, cancellationToken);
            after = page.Next;
        }
        while (after is not null);
    }

    private static IssuedCertificate Read(StateEntry entry) => JsonSerializer.Deserialize(entry.Value.Span, CertificateJson.Default.IssuedCertificate)!;
}

using System.Collections.Concurrent;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Candela.Identity.Certificates.Authorities;
using Candela.Model;
using Candela.State;

namespace Candela.Identity.Certificates.Revocation;

/// <summary>
/// Lists of revoked certificates (RFC 5280, section 5), one an authority. A list is made when it is asked for and the last one no longer
/// tells everything or has lived half its time; it is kept in the state store, so that all controllers give out the same one.
/// </summary>
internal sealed class CrlPublisher(IStateStore store, AuthoritySet authorities, RevokedSet revoked, CertificateAuthorityOptions options, TimeProvider time) : IDisposable
{
    /// <summary>Least time between two lists of one authority, however much is revoked.</summary>
    public static readonly TimeSpan IntervalMinimum = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<string, CrlDocument> _last = new(StringComparer.Ordinal);
    private readonly SemaphoreSlim _making = new(1);

    /// <summary>An authority's list.</summary>
    /// <exception cref="CandelaException">NotFound: no such authority. Unavailable: it cannot sign here, and there is no list that it signed before.</exception>
    public async Task<CrlDocument> GetAsync(string authorityId, CancellationToken cancellationToken)
    {
        var authority = authorities.Find(authorityId) ?? throw new CandelaException(ErrorCode.NotFound, $"there is no certificate authority {authorityId}");
        if (_last.TryGetValue(authorityId, out var last) && !IsDue(authority, last))
            return last;
        await _making.WaitAsync(cancellationToken);
        try
        {
            return await MakeAsync(authority, force: false, cancellationToken);
        }
        finally
        {
            _making.Release();
        }
    }

    /// <summary>Makes a list now, for instance before a root's key goes away.</summary>
    public async Task<CrlDocument> RenewAsync(Authority authority, CancellationToken cancellationToken)
    {
        await _making.WaitAsync(cancellationToken);
        try
        {
            return await MakeAsync(authority, force: true, cancellationToken);
        }
        finally
        {
            _making.Release();
        }
    }

    public void Dispose() => _making.Dispose();

    private async Task<CrlDocument> MakeAsync(Authority authority, bool force, CancellationToken cancellationToken)
    {
        while (true)
        {
            var key = CertificateKeys.Crl(authority.Id);
            var entry = await store.GetAsync(key, cancellationToken);
            var stored = entry is null ? null : JsonSerializer.Deserialize(entry.Value.Span, CertificateJson.Default.CrlDocument)!;
            if (stored is not null && !force && !IsDue(authority, stored))
                return _last[authority.Id] = stored;
            if (authority.Key is null)
                return stored ?? throw new CandelaException(ErrorCode.Unavailable, $"{authority.Certificate.Subject} cannot sign its list of revoked certificates: its private key is not in the state store");
            var made = Make(authority, authority.Key, (stored?.Number ?? 0) + 1);
            var transaction = new StateTransaction().Expect(key, entry?.Revision ?? 0).Put(key, JsonSerializer.SerializeToUtf8Bytes(made, CertificateJson.Default.CrlDocument));
            if ((await store.CommitAsync(transaction, cancellationToken)).Succeeded)
                return _last[authority.Id] = made;
            // Another controller made one meanwhile.
        }
    }

    private bool IsDue(Authority authority, CrlDocument list)
    {
        if (authority.Key is null)
            return false;
        var age = time.GetUtcNow() - list.ThisUpdate;
        return age >= (list.NextUpdate - list.ThisUpdate) / 2 || age >= IntervalMinimum && revoked.RevisionOf(authority.Id) > list.Revision;
    }

    private CrlDocument Make(Authority authority, SigningKey signer, long number)
    {
        var now = time.GetUtcNow();
        var lifetime = authority.IsRoot ? options.RootCrlLifetime : options.CrlLifetime;
        var (entries, revision) = revoked.Of(authority.Id);
        var builder = new CertificateRevocationListBuilder();
        foreach (var (serial, revocation) in entries)
        {
            // An expired certificate stays for one list's life (RFC 5280, section 3.3).
            if (revocation.NotAfter + lifetime > now)
                builder.AddEntry(SerialNumber.Signed(serial), revocation.At, revocation.Reason == RevocationReason.Unspecified ? null : (X509RevocationReason)revocation.Reason);
        }

        var next = now + lifetime;
        var der = builder.Build(authority.Certificate.SubjectName, signer, number, next, signer.Hash, authority.KeyIdentifier, now);
        return new CrlDocument(number, now, next, revision, der);
    }
}

using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Candela.Identity.Certificates.Profiles;
using Candela.Identity.Secrets;
using Candela.Model;
using Candela.State;

namespace Candela.Identity.Certificates.Authorities;

/// <summary>
/// Makes, changes and ends authorities. Each step is one transaction on the documents as they were read: of two controllers that try the
/// same, one succeeds and the other hears of it.
/// </summary>
internal sealed class AuthorityLifecycle(IStateStore store, ISecretBox secrets, AuthoritySet authorities, CertificateAuthorityOptions options, TimeProvider time)
{
    private const int PassphraseLengthMinimum = 12;

    /// <summary>Makes root and issuing authorities if there are none.</summary>
    public async Task EnsureAsync(CancellationToken cancellationToken)
    {
        if (authorities.Current is not null)
            return;
        using var rootKey = SigningKey.Create(ECCurve.NamedCurves.nistP384);
        var root = NewDocument(rootKey, null) with { Certificate = AuthorityCertificates.Root(options, rootKey, time.GetUtcNow()) };
        using var signer = new Authority(root, SigningKey.Import(rootKey.Export()), options);
        var general = Issue(signer, AuthorityPurpose.General);
        var workload = Issue(signer, AuthorityPurpose.Workload);
        var transaction = new StateTransaction().Expect(CertificateKeys.Current, 0);
        foreach (var document in new[] { root, general, workload })
            Put(transaction, document);
        Put(transaction, new CurrentAuthorities { Root = root.Id, General = general.Id, Workload = workload.Id });
        // When another controller was first, its authorities count.
        await store.CommitAsync(transaction, cancellationToken);
        await authorities.ReadAsync(cancellationToken);
    }

    /// <summary>Makes a new root beside the others; the issuing authorities stay with theirs until they are renewed.</summary>
    public async Task<string> CreateRootAsync(CancellationToken cancellationToken)
    {
        using var key = SigningKey.Create(ECCurve.NamedCurves.nistP384);
        var root = NewDocument(key, null) with { Certificate = AuthorityCertificates.Root(options, key, time.GetUtcNow()) };
        await CommitCurrentAsync(c => c with { Root = root.Id }, root, 0, cancellationToken);
        return root.Id;
    }

    /// <summary>Makes an issuing authority with the root's key and puts it to use. Its forerunner's certificates stay good.</summary>
    /// <exception cref="CandelaException">Conflict: the root's key is not here.</exception>
    public async Task<string> RenewAsync(AuthorityPurpose purpose, CancellationToken cancellationToken)
    {
        var document = Issue(Root(), purpose);
        await CommitCurrentAsync(c => c.With(purpose, document.Id), document, 0, cancellationToken);
        return document.Id;
    }

    /// <summary>Makes an issuing authority that waits for an offline root's signature.</summary>
    /// <returns>Its id, and the signing request in PEM.</returns>
    public async Task<(string Id, string Request)> RequestAsync(AuthorityPurpose purpose, CancellationToken cancellationToken)
    {
        using var key = SigningKey.Create(ECCurve.NamedCurves.nistP256);
        var request = AuthorityCertificates.Request(options, key, purpose, pathLength: 0).CreateSigningRequest(key);
        var document = NewDocument(key, purpose) with { Request = request };
        await CommitAsync(Put(new StateTransaction().Expect(CertificateKeys.Authority(document.Id), 0), document), cancellationToken);
        return (document.Id, PemEncoding.WriteString("CERTIFICATE REQUEST", request));
    }

    /// <summary>Puts an issuing authority to use whose request an offline root has signed.</summary>
    /// <exception cref="CandelaException">NotFound, or InvalidArgument: the certificate is not what was asked for.</exception>
    public async Task InstallAsync(string id, X509Certificate2 certificate, CancellationToken cancellationToken)
    {
        var (document, revision) = authorities.Documents.FirstOrDefault(d => d.Document.Id == id && d.Document.Request is not null);
        if (document is null)
            throw new CandelaException(ErrorCode.NotFound, $"no authority {id} waits for a certificate");
        var root = authorities.Roots.FirstOrDefault(r => r.Certificate.SubjectName.RawData.AsSpan().SequenceEqual(certificate.IssuerName.RawData))
            ?? throw new CandelaException(ErrorCode.InvalidArgument, $"the authority's certificate is refused: {certificate.Issuer} is none of the roots");
        var request = CertificateRequest.LoadSigningRequest(
            document.Request!, HashAlgorithmName.SHA256, out _, CertificateRequestLoadOptions.UnsafeLoadCertificateExtensions);
        AuthorityCertificates.CheckSigned(certificate, request, root, time.GetUtcNow());
        var installed = document with { Certificate = certificate.RawData, Request = null, Root = root.Id };
        await CommitCurrentAsync(c => c.With(document.Purpose!.Value, id), installed, revision, cancellationToken);
    }

    /// <summary>The root's private key for a safe place, encrypted with a passphrase (PKCS #8 in PEM).</summary>
    /// <exception cref="CandelaException">Conflict: it is not here. InvalidArgument: the passphrase is too short.</exception>
    public string ExportRootKey(string passphrase)
    {
        if (passphrase.Length < PassphraseLengthMinimum)
            throw new CandelaException(ErrorCode.InvalidArgument, $"the passphrase has at least {PassphraseLengthMinimum} characters");
        return Root().Key!.ExportPem(passphrase);
    }

    /// <summary>Deletes the root's private key here. Whoever calls has seen to it that it was exported.</summary>
    public async Task RemoveRootKeyAsync(CancellationToken cancellationToken)
    {
        var (document, revision) = Stored(Root().Id);
        await CommitAsync(Put(new StateTransaction().Expect(CertificateKeys.Authority(document.Id), revision), document with { Key = null }), cancellationToken);
    }

    /// <summary>Gives the root its private key back.</summary>
    /// <param name="pem">From <see cref="ExportRootKey"/>.</param>
    /// <param name="passphrase">Passphrase.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <exception cref="CandelaException">InvalidArgument: wrong passphrase or another key.</exception>
    public async Task RestoreRootKeyAsync(string pem, string passphrase, CancellationToken cancellationToken)
    {
        using var key = ECDsa.Create();
        try
        {
            key.ImportFromEncryptedPem(pem, passphrase);
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            throw new CandelaException(ErrorCode.InvalidArgument, "the root's private key cannot be read: wrong passphrase, or not an encrypted PEM file", e);
        }

        var id = AuthorityCertificates.IdOf(key.ExportSubjectPublicKeyInfo());
        if (!authorities.Roots.Any(r => r.Id == id))
            throw new CandelaException(ErrorCode.InvalidArgument, "this private key belongs to none of the roots");
        var (document, revision) = Stored(id);
        var pkcs8 = key.ExportPkcs8PrivateKey();
        try
        {
            document = document with { Key = secrets.Seal(pkcs8, CertificateKeys.PrivateKey(id)) };
        }
        finally
        {
            CryptographicOperations.ZeroMemory(pkcs8);
        }

        await CommitAsync(Put(new StateTransaction().Expect(CertificateKeys.Authority(id), revision), document), cancellationToken);
    }

    /// <summary>Takes trust from a root, or marks an issuing authority as revoked; neither may be in use.</summary>
    public async Task WithdrawAsync(string id, CancellationToken cancellationToken)
    {
        var current = Current();
        if (id == current.Root || id == current.General || id == current.Workload)
            throw new CandelaException(ErrorCode.Conflict, "the authority is in use: make its successor first");
        if (authorities.Find(id) is not { } authority)
            throw new CandelaException(ErrorCode.NotFound, $"there is no certificate authority {id}");
        if (authority.IsRoot && authorities.All.Any(a => a.Document.Root == id && (a.Id == current.General || a.Id == current.Workload)))
            throw new CandelaException(ErrorCode.Conflict, "an issuing authority in use was signed by this root: renew it first");
        var (document, revision) = Stored(id);
        await CommitAsync(
            Put(new StateTransaction().Expect(CertificateKeys.Authority(id), revision), document with { Withdrawn = true, Key = null }), cancellationToken);
    }

    /// <summary>Writes a profile's limits.</summary>
    public Task PutProfileAsync(string name, ReadOnlyMemory<byte> limits, CancellationToken cancellationToken) =>
        CommitAsync(new StateTransaction().Put(CertificateKeys.Profile(name), limits), cancellationToken);

    private AuthorityDocument Issue(Authority root, AuthorityPurpose purpose)
    {
        using var key = SigningKey.Create(ECCurve.NamedCurves.nistP256);
        var request = AuthorityCertificates.Request(options, key, purpose, pathLength: 0);
        return NewDocument(key, purpose) with { Certificate = AuthorityCertificates.Sign(options, request, root, time.GetUtcNow()), Root = root.Id };
    }

    private AuthorityDocument NewDocument(SigningKey key, AuthorityPurpose? purpose)
    {
        var id = AuthorityCertificates.IdOf(key.ExportPublicKey());
        var pkcs8 = key.Export();
        try
        {
            return new AuthorityDocument { Id = id, Purpose = purpose, Key = secrets.Seal(pkcs8, CertificateKeys.PrivateKey(id)), CreatedAt = time.GetUtcNow() };
        }
        finally
        {
            CryptographicOperations.ZeroMemory(pkcs8);
        }
    }

    private CurrentAuthorities Current() =>
        authorities.Current ?? throw new CandelaException(ErrorCode.Unavailable, "the certificate authority has not been made yet");

    private Authority Root() => authorities.Find(Current().Root) is { Key: not null } root ? root : throw AuthorityCertificates.RootIsOffline();

    private (AuthorityDocument Document, long Revision) Stored(string id)
    {
        var (document, revision) = authorities.Documents.First(d => d.Document.Id == id);
        return (document, revision);
    }

    private async Task CommitCurrentAsync(Func<CurrentAuthorities, CurrentAuthorities> change, AuthorityDocument document, long revision, CancellationToken cancellationToken)
    {
        var transaction = new StateTransaction().Expect(CertificateKeys.Current, authorities.CurrentRevision).Expect(CertificateKeys.Authority(document.Id), revision);
        await CommitAsync(Put(Put(transaction, document), change(Current())), cancellationToken);
    }

    private async Task CommitAsync(StateTransaction transaction, CancellationToken cancellationToken)
    {
        var result = await store.CommitAsync(transaction, cancellationToken);
        await authorities.ReadAsync(cancellationToken);
        if (!result.Succeeded)
            throw new CandelaException(ErrorCode.Conflict, "the certificate authorities were changed meanwhile: look at them again");
    }

    private static StateTransaction Put(StateTransaction transaction, AuthorityDocument document) =>
        transaction.Put(CertificateKeys.Authority(document.Id), JsonSerializer.SerializeToUtf8Bytes(document, CertificateJson.Default.AuthorityDocument));

    private static StateTransaction Put(StateTransaction transaction, CurrentAuthorities current) =>
        transaction.Put(CertificateKeys.Current, JsonSerializer.SerializeToUtf8Bytes(current, CertificateJson.Default.CurrentAuthorities));
}

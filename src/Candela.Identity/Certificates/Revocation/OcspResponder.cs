using System.Collections.Concurrent;
using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Text.Json;
using Candela.Identity.Certificates.Authorities;
using Candela.Identity.Certificates.Profiles;
using Candela.Identity.Certificates.Requests;
using Candela.Identity.Secrets;
using Candela.State;

namespace Candela.Identity.Certificates.Revocation;

/// <summary>
/// Answers OCSP requests (RFC 6960) from the records of issued certificates. Each authority has a delegated signer with a short-lived
/// certificate, renewed at half its time and shared by all controllers.
/// </summary>
internal sealed class OcspResponder(IStateStore store, ISecretBox secrets, CertificateAuthority authority, TimeProvider time) : IDisposable
{
    /// <summary>How long an answer may be used: short, for containers that end.</summary>
    public static readonly TimeSpan AnswerLifetime = TimeSpan.FromMinutes(5);

    private readonly ConcurrentDictionary<string, Signer> _signers = new(StringComparer.Ordinal);
    private readonly SemaphoreSlim _renewing = new(1);

    /// <summary>The answer in DER: to what cannot be answered, too.</summary>
    public async Task<byte[]> AnswerAsync(ReadOnlyMemory<byte> der, CancellationToken cancellationToken)
    {
        OcspRequest request;
        try
        {
            request = OcspRequest.Read(der);
        }
        catch (AsnContentException)
        {
            return OcspResponse.MalformedRequest;
        }

        var issuer = authority.Authorities.All.FirstOrDefault(a => !a.IsRoot && IsIssuer(a, request.Certificates[0]));
        // A delegated signer speaks for the authority that made it, and for no other.
        if (issuer is null || request.Certificates.Any(c => !IsIssuer(issuer, c)))
            return OcspResponse.Unauthorized;
        if (await SignerOfAsync(issuer, cancellationToken) is not { } signer)
            return OcspResponse.TryLater;
        var statuses = new List<OcspStatus>(request.Certificates.Count);
        foreach (var id in request.Certificates)
        {
            var found = id.Serial.Length == SerialNumber.Bytes ? await authority.Records.FindAsync(issuer.Id, SerialNumber.TextOf(id.Serial.Span), cancellationToken) : null;
            statuses.Add(new OcspStatus(id, found is not null, found?.RevokedAt, found?.Reason ?? RevocationReason.Unspecified));
        }

        var now = time.GetUtcNow();
        return OcspResponse.Write(statuses, request.Nonce, signer.Key, signer.Certificate, signer.KeyHash, now, now + AnswerLifetime);
    }

    public void Dispose()
    {
        foreach (var signer in _signers.Values)
            signer.Key.Dispose();
        _renewing.Dispose();
    }

    private static bool IsIssuer(Authority authority, OcspCertificateId id)
    {
        var (name, key) = id.HashAlgorithm switch
        {
            OcspRequest.Sha1 => (authority.NameHashSha1, authority.KeyHashSha1),
            OcspRequest.Sha256 => (authority.NameHashSha256, authority.KeyHashSha256),
            _ => ([], []),
        };
        return name.Length > 0 && id.IssuerNameHash.Span.SequenceEqual(name) && id.IssuerKeyHash.Span.SequenceEqual(key);
    }

    /// <summary>Null: the authority cannot make a signer here, and there is none in time.</summary>
    private async Task<Signer?> SignerOfAsync(Authority issuer, CancellationToken cancellationToken)
    {
        if (_signers.TryGetValue(issuer.Id, out var signer) && time.GetUtcNow() < signer.RenewAt)
            return signer;
        await _renewing.WaitAsync(cancellationToken);
        try
        {
            while (true)
            {
                var key = CertificateKeys.OcspSigner(issuer.Id);
                var entry = await store.GetAsync(key, cancellationToken);
                var stored = entry is null ? null : Load(key, JsonSerializer.Deserialize(entry.Value.Span, CertificateJson.Default.OcspSignerDocument)!);
                if (stored is not null && (time.GetUtcNow() < stored.RenewAt || issuer.Key is null))
                    return time.GetUtcNow() < stored.NotAfter ? _signers[issuer.Id] = stored : null;
                if (issuer.Key is null)
                    return null;
                if (await CreateAsync(issuer, key, entry?.Revision ?? 0, cancellationToken) is { } created)
                    return _signers[issuer.Id] = created;
                // Another controller made one meanwhile.
            }
        }
        finally
        {
            _renewing.Release();
        }
    }

    private async Task<Signer?> CreateAsync(Authority issuer, string key, long revision, CancellationToken cancellationToken)
    {
        var signing = SigningKey.Create(ECCurve.NamedCurves.nistP256);
        var order = new CertificateOrder { Profile = CertificateProfile.OcspSigner, Owner = $"authority:{issuer.Id}", CommonName = $"ocsp-{issuer.Id[..8]}" };
        var certificate = authority.Make(order, new PublicKeyInfo(CertificateKeyType.EcdsaP256, signing.ExportPublicKey()), issuer);
        var pkcs8 = signing.Export();
        var document = new OcspSignerDocument(certificate.Der.ToArray(), secrets.Seal(pkcs8, key), certificate.NotAfter);
        CryptographicOperations.ZeroMemory(pkcs8);
        var transaction = new StateTransaction().Expect(key, revision).Put(key, JsonSerializer.SerializeToUtf8Bytes(document, CertificateJson.Default.OcspSignerDocument));
        CertificateRecords.Add(transaction, certificate);
        return (await store.CommitAsync(transaction, cancellationToken)).Succeeded ? new Signer(signing, document) : null;
    }

    private Signer Load(string key, OcspSignerDocument document)
    {
        var pkcs8 = secrets.Open(document.Key, key);
        try
        {
            return new Signer(SigningKey.Import(pkcs8), document);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(pkcs8);
        }
    }

    private sealed class Signer
    {
        public Signer(SigningKey key, OcspSignerDocument document)
        {
            Key = key;
            Certificate = document.Certificate;
            NotAfter = document.NotAfter;
            using var certificate = System.Security.Cryptography.X509Certificates.X509CertificateLoader.LoadCertificate(document.Certificate);
            RenewAt = NotAfter - (NotAfter - certificate.NotBefore.ToUniversalTime()) / 2;
#pragma warning disable CA5350 // The key's name, which RFC 6960 (ResponderID) wants so; nothing is trusted for it.
            KeyHash = SHA1.HashData(certificate.PublicKey.EncodedKeyValue.RawData);
#pragma warning restore CA5350
        }

        public SigningKey Key { get; }

        public byte[] Certificate { get; }

        public byte[] KeyHash { get; }

        public DateTimeOffset NotAfter { get; }

        public DateTimeOffset RenewAt { get; }
    }
}

using System.Collections.Frozen;
using System.Security.Cryptography;
using System.Text.Json;
using Candela.Identity.Certificates.Profiles;
using Candela.Identity.Following;
using Candela.Identity.Secrets;
using Candela.Model;
using Candela.State;
using Microsoft.Extensions.Logging;

namespace Candela.Identity.Certificates.Authorities;

/// <summary>
/// The authorities and profiles of the state store, held in memory and read anew when any controller changes them. Readers see one
/// consistent picture at a time.
/// </summary>
internal sealed class AuthoritySet(IStateStore store, ISecretBox secrets, CertificateAuthorityOptions options) : IDisposable
{
    /// <summary>Most authorities, past ones included.</summary>
    private const int CountMaximum = 256;

    private readonly SemaphoreSlim _reading = new(1);
    private volatile Picture _picture = Picture.Empty;

    /// <summary>Ends when another picture is there.</summary>
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Revision of the store that the picture shows.</summary>
    public long Revision => _picture.Revision;

    public CurrentAuthorities? Current => _picture.Current;

    /// <summary>Revision of the document that says which are current; 0: there is none.</summary>
    public long CurrentRevision => _picture.CurrentRevision;

    /// <summary>Those with a certificate, withdrawn ones included.</summary>
    public IEnumerable<Authority> All => _picture.Authorities.Values;

    /// <summary>Documents of all, those without a certificate included.</summary>
    public IEnumerable<StoredAuthority> Documents => _picture.Documents;

    /// <summary>Roots to be trusted, the one in use first.</summary>
    public IReadOnlyList<Authority> Roots => _picture.Roots;

    /// <summary>Revision at which what is trusted last changed.</summary>
    public long RootRevision => _picture.Documents.Where(d => d.Document.Purpose is null).Max(d => (long?)d.Revision) ?? 0;

    /// <summary>Ends when authorities or profiles have changed since this was read.</summary>
    public Task Changed => Volatile.Read(ref _changed).Task;

    public Authority? Find(string id) => _picture.Authorities.GetValueOrDefault(id);

    /// <summary>The authority that issues.</summary>
    /// <exception cref="CandelaException">Unavailable.</exception>
    public Authority Issuing(AuthorityPurpose purpose)
    {
        var picture = _picture;
        return picture.Current is { } current && picture.Authorities.GetValueOrDefault(current.Of(purpose)) is { Key: not null } authority
            ? authority
            : throw new CandelaException(ErrorCode.Unavailable, $"the {purpose} certificate authority cannot sign: its private key is not in the state store");
    }

    /// <exception cref="CandelaException">NotFound.</exception>
    public CertificateProfile Profile(string name) =>
        _picture.Profiles.GetValueOrDefault(name) ?? throw new CandelaException(ErrorCode.NotFound, $"there is no certificate profile {name}: there are {string.Join(", ", CertificateProfile.BuiltIn.Keys)}");

    /// <summary>Reads everything anew.</summary>
    /// <returns>Revision of the store that was read.</returns>
    public async Task<long> ReadAsync(CancellationToken cancellationToken)
    {
        await _reading.WaitAsync(cancellationToken);
        try
        {
            var page = await store.RangeAsync(CertificateKeys.Authorities, null, StateLimits.PageCount, cancellationToken);
            if (page.Next is not null)
                throw new CandelaException(ErrorCode.ResourceExhausted, $"there are more than {StateLimits.PageCount} documents of the certificate authority");
            _picture = Compose(page, _picture);
        }
        finally
        {
            _reading.Release();
        }

        Interlocked.Exchange(ref _changed, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).SetResult();
        return Revision;
    }

    /// <summary>Follows changes, this controller's and others'; until cancelled.</summary>
    public Task FollowAsync(TimeProvider time, ILogger logger, CancellationToken cancellationToken)
    {
        var follower = new StateFollower(
            store, CertificateKeys.Authorities, ReadAsync, async (change, ending) => _ = change.Revision > Revision ? await ReadAsync(ending) : Revision, time, logger);
        return follower.RunAsync(Revision, cancellationToken);
    }

    public void Dispose()
    {
        foreach (var authority in All)
            authority.Dispose();
        _reading.Dispose();
    }

    private Picture Compose(StatePage page, Picture former)
    {
        var documents = new List<StoredAuthority>();
        var profiles = new Dictionary<string, CertificateProfile>(CertificateProfile.BuiltIn);
        CurrentAuthorities? current = null;
        long currentRevision = 0;
        foreach (var entry in page.Entries)
        {
            if (entry.Key == CertificateKeys.Current)
                (current, currentRevision) = (JsonSerializer.Deserialize(entry.Value.Span, CertificateJson.Default.CurrentAuthorities), entry.Revision);
            else if (entry.Key.StartsWith(CertificateKeys.Authority(""), StringComparison.Ordinal))
                documents.Add(new StoredAuthority(JsonSerializer.Deserialize(entry.Value.Span, CertificateJson.Default.AuthorityDocument)!, entry.Revision));
            else if (entry.Key.StartsWith(CertificateKeys.Profile(""), StringComparison.Ordinal) && profiles.TryGetValue(entry.Key[CertificateKeys.Profile("").Length..], out var profile))
                profiles[profile.Name] = profile with { Limits = JsonSerializer.Deserialize(entry.Value.Span, CertificateJson.Default.ProfileLimits)! };
        }

        if (documents.Count > CountMaximum)
            throw new CandelaException(ErrorCode.ResourceExhausted, $"there are more than {CountMaximum} certificate authorities");
        var revisions = documents.ToFrozenDictionary(d => d.Document.Id, d => d.Revision);
        // What did not change keeps its object, and with it its copies of the key.
        var authorities = documents.Where(d => d.Document.Certificate is not null)
            .Select(d => former.Authorities.TryGetValue(d.Document.Id, out var known) && former.Revisions[d.Document.Id] == d.Revision ? known : Load(d.Document))
            .ToFrozenDictionary(a => a.Id);
        var roots = authorities.Values.Where(a => a.IsRoot && !a.Document.Withdrawn).OrderByDescending(a => a.Id == current?.Root).ThenByDescending(a => a.Document.CreatedAt).ToArray();
        return new Picture(page.Revision, current, currentRevision, documents, revisions, authorities, roots, profiles);
    }

    private Authority Load(AuthorityDocument document)
    {
        if (document.Key is null)
            return new Authority(document, null, options);
        var pkcs8 = secrets.Open(document.Key, CertificateKeys.PrivateKey(document.Id));
        try
        {
            return new Authority(document, SigningKey.Import(pkcs8), options);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(pkcs8);
        }
    }

    /// <summary>A document and its revision.</summary>
    public readonly record struct StoredAuthority(AuthorityDocument Document, long Revision);

    private sealed record Picture(
        long Revision,
        CurrentAuthorities? Current,
        long CurrentRevision,
        IReadOnlyList<StoredAuthority> Documents,
        IReadOnlyDictionary<string, long> Revisions,
        IReadOnlyDictionary<string, Authority> Authorities,
        IReadOnlyList<Authority> Roots,
        IReadOnlyDictionary<string, CertificateProfile> Profiles)
    {
        public static Picture Empty { get; } =
            new(0, null, 0, [], FrozenDictionary<string, long>.Empty, FrozenDictionary<string, Authority>.Empty, [], CertificateProfile.BuiltIn);
    }
}

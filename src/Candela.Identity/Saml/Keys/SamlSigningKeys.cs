using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Candela.Identity.Following;
using Candela.Identity.Secrets;
using Candela.Model;
using Candela.Identity.Saml.Storage;
using Candela.State;
using Microsoft.Extensions.Logging;

namespace Candela.Identity.Saml.Keys;

/// <summary>
/// The keys that sign, shared by all controllers. A key is in the metadata some time before it signs and for as long after: service providers
/// that read the metadata now and then never meet a signature that they cannot verify.
/// </summary>
internal sealed partial class SamlSigningKeys(IStateStore store, ISecretBox secrets, SamlOptions options, TimeProvider time, ILogger<SamlSigningKeys> logger) : IAsyncDisposable
{
    private static readonly TimeSpan UpkeepInterval = TimeSpan.FromMinutes(10);

    private readonly CancellationTokenSource _closing = new();
    private volatile Picture _picture = new(0, []);
    private Task _background = Task.CompletedTask;

    /// <summary>The published keys, in the order in which they sign.</summary>
    public IReadOnlyList<SamlKey> Published => _picture.Keys;

    /// <summary>The key that signs now.</summary>
    public SamlKey Current
    {
        get
        {
            var now = time.GetUtcNow();
            return _picture.Keys.LastOrDefault(k => k.SignsFrom <= now)
                ?? throw new CandelaException(ErrorCode.Unavailable, "there is no key that signs SAML messages: see the log for why none could be made");
        }
    }

    /// <summary>Reads the keys, makes the first one; to be called once, before anything else.</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        var revision = await ReadAsync(cancellationToken);
        await MaintainAsync(cancellationToken);
        var follower = new StateFollower(store, SamlStateKeys.SigningKeys, ReadAsync, async (_, ending) => await ReadAsync(ending), time, logger);
        _background = Task.WhenAll(follower.RunAsync(revision, _closing.Token), MaintainForEverAsync());
    }

    /// <summary>Announces the next key in time, and drops those that have not signed for the time of overlap.</summary>
    public async Task MaintainAsync(CancellationToken cancellationToken)
    {
        var (keys, now) = (_picture.Keys, time.GetUtcNow());
        if (keys.Count == 0)
            await ReplaceAsync([.. Documents(keys), Create(now)], cancellationToken);
        else if (keys[^1].SignsFrom + options.KeyLifetime - options.KeyOverlap <= now)
            await ReplaceAsync([.. Documents(keys), Create(now + options.KeyOverlap)], cancellationToken);
        else if (keys.Count > 1 && keys[1].SignsFrom + options.KeyOverlap <= now)
            await ReplaceAsync([.. Documents(keys).Skip(1)], cancellationToken);
    }

    /// <summary>Announces another key ahead of time, for example when one may have become known.</summary>
    /// <param name="overlap">When it begins to sign, from now on; zero: at once, and the former ones go: whoever has not read the metadata anew refuses what it signs.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <exception cref="CandelaException">Conflict: one is announced already, or somebody else was first.</exception>
    public async Task<SamlKey> RotateAsync(TimeSpan overlap, CancellationToken cancellationToken)
    {
        var (keys, now) = (_picture.Keys, time.GetUtcNow());
        if (overlap > TimeSpan.Zero && keys.Any(k => k.SignsFrom > now))
            throw new CandelaException(ErrorCode.Conflict, "the next key is announced already: wait until it signs, or rotate with no overlap");
        var made = Create(now + overlap);
        if (!await ReplaceAsync(overlap > TimeSpan.Zero ? [.. Documents(keys), made] : [made], cancellationToken))
            throw new CandelaException(ErrorCode.Conflict, "the keys were changed meanwhile: look at them and try again");
        return _picture.Keys.Single(k => k.Id == made.Id);
    }

    public async ValueTask DisposeAsync()
    {
        await _closing.CancelAsync();
        await _background.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        foreach (var key in _picture.Keys)
            key.Dispose();
        _closing.Dispose();
    }

    private IEnumerable<SamlKeyDocument> Documents(IReadOnlyList<SamlKey> keys) => keys.Select(k => _picture.Sources[k.Id]);

    private async Task<bool> ReplaceAsync(IReadOnlyList<SamlKeyDocument> documents, CancellationToken cancellationToken)
    {
        var value = JsonSerializer.SerializeToUtf8Bytes(new SamlKeysDocument(documents), SamlJson.Default.SamlKeysDocument);
        // When another controller was first, its keys count.
        var result = await store.CommitAsync(new StateTransaction().Expect(SamlStateKeys.SigningKeys, _picture.Revision).Put(SamlStateKeys.SigningKeys, value), cancellationToken);
        await ReadAsync(cancellationToken);
        return result.Succeeded;
    }

    private async Task<long> ReadAsync(CancellationToken cancellationToken)
    {
        var position = store.Revision;
        if (await store.GetAsync(SamlStateKeys.SigningKeys, cancellationToken) is { } entry && entry.Revision > _picture.Revision)
        {
            var document = JsonSerializer.Deserialize(entry.Value.Span, SamlJson.Default.SamlKeysDocument)!;
            var known = _picture.Keys.ToDictionary(k => k.Id);
            _picture = new Picture(entry.Revision, [.. document.Keys.Select(k => known.GetValueOrDefault(k.Id) ?? Load(k))]) { Sources = document.Keys.ToDictionary(k => k.Id) };
        }

        return position;
    }

    private SamlKeyDocument Create(DateTimeOffset signsFrom)
    {
        using var key = RSA.Create(options.KeyBits);
        var request = new CertificateRequest(new X500DistinguishedName($"CN={options.BaseUrl.Host}"), key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: false, hasPathLengthConstraint: false, pathLengthConstraint: 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, critical: true));
        using var certificate = request.CreateSelfSigned(time.GetUtcNow() - TimeSpan.FromDays(1), signsFrom + options.KeyLifetime + 2 * options.KeyOverlap);
        var id = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8));
        var pkcs8 = key.ExportPkcs8PrivateKey();
        try
        {
            return new SamlKeyDocument(id, certificate.RawData, secrets.Seal(pkcs8, SamlStateKeys.SigningKey(id)), signsFrom);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(pkcs8);
        }
    }

    private SamlKey Load(SamlKeyDocument document)
    {
        var pkcs8 = secrets.Open(document.SealedKey, SamlStateKeys.SigningKey(document.Id));
        try
        {
            using var key = RSA.Create();
            key.ImportPkcs8PrivateKey(pkcs8, out _);
            using var bare = X509CertificateLoader.LoadCertificate(document.Certificate);
            return new SamlKey(document.Id, document.SignsFrom, bare.CopyWithPrivateKey(key));
        }
        finally
        {
            CryptographicOperations.ZeroMemory(pkcs8);
        }
    }

    private async Task MaintainForEverAsync()
    {
        using var timer = new PeriodicTimer(UpkeepInterval, time);
        while (await timer.WaitForNextTickAsync(_closing.Token))
        {
            try
            {
                await MaintainAsync(_closing.Token);
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                Log.UpkeepFailed(logger, e);
            }
        }
    }

    private sealed record Picture(long Revision, IReadOnlyList<SamlKey> Keys)
    {
        public Dictionary<string, SamlKeyDocument> Sources { get; init; } = [];
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Error, "The keys that sign SAML messages could not be renewed; it is tried again in ten minutes")]
        public static partial void UpkeepFailed(ILogger logger, Exception reason);
    }
}

using System.Security.Cryptography;
using System.Text.Json;
using Candela.Identity.Following;
using Candela.Identity.Secrets;
using Candela.Model;
using Candela.State;
using Microsoft.Extensions.Logging;

namespace Candela.Identity.Jose;

/// <summary>
/// Keys that sign JSON web tokens of a kind, shared by all controllers. A key is published some time before it signs, so that others have it by then,
/// and for as long after as a token of its can be valid.
/// </summary>
internal sealed partial class JwtSigningKeys(IStateStore store, ISecretBox secrets, JwtKeySchedule schedule, TimeProvider time, ILogger logger) : IAsyncDisposable
{
    private static readonly TimeSpan UpkeepInterval = TimeSpan.FromMinutes(1);

    private readonly CancellationTokenSource _closing = new();
    private volatile Picture _picture = new(0, []);
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task _background = Task.CompletedTask;

    /// <summary>What they sign by.</summary>
    public JwsAlgorithm Algorithm => schedule.Algorithm;

    /// <summary>The published keys, in the order in which they sign.</summary>
    public IReadOnlyList<JsonWebKey> Published => [.. _picture.Keys.Select(k => k.Public)];

    /// <summary>Revision at which they last changed.</summary>
    public long Revision => _picture.Revision;

    /// <summary>Ends when they have changed since this was read.</summary>
    public Task Changed => Volatile.Read(ref _changed).Task;

    /// <summary>Reads the keys, makes the first one; to be called once, before anything else.</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        var revision = await ReadAsync(cancellationToken);
        await MaintainAsync(cancellationToken);
        var follower = new StateFollower(store, schedule.Place, ReadAsync, async (_, ending) => await ReadAsync(ending), time, logger);
        _background = Task.WhenAll(follower.RunAsync(revision, _closing.Token), MaintainForEverAsync());
    }

    /// <summary>The key that signs now.</summary>
    public (string Id, TokenKey Key) Current()
    {
        var now = time.GetUtcNow();
        var key = _picture.Keys.LastOrDefault(k => k.Document.SignsFrom <= now)
            ?? throw new CandelaException(ErrorCode.Unavailable, "there is no key that signs tokens: see the log for why none could be made");
        return (key.Document.Id, key.Private);
    }

    public JsonWebKey? Find(string id) => _picture.Keys.FirstOrDefault(k => k.Document.Id == id)?.Public;

    /// <summary>Announces the next key in time, and drops those whose last token has expired.</summary>
    public async Task MaintainAsync(CancellationToken cancellationToken)
    {
        var (keys, now) = (_picture.Keys, time.GetUtcNow());
        var isDue = keys.Count == 0 || keys[^1].Document.SignsFrom + schedule.KeyLifetime - schedule.Announcement <= now;
        // A key is over when its successor has signed for a token's life, and a little more for clocks.
        var over = keys.Take(Math.Max(keys.Count - 1, 0)).Where((_, i) => keys[i + 1].Document.SignsFrom + 2 * schedule.TokenLifetime + TimeSpan.FromMinutes(1) < now).ToHashSet();
        if (!isDue && over.Count == 0)
            return;
        var documents = keys.Where(k => !over.Contains(k)).Select(k => k.Document).ToList();
        if (isDue)
            documents.Add(Create(keys.Count == 0 || keys[^1].Document.SignsFrom + schedule.KeyLifetime <= now ? now : now + schedule.Announcement));
        var value = JsonSerializer.SerializeToUtf8Bytes(new JwtKeysDocument(documents), JoseJson.Default.JwtKeysDocument);
        // When another controller was first, its keys count.
        await store.CommitAsync(new StateTransaction().Expect(schedule.Place, _picture.Revision).Put(schedule.Place, value), cancellationToken);
        await ReadAsync(cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        await _closing.CancelAsync();
        await _background.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        foreach (var key in _picture.Keys)
            key.Private.Dispose();
        _closing.Dispose();
    }

    private async Task<long> ReadAsync(CancellationToken cancellationToken)
    {
        var position = store.Revision;
        if (await store.GetAsync(schedule.Place, cancellationToken) is { } entry && entry.Revision != _picture.Revision)
        {
            var document = JsonSerializer.Deserialize(entry.Value.Span, JoseJson.Default.JwtKeysDocument)!;
            var known = _picture.Keys.ToDictionary(k => k.Document.Id);
            _picture = new Picture(entry.Revision, [.. document.Keys.Select(k => known.GetValueOrDefault(k.Id) ?? Load(k))]);
            Interlocked.Exchange(ref _changed, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).SetResult();
        }

        return position;
    }

    /// <summary>Place of a sealed key: within its document.</summary>
    private string PlaceOf(string id) => $"{schedule.Place}#{id}";

    private JwtKeyDocument Create(DateTimeOffset signsFrom)
    {
        using var key = TokenKey.Create(schedule.Algorithm);
        var id = key.Public.Thumbprint;
        var pkcs8 = key.Export();
        try
        {
            return new JwtKeyDocument(id, key.Public.Key.Der.ToArray(), secrets.Seal(pkcs8, PlaceOf(id)), signsFrom);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(pkcs8);
        }
    }

    private LoadedKey Load(JwtKeyDocument document)
    {
        var pkcs8 = secrets.Open(document.Key, PlaceOf(document.Id));
        try
        {
            var key = TokenKey.Import(schedule.Algorithm, pkcs8);
            return new LoadedKey(document, key.Public, key);
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
                Log.UpkeepFailed(logger, schedule.Place, e);
            }
        }
    }

    private sealed record LoadedKey(JwtKeyDocument Document, JsonWebKey Public, TokenKey Private);

    private sealed record Picture(long Revision, IReadOnlyList<LoadedKey> Keys);

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Error, "The keys {Place} that sign tokens could not be renewed; it is tried again in a minute")]
        public static partial void UpkeepFailed(ILogger logger, string place, Exception reason);
    }
}

using System.Collections.Frozen;
using System.Text;
using System.Text.Json;
using Candela.Identity.Following;
using Candela.Model;
using Candela.State;
using Microsoft.Extensions.Logging;

namespace Candela.Identity.Workloads.Bundles;

/// <summary>The other trust domains that are trusted here, and their bundles, which are fetched anew as they ask for it.</summary>
internal sealed partial class FederatedBundles(IStateStore store, string trustDomain, TimeProvider time, ILogger logger) : IAsyncDisposable
{
    /// <summary>Most other trust domains.</summary>
    public const int CountMaximum = 100;

    private static readonly TimeSpan UpkeepInterval = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan RefreshMinimum = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan RefreshMaximum = TimeSpan.FromHours(24);
    private static readonly TimeSpan RefreshDefault = TimeSpan.FromMinutes(5);

    private readonly CancellationTokenSource _closing = new();
    private volatile FrozenDictionary<string, Entry> _entries = FrozenDictionary<string, Entry>.Empty;
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task _background = Task.CompletedTask;

    public IReadOnlyCollection<TrustBundle> All => [.. _entries.Values.Select(e => e.Bundle).OfType<TrustBundle>()];

    public Task Changed => Volatile.Read(ref _changed).Task;

    public TrustBundle? Find(string domain) => _entries.GetValueOrDefault(domain)?.Bundle;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        var revision = await ReadAsync(cancellationToken);
        var follower = new StateFollower(store, WorkloadKeys.Federation, ReadAsync, async (_, ending) => await ReadAsync(ending), time, logger);
        _background = Task.WhenAll(follower.RunAsync(revision, _closing.Token), RefreshForEverAsync());
    }

    /// <summary>Trusts another trust domain, or changes how.</summary>
    public async Task SetAsync(FederationDocument document, CancellationToken cancellationToken)
    {
        if (document.TrustDomain == trustDomain)
            throw new CandelaException(ErrorCode.InvalidArgument, $"{trustDomain} is this trust domain itself");
        if (!_entries.ContainsKey(document.TrustDomain) && _entries.Count >= CountMaximum)
            throw new CandelaException(ErrorCode.ResourceExhausted, $"there are {CountMaximum} federated trust domains already, the most that are possible");
        if (document.Url is { } url && (!url.IsAbsoluteUri || url.Scheme != Uri.UriSchemeHttps || url.UserInfo.Length > 0))
            throw new CandelaException(ErrorCode.InvalidArgument, $"a bundle's address begins with https://, not so {url}");
        if (document.Url is null && document.Bundle is null || document.EndpointId is not null && (document.Url is null || document.Bundle is null))
            throw new CandelaException(ErrorCode.InvalidArgument, "either the bundle or its address is needed; with SPIFFE authentication of the endpoint both, since the first bundle verifies the endpoint");
        if (document.EndpointId is { } id && SpiffeId.Parse(id).TrustDomain != document.TrustDomain)
            throw new CandelaException(ErrorCode.InvalidArgument, $"the endpoint's identity {id} is not of {document.TrustDomain}");
        if (document.Bundle is { } bundle)
            TrustBundle.Parse(document.TrustDomain, Encoding.UTF8.GetBytes(bundle));
        await PutAsync(document, null, cancellationToken);
        if (document.Url is not null)
            await RefreshAsync(_entries[document.TrustDomain], cancellationToken);
    }

    /// <summary>Trusts a trust domain no longer.</summary>
    public async Task RemoveAsync(string domain, CancellationToken cancellationToken)
    {
        if (!_entries.ContainsKey(domain))
            throw new CandelaException(ErrorCode.NotFound, $"{domain} is not federated");
        await store.CommitAsync(new StateTransaction().Delete(WorkloadKeys.Federated(domain)), cancellationToken);
        await ReadAsync(cancellationToken);
    }

    /// <summary>Fetches the bundles that are due.</summary>
    public async Task RefreshDueAsync(CancellationToken cancellationToken)
    {
        foreach (var entry in _entries.Values.Where(e => e.Document.Url is not null && time.GetUtcNow() >= e.Document.FetchedAt + Every(e.Bundle)))
        {
            try
            {
                await RefreshAsync(entry, cancellationToken);
            }
            catch (CandelaException e)
            {
                // The last one holds until then.
                Log.RefreshFailed(logger, entry.Document.TrustDomain, e.Message);
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _closing.CancelAsync();
        await _background.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _closing.Dispose();
    }

    private static TimeSpan Every(TrustBundle? bundle)
    {
        var every = bundle is null ? RefreshMinimum : bundle.Refresh ?? RefreshDefault;
        return every < RefreshMinimum ? RefreshMinimum : every > RefreshMaximum ? RefreshMaximum : every;
    }

    private async Task RefreshAsync(Entry entry, CancellationToken cancellationToken)
    {
        var document = entry.Document;
        (SpiffeId, TrustBundle)? endpoint = document.EndpointId is { } id ? (SpiffeId.Parse(id), entry.Bundle!) : null;
        var (_, json) = await BundleClient.FetchAsync(document.TrustDomain, document.Url!, endpoint, time, cancellationToken);
        await PutAsync(document with { Bundle = json, FetchedAt = time.GetUtcNow() }, entry.Revision, cancellationToken);
    }

    /// <param name="document">Document.</param>
    /// <param name="revision">It must be unchanged since; null: whatever it was.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    private async Task PutAsync(FederationDocument document, long? revision, CancellationToken cancellationToken)
    {
        var key = WorkloadKeys.Federated(document.TrustDomain);
        var transaction = new StateTransaction().Put(key, JsonSerializer.SerializeToUtf8Bytes(document, WorkloadJson.Default.FederationDocument));
        if (revision is { } expected)
            transaction.Expect(key, expected);
        // One that was removed or changed meanwhile is not brought back.
        await store.CommitAsync(transaction, cancellationToken);
        await ReadAsync(cancellationToken);
    }

    private async Task<long> ReadAsync(CancellationToken cancellationToken)
    {
        var page = await store.RangeAsync(WorkloadKeys.Federation, null, StateLimits.PageCount, cancellationToken);
        var former = _entries;
        _entries = page.Entries.Select(e =>
        {
            var domain = e.Key[WorkloadKeys.Federation.Length..];
            return former.TryGetValue(domain, out var known) && known.Revision == e.Revision ? known : Entry.Of(e);
        }).ToFrozenDictionary(e => e.Document.TrustDomain);
        Interlocked.Exchange(ref _changed, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).SetResult();
        return page.Revision;
    }

    private async Task RefreshForEverAsync()
    {
        using var timer = new PeriodicTimer(UpkeepInterval, time);
        while (await timer.WaitForNextTickAsync(_closing.Token))
        {
            try
            {
                await RefreshDueAsync(_closing.Token);
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                Log.UpkeepFailed(logger, e);
            }
        }
    }

    private sealed record Entry(FederationDocument Document, TrustBundle? Bundle, long Revision)
    {
        public static Entry Of(StateEntry entry)
        {
            var document = JsonSerializer.Deserialize(entry.Value.Span, WorkloadJson.Default.FederationDocument)!;
            return new Entry(document, document.Bundle is { } json ? TrustBundle.Parse(document.TrustDomain, Encoding.UTF8.GetBytes(json)) : null, entry.Revision);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "The trust bundle of {TrustDomain} could not be renewed; the last one holds: {Reason}")]
        public static partial void RefreshFailed(ILogger logger, string trustDomain, string reason);

        [LoggerMessage(2, LogLevel.Error, "Renewing trust bundles failed; it is tried again within a minute")]
        public static partial void UpkeepFailed(ILogger logger, Exception reason);
    }
}

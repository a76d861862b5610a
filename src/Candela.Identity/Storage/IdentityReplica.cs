using Candela.Identity.Accounts;
using Candela.Identity.Authorization;
using Candela.State;
using Microsoft.Extensions.Logging;

namespace Candela.Identity.Storage;

/// <summary>
/// Keeps the directory and the policy in memory: reads it once, then follows the store's watch. When the watch breaks or its history is gone, it reads again.
/// </summary>
internal sealed partial class IdentityReplica(IStateStore store, IEnumerable<IReplicaIndex> indexes, TimeProvider time, ILogger<IdentityReplica> logger) : IAsyncDisposable
{
    private static readonly TimeSpan RetryFirst = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan RetryLast = TimeSpan.FromSeconds(2);

    /// <summary>For how long an answer of the store counts.</summary>
    private static readonly TimeSpan Freshness = TimeSpan.FromSeconds(IAuthorizer.FreshnessSeconds);

    /// <summary>How long the store may take to answer.</summary>
    private static readonly TimeSpan AnswerTime = TimeSpan.FromSeconds(2);

    private readonly IReplicaIndex[] _indexes = [.. indexes];
    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _closing = new();
    private Task _following = Task.CompletedTask;
    private TaskCompletionSource _moved = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task<bool>? _confirming;
    private IdentitySnapshot? _current;
    private long _confirmedAt;
    private volatile bool _ended;

    /// <summary>What is known now.</summary>
    /// <exception cref="InvalidOperationException">Not started.</exception>
    public IdentitySnapshot Current => Volatile.Read(ref _current) ?? throw new InvalidOperationException("The directory has not been started.");

    /// <summary>Reads the directory; to be called once, before anything else.</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await LoadAsync(cancellationToken);
        _following = Task.Run(FollowAsync, CancellationToken.None);
    }

    /// <summary>Waits until a revision that changed the directory is in <see cref="Current"/>.</summary>
    public async Task<IdentitySnapshot> ReachAsync(long revision, CancellationToken cancellationToken)
    {
        while (true)
        {
            // Taken before looking: a publication in between completes it.
            var moved = Volatile.Read(ref _moved).Task;
            var current = Current;
            if (current.Revision >= revision)
                return current;
            ObjectDisposedException.ThrowIf(_ended, this);
            await moved.WaitAsync(cancellationToken);
        }
    }

    /// <summary>Waits until all is here that the store has now.</summary>
    public async Task<IdentitySnapshot> RefreshAsync(CancellationToken cancellationToken)
    {
        var head = await store.GetAsync(IdentityKeys.Head, cancellationToken);
        return await ReachAsync(head?.Revision ?? 0, cancellationToken);
    }

    /// <summary>The store has confirmed what is known here a short while ago.</summary>
    public bool IsFresh => time.GetElapsedTime(Volatile.Read(ref _confirmedAt)) <= Freshness;

    /// <summary>Asks the store whether something is new, and waits until it is here; false: it does not answer.</summary>
    public Task<bool> ConfirmAsync(CancellationToken cancellationToken)
    {
        Task<bool> confirming;
        lock (_gate)
        {
            // All who ask at once share one question.
            if (_confirming is null || _confirming.IsCompleted)
                _confirming = IsFresh ? Task.FromResult(true) : AskAsync();
            confirming = _confirming;
        }

        return confirming.WaitAsync(cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        if (_closing.IsCancellationRequested)
            return;
        await _closing.CancelAsync();
        await _following;
        _closing.Dispose();
    }

    private async Task<bool> AskAsync()
    {
        long started = time.GetTimestamp();
        using var timeout = new CancellationTokenSource(AnswerTime, time);
        try
        {
            await RefreshAsync(timeout.Token);
            Volatile.Write(ref _confirmedAt, started);
            return true;
        }
        catch (Exception e)
        {
            Log.NoAnswer(logger, e);
            return false;
        }
    }

    /// <summary>Reads all that there is, and publishes it.</summary>
    private async Task LoadAsync(CancellationToken cancellationToken)
    {
        long started = time.GetTimestamp();
        var builder = DirectoryBuilder.Empty();
        var policy = PolicySnapshot.Empty;
        string? after = null;
        long? revision = null;
        do
        {
            var page = await store.RangeAsync(IdentityKeys.Directory, after, StateLimits.PageCount, cancellationToken);

            // Later pages may be newer: the watch begins after the first one, and what it repeats changes nothing.
            revision ??= page.Revision;
            foreach (var entry in page.Entries)
                Apply(builder, ref policy, entry.Key, entry.Revision, entry.Value);
            after = page.Next;
        }
        while (after is not null);
        PublishAll(new IdentitySnapshot(builder.Build(revision.Value), policy));
        Volatile.Write(ref _confirmedAt, started);
    }

    private async Task FollowAsync()
    {
        await FollowUntilClosedAsync();
        _ended = true;
        Wake(); // whoever waits for a change that will not come
    }

    private async Task FollowUntilClosedAsync()
    {
        var wait = RetryFirst;
        while (!_closing.IsCancellationRequested)
        {
            try
            {
                await WatchAsync(() => wait = RetryFirst);
            }
            catch (OperationCanceledException) when (_closing.IsCancellationRequested)
            {
                return;
            }
            catch (ObjectDisposedException)
            {
                return; // the store is closed
            }
            catch (StateCompactedException)
            {
                // Fell behind the history.
            }
            catch (Exception e)
            {
                Log.Broken(logger, e);
            }

            try
            {
                await Task.Delay(wait, time, _closing.Token);
                wait = wait * 2 < RetryLast ? wait * 2 : RetryLast;
                await LoadAsync(_closing.Token);
            }
            catch (OperationCanceledException) when (_closing.IsCancellationRequested)
            {
                return;
            }
            catch (ObjectDisposedException)
            {
                return;
            }
            catch (Exception e)
            {
                Log.Broken(logger, e);
            }
        }
    }

    private async Task WatchAsync(Action progressed)
    {
        var builder = Current.Directory.ToBuilder();
        var policy = Current.Policy;
        await foreach (var change in store.WatchAsync(IdentityKeys.Directory, Current.Revision + 1, _closing.Token))
        {
            if (change.Key == IdentityKeys.Head)
            {
                Publish(new IdentitySnapshot(builder.Build(change.Revision), policy), builder.TakeChanges());
                progressed();
            }
            else
            {
                Apply(builder, ref policy, change.Key, change.Revision, change.Value);
            }
        }
    }

    private static void Apply(DirectoryBuilder builder, ref PolicySnapshot policy, string key, long revision, ReadOnlyMemory<byte>? value)
    {
        if (DirectoryCodec.Decode(key, revision, value) is { } change)
            builder.Apply(change);
        else
            policy = PolicyCodec.Apply(policy, key, revision, value);
    }

    private void PublishAll(IdentitySnapshot snapshot)
    {
        foreach (var index in _indexes)
            index.Reset(snapshot.Directory);
        Publish(snapshot);
    }

    private void Publish(IdentitySnapshot snapshot, IReadOnlyList<(DirectoryEntry? Former, DirectoryEntry? Now)> changes)
    {
        foreach (var (_, now) in changes)
        {
            foreach (var index in now is null ? [] : _indexes)
                index.Add(snapshot.Directory, now!);
        }

        Publish(snapshot);
        foreach (var (former, now) in changes)
        {
            foreach (var index in former is null ? [] : _indexes)
                index.Remove(snapshot.Directory, former!, now);
        }
    }

    private void Publish(IdentitySnapshot snapshot)
    {
        Volatile.Write(ref _current, snapshot);
        Wake();
    }

    private void Wake() => Interlocked.Exchange(ref _moved, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).SetResult();

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Error, Message = "cannot follow the directory in the state store: what is known stays in force, trying again")]
        public static partial void Broken(ILogger logger, Exception exception);

        [LoggerMessage(Level = LogLevel.Error, Message = "the state store does not say whether rights were revoked: everything is denied until it does")]
        public static partial void NoAnswer(ILogger logger, Exception exception);
    }
}

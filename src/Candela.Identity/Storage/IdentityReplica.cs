using Candela.Identity.Accounts;
using Candela.State;
using Microsoft.Extensions.Logging;

namespace Candela.Identity.Storage;

/// <summary>
/// Keeps the directory in memory: reads it once, then follows the store's watch. When the watch breaks or its history is gone, it reads again.
/// </summary>
internal sealed partial class IdentityReplica(IStateStore store, TimeProvider time, ILogger<IdentityReplica> logger) : IAsyncDisposable
{
    private static readonly TimeSpan RetryFirst = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan RetryLast = TimeSpan.FromSeconds(2);

    private readonly CancellationTokenSource _closing = new();
    private Task _following = Task.CompletedTask;
    private TaskCompletionSource _moved = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private DirectorySnapshot? _current;

    /// <summary>What is known now.</summary>
    /// <exception cref="InvalidOperationException">Not started.</exception>
    public DirectorySnapshot Current => Volatile.Read(ref _current) ?? throw new InvalidOperationException("The directory has not been started.");

    /// <summary>Reads the directory; to be called once, before anything else.</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        var loaded = await LoadAsync(cancellationToken);
        Publish(loaded);
        _following = Task.Run(FollowAsync, CancellationToken.None);
    }

    /// <summary>Waits until a revision that changed the directory is in <see cref="Current"/>.</summary>
    public async Task<DirectorySnapshot> ReachAsync(long revision, CancellationToken cancellationToken)
    {
        while (true)
        {
            // Taken before looking: a publication in between completes it.
            var moved = Volatile.Read(ref _moved).Task;
            var current = Current;
            if (current.Revision >= revision)
                return current;
            ObjectDisposedException.ThrowIf(_following.IsCompleted, this);
            await moved.WaitAsync(cancellationToken);
        }
    }

    /// <summary>Waits until all is here that the store has now.</summary>
    public async Task<DirectorySnapshot> RefreshAsync(CancellationToken cancellationToken)
    {
        var head = await store.GetAsync(IdentityKeys.Head, cancellationToken);
        return await ReachAsync(head?.Revision ?? 0, cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        if (_closing.IsCancellationRequested)
            return;
        await _closing.CancelAsync();
        await _following;
        Wake();
        _closing.Dispose();
    }

    private async Task<DirectorySnapshot> LoadAsync(CancellationToken cancellationToken)
    {
        var builder = DirectoryBuilder.Empty();
        string? after = null;
        long? revision = null;
        do
        {
            var page = await store.RangeAsync(IdentityKeys.Directory, after, StateLimits.PageCount, cancellationToken);

            // Later pages may be newer: the watch begins after the first one, and what it repeats changes nothing.
            revision ??= page.Revision;
            foreach (var entry in page.Entries)
                Apply(builder, entry.Key, entry.Revision, entry.Value);
            after = page.Next;
        }
        while (after is not null);
        return builder.Build(revision.Value);
    }

    private async Task FollowAsync()
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
                Publish(await LoadAsync(_closing.Token));
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
        var builder = Current.ToBuilder();
        await foreach (var change in store.WatchAsync(IdentityKeys.Directory, Current.Revision + 1, _closing.Token))
        {
            if (change.Key == IdentityKeys.Head)
            {
                Publish(builder.Build(change.Revision));
                progressed();
            }
            else
            {
                Apply(builder, change.Key, change.Revision, change.Value);
            }
        }
    }

    private static void Apply(DirectoryBuilder builder, string key, long revision, ReadOnlyMemory<byte>? value)
    {
        if (DirectoryCodec.Decode(key, revision, value) is { } change)
            builder.Apply(change);
    }

    private void Publish(DirectorySnapshot snapshot)
    {
        Volatile.Write(ref _current, snapshot);
        Wake();
    }

    private void Wake() => Interlocked.Exchange(ref _moved, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).SetResult();

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Error, Message = "cannot follow the directory in the state store: what is known stays in force, trying again")]
        public static partial void Broken(ILogger logger, Exception exception);
    }
}

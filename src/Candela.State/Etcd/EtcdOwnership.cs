using System.Text;

namespace Candela.State.Etcd;

/// <summary>
/// Keeps a second daemon from a store that is one daemon's: a key under a lease that is renewed as long as the daemon lives. Whoever has
/// the same name is the same daemon, started again.
/// </summary>
public sealed class EtcdOwnership : IAsyncDisposable
{
    /// <summary>The key that says whose the store is.</summary>
    internal const string Key = "owner";

    private static readonly TimeSpan DefaultTimeToLive = TimeSpan.FromSeconds(15);

    private readonly EtcdStateStore _store;
    private readonly byte[] _name;
    private readonly TimeSpan _timeToLive;
    private readonly CancellationTokenSource _ending = new();
    private readonly TaskCompletionSource<string> _lost = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _leaseId;
    private Task _renewing = Task.CompletedTask;

    private EtcdOwnership(EtcdStateStore store, string name, TimeSpan timeToLive) => (_store, _name, _timeToLive) = (store, Encoding.UTF8.GetBytes(name), timeToLive);

    /// <summary>Completes with the new owner's name when another daemon has taken the store.</summary>
    public Task<string> Lost => _lost.Task;

    /// <summary>Takes the store; waits for the lease of an owner that may have died.</summary>
    /// <param name="store">The store.</param>
    /// <param name="name">Of this daemon, for people.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="StateStoreException">Another daemon has it and is alive.</exception>
    public static Task<EtcdOwnership> TakeAsync(EtcdStateStore store, string name, CancellationToken cancellationToken) =>
        TakeAsync(store, name, DefaultTimeToLive, cancellationToken);

    /// <summary>Takes it with a lease of this length.</summary>
    internal static async Task<EtcdOwnership> TakeAsync(EtcdStateStore store, string name, TimeSpan timeToLive, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(store);
        var ownership = new EtcdOwnership(store, name, timeToLive);
        var start = TimeProvider.System.GetTimestamp();
        while (await ownership.TryTakeAsync(cancellationToken) is { } owner)
        {
            // A dead owner's lease may live on for its time and a little more.
            if (TimeProvider.System.GetElapsedTime(start) > 1.5 * timeToLive)
                throw new StateStoreException($"the state store belongs to {owner}, which is running: give this daemon a prefix of its own (etcd://HOST/PREFIX)");
            await Task.Delay(TimeSpan.FromSeconds(1), cancellationToken);
        }

        ownership._renewing = ownership.RenewAsync();
        return ownership;
    }

    /// <summary>Gives the store back.</summary>
    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync();
        await _renewing;
        try
        {
            if (!_lost.Task.IsCompleted)
                await _store.RevokeLeaseAsync(_leaseId, CancellationToken.None);
        }
        catch (StateStoreException)
        {
            // It ends by itself.
        }

        _ending.Dispose();
    }

    /// <summary>Null: taken; else the name of who has it.</summary>
    private async Task<string?> TryTakeAsync(CancellationToken cancellationToken)
    {
        var present = await _store.GetAsync(Key, cancellationToken);
        if (present is not null && !present.Value.Span.SequenceEqual(_name))
            return Encoding.UTF8.GetString(present.Value.Span);
        var lease = await _store.GrantLeaseAsync(_timeToLive, cancellationToken);
        var taken = await _store.CommitAsync(new StateTransaction().Expect(Key, present?.Revision ?? 0).Put(Key, _name, lease.Id), cancellationToken);
        if (!taken.Succeeded)
            return "another daemon";
        _leaseId = lease.Id;
        return null;
    }

    private async Task RenewAsync()
    {
        using var timer = new PeriodicTimer(_timeToLive / 3);
        try
        {
            while (await timer.WaitForNextTickAsync(_ending.Token))
            {
                try
                {
                    // After a time without etcd the lease may be gone: then the store is this daemon's again, if nobody took it.
                    if (!await _store.RenewLeaseAsync(_leaseId, _ending.Token) && await TryTakeAsync(_ending.Token) is { } owner)
                    {
                        _lost.SetResult(owner);
                        return;
                    }
                }
                catch (StateStoreException)
                {
                    // Nobody answers: nobody else gets it, either.
                }
            }
        }
        catch (OperationCanceledException) when (_ending.IsCancellationRequested)
        {
            // Given back.
        }
    }
}

using Candela.State.Etcd;
using Candela.Tests.Shared;

namespace Candela.State.Tests.Etcd;

public sealed class EtcdOwnershipTests : IAsyncLifetime
{
    private static readonly TimeSpan TimeToLive = TimeSpan.FromSeconds(3);

    private readonly EtcdServers _servers = EtcdServers.Start(1);
    private EtcdStateStore _store = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _store = await _servers.OpenAsync();

    public async ValueTask DisposeAsync()
    {
        await _store.DisposeAsync();
        await _servers.DisposeAsync();
    }

    [Fact]
    public async Task A_living_owner_keeps_others_out_and_its_name_is_told()
    {
        await using var first = await EtcdOwnership.TakeAsync(_store, "first", TimeToLive, Token);
        var refused = await Assert.ThrowsAsync<StateStoreException>(() => EtcdOwnership.TakeAsync(_store, "second", TimeToLive, Token));
        Assert.Contains("first", refused.Message, StringComparison.Ordinal);
        Assert.False(first.Lost.IsCompleted);
    }

    [Fact]
    public async Task A_dead_owners_store_goes_to_the_next_and_to_itself_at_once()
    {
        var dead = await _servers.OpenAsync();
        var former = await EtcdOwnership.TakeAsync(dead, "first", TimeToLive, Token);
        await dead.DisposeAsync();

        await using (var again = await EtcdOwnership.TakeAsync(_store, "first", TimeSpan.FromMinutes(1), Token))
            Assert.False(again.Lost.IsCompleted);

        await using var next = await EtcdOwnership.TakeAsync(_store, "second", TimeToLive, Token);
        Assert.Equal("second"u8.ToArray(), (await _store.GetAsync(EtcdOwnership.Key, Token))!.Value.ToArray());
        Assert.False(former.Lost.IsCompleted);
    }

    [Fact]
    public async Task Who_was_cut_off_for_too_long_hears_of_the_new_owner()
    {
        await using var first = await EtcdOwnership.TakeAsync(_store, "first", TimeToLive, Token);
        var lease = (await _store.GetAsync(EtcdOwnership.Key, Token))!.LeaseId;
        await _store.RevokeLeaseAsync(lease, Token);
        await _store.CommitAsync(new StateTransaction().Put(EtcdOwnership.Key, "second"u8.ToArray()), Token);

        Assert.Equal("second", await first.Lost.WaitAsync(Token));
    }

    [Fact]
    public async Task Who_was_cut_off_and_finds_nobody_takes_it_again()
    {
        await using var first = await EtcdOwnership.TakeAsync(_store, "first", TimeToLive, Token);
        var taken = (await _store.GetAsync(EtcdOwnership.Key, Token))!;
        await using var watch = _store.WatchAsync(EtcdOwnership.Key, taken.Revision + 1, Token).GetAsyncEnumerator(Token);
        await _store.RevokeLeaseAsync(taken.LeaseId, Token);

        Assert.True(await watch.MoveNextAsync());
        Assert.Null(watch.Current.Value);
        Assert.True(await watch.MoveNextAsync());
        Assert.Equal("first"u8.ToArray(), watch.Current.Value!.Value.ToArray());
    }
}

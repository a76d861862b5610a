using Candela.State.Sqlite;
using Candela.State.Sqlite.Native;
using Candela.Tests.Shared;

namespace Candela.State.Tests;

public sealed class SqliteStateStoreTests : StateStoreConformance
{
    private readonly TemporaryFolder _folder = new();

    private string StorePath => _folder.File("state.db");

    protected override Task<IStateStore> OpenAsync() => Task.FromResult<IStateStore>(SqliteStateStore.Open(StorePath, Time, historyCount: 8000));

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task Everything_is_there_after_reopening()
    {
        await PutAsync("a", "1");
        var lease = await Store.GrantLeaseAsync(TimeSpan.FromMinutes(1), Token);
        await Store.CommitAsync(new StateTransaction().Put("held", Bytes("2"), lease.Id), Token);
        await Store.DisposeAsync();

        Store = await OpenAsync();

        Assert.Equal("1", await ReadAsync("a"));
        Assert.Equal(2, Store.Revision);
        Assert.True(await Store.RenewLeaseAsync(lease.Id, Token));
        Assert.True(await Store.RevokeLeaseAsync(lease.Id, Token));
        Assert.Null(await ReadAsync("held"));
    }

    [Fact]
    public void A_second_opener_is_kept_out()
    {
        var refused = Assert.Throws<StateStoreException>(() => SqliteStateStore.Open(StorePath, Time));
        Assert.Contains("another process", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task History_beyond_the_limit_is_forgotten_and_said_so()
    {
        await Store.DisposeAsync();
        Store = SqliteStateStore.Open(StorePath, Time, historyCount: 10);
        for (int i = 0; i < 40; i++)
            await PutAsync("a", $"{i}");

        await using var watch = Store.WatchAsync("", 1, Token).GetAsyncEnumerator(Token);
        var compacted = await Assert.ThrowsAsync<StateCompactedException>(async () => await watch.MoveNextAsync());
        Assert.InRange(compacted.Oldest, 2, 31);
        await using var later = Store.WatchAsync("", compacted.Oldest, Token).GetAsyncEnumerator(Token);
        Assert.True(await later.MoveNextAsync());
        Assert.Equal(compacted.Oldest, later.Current.Revision);
    }

    [Fact]
    public async Task A_file_that_is_no_database_is_refused()
    {
        string path = _folder.File("broken.db");
        await File.WriteAllTextAsync(path, new string('x', 8192), Token);
        Assert.Throws<StateStoreException>(() => SqliteStateStore.Open(path, Time));

        // The lock was given back.
        using var again = FileLock.TryTake(path + ".lock");
        Assert.NotNull(again);
    }

    [Fact]
    public async Task A_closed_store_says_so()
    {
        await Store.DisposeAsync();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => PutAsync("a", "1"));
    }
}

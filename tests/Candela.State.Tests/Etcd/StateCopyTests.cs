using Candela.State.Etcd;
using Candela.State.Sqlite;
using Candela.Tests.Shared;

namespace Candela.State.Tests.Etcd;

public sealed class StateCopyTests
{
    private const int DocumentCount = 1500;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task All_documents_go_to_etcd_and_back()
    {
        using var folder = new TemporaryFolder();
        await using var servers = EtcdServers.Start(1);
        await using var etcd = await servers.OpenAsync("/copied");
        await using var from = SqliteStateStore.Open(folder.File("from.db"), TimeProvider.System);
        var random = new Random(7);
        for (var i = 0; i < DocumentCount; i++)
        {
            var value = new byte[i % 100 == 0 ? 200_000 : random.Next(300)];
            random.NextBytes(value);
            await from.CommitAsync(new StateTransaction().Put($"{random.Next(10)}/{i}", value), Token);
        }

        var lease = await from.GrantLeaseAsync(TimeSpan.FromHours(1), Token);
        await from.CommitAsync(new StateTransaction().Put("leased", new byte[1], lease.Id), Token);

        Assert.Equal(DocumentCount, await StateCopy.RunAsync(from, etcd, Token));
        await using var back = SqliteStateStore.Open(folder.File("back.db"), TimeProvider.System);
        Assert.Equal(DocumentCount, await StateCopy.RunAsync(etcd, back, Token));

        var original = await AllAsync(from);
        Assert.Equal(DocumentCount + 1, original.Count);
        original.RemoveAll(d => d.Key == "leased");
        Assert.Equal(original, await AllAsync(back));
    }

    [Fact]
    public async Task A_target_with_documents_and_a_source_in_use_are_refused()
    {
        using var folder = new TemporaryFolder();
        await using var servers = EtcdServers.Start(1);
        await using var etcd = await servers.OpenAsync();
        await using var empty = SqliteStateStore.Open(folder.File("empty.db"), TimeProvider.System);
        await using var full = SqliteStateStore.Open(folder.File("full.db"), TimeProvider.System);
        await full.CommitAsync(new StateTransaction().Put("a", new byte[1]), Token);

        Assert.Contains("not empty", (await Assert.ThrowsAsync<StateStoreException>(() => StateCopy.RunAsync(empty, full, Token))).Message, StringComparison.Ordinal);
        await using var owner = await EtcdOwnership.TakeAsync(etcd, "the owner", Token);
        Assert.Contains("the owner", (await Assert.ThrowsAsync<StateStoreException>(() => StateCopy.RunAsync(etcd, empty, Token))).Message, StringComparison.Ordinal);
    }

    private static async Task<List<(string Key, string Value)>> AllAsync(SqliteStateStore store)
    {
        var all = new List<(string, string)>();
        string? after = null;
        do
        {
            var page = await store.RangeAsync("", after, StateLimits.PageCount, Token);
            all.AddRange(page.Entries.Select(e => (e.Key, Convert.ToHexString(e.Value.Span))));
            after = page.Next;
        }
        while (after is not null);
        return all;
    }
}

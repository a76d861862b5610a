using System.Text;
using Candela.Tests.Shared;

namespace Candela.State.Tests;

/// <summary>What every state store must do.</summary>
public abstract class StateStoreConformance : IAsyncLifetime
{
    protected static CancellationToken Token => TestContext.Current.CancellationToken;

    protected ManualTimeProvider Time { get; } = new();

    protected IStateStore Store { get; set; } = null!;

    /// <summary>Life of the lease whose end is awaited: a store that has no other clock than the world's needs room for a slow machine.</summary>
    protected virtual TimeSpan Lease => TimeSpan.FromSeconds(10);

    protected abstract Task<IStateStore> OpenAsync();

    protected virtual Task LetPassAsync(TimeSpan time)
    {
        Time.Advance(time);
        return Task.CompletedTask;
    }

    public virtual async ValueTask InitializeAsync() => Store = await OpenAsync();

    public virtual async ValueTask DisposeAsync()
    {
        await Store.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    protected static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    protected Task<CommitResult> PutAsync(string key, string value) => Store.CommitAsync(new StateTransaction().Put(key, Bytes(value)), Token);

    protected async Task<string?> ReadAsync(string key) => await Store.GetAsync(key, Token) is { } entry ? Encoding.UTF8.GetString(entry.Value.Span) : null;

    [Fact]
    public async Task A_put_can_be_read_with_its_revisions()
    {
        await PutAsync("other", "x");
        var first = await PutAsync("a", "1");
        var second = await PutAsync("a", "2");

        var entry = await Store.GetAsync("a", Token);

        Assert.Equal("2", await ReadAsync("a"));
        Assert.Equal(first.Revision, entry!.CreateRevision);
        Assert.Equal(second.Revision, entry.Revision);
        Assert.Equal(3, Store.Revision);
        Assert.Null(await Store.GetAsync("absent", Token));
    }

    [Fact]
    public async Task An_empty_value_is_a_value()
    {
        await PutAsync("a", "");
        Assert.Equal(0, (await Store.GetAsync("a", Token))!.Value.Length);
    }

    [Fact]
    public async Task A_failed_expectation_leaves_everything_as_it_was()
    {
        await PutAsync("a", "1");

        var result = await Store.CommitAsync(new StateTransaction().Expect("a", 1).Expect("b", 7).Put("a", Bytes("2")).Put("c", Bytes("3")), Token);

        Assert.False(result.Succeeded);
        Assert.Equal("b", result.FailedKey);
        Assert.Equal("1", await ReadAsync("a"));
        Assert.Null(await ReadAsync("c"));
        Assert.Equal(1, Store.Revision);
    }

    [Fact]
    public async Task Expecting_revision_zero_means_absent()
    {
        Assert.True((await Store.CommitAsync(new StateTransaction().Expect("a", 0).Put("a", Bytes("1")), Token)).Succeeded);
        Assert.False((await Store.CommitAsync(new StateTransaction().Expect("a", 0).Put("a", Bytes("2")), Token)).Succeeded);
    }

    [Fact]
    public async Task Of_many_that_compete_for_a_key_exactly_one_wins()
    {
        var results = await Task.WhenAll(Enumerable.Range(0, 200).Select(i =>
            Store.CommitAsync(new StateTransaction().Expect("name", 0).Put("name", Bytes($"{i}")), Token)));

        Assert.Single(results, r => r.Succeeded);
        Assert.Equal(1, Store.Revision);
    }

    [Fact]
    public async Task Writes_of_one_transaction_share_a_revision()
    {
        var result = await Store.CommitAsync(new StateTransaction().Put("a", Bytes("1")).Put("b", Bytes("2")).Delete("absent"), Token);

        Assert.Equal(1, result.Revision);
        Assert.Equal(1, (await Store.GetAsync("a", Token))!.Revision);
        Assert.Equal(1, (await Store.GetAsync("b", Token))!.Revision);
    }

    [Fact]
    public async Task Deleting_what_is_not_there_changes_nothing()
    {
        var result = await Store.CommitAsync(new StateTransaction().Delete("absent"), Token);

        Assert.True(result.Succeeded);
        Assert.Equal(0, Store.Revision);
    }

    [Fact]
    public async Task A_key_made_anew_has_a_new_create_revision()
    {
        await PutAsync("a", "1");
        await Store.CommitAsync(new StateTransaction().Delete("a"), Token);
        await PutAsync("a", "2");

        Assert.Equal(3, (await Store.GetAsync("a", Token))!.CreateRevision);
    }

    [Fact]
    public async Task A_range_comes_in_pages_and_in_byte_order()
    {
        foreach (string key in new[] { "c/ü", "c/b", "c/a", "c/Z", "d", "b", "c0", "c/a/x" })
            await PutAsync(key, key);

        var keys = new List<string>();
        string? after = null;
        do
        {
            var page = await Store.RangeAsync("c/", after, 2, Token);
            Assert.InRange(page.Entries.Count, 1, 2);
            keys.AddRange(page.Entries.Select(e => e.Key));
            after = page.Next;
        }
        while (after is not null);

        Assert.Equal(["c/Z", "c/a", "c/a/x", "c/b", "c/ü"], keys);
    }

    [Fact]
    public async Task An_empty_prefix_is_everything()
    {
        await PutAsync("a", "1");
        await PutAsync("b", "2");
        Assert.Equal(2, (await Store.RangeAsync("", null, 10, Token)).Entries.Count);
    }

    [Fact]
    public async Task A_watch_gets_the_past_and_the_future_of_its_prefix()
    {
        await PutAsync("a/1", "old");
        await PutAsync("b/1", "not mine");
        await using var watch = Store.WatchAsync("a/", 1, Token).GetAsyncEnumerator(Token);

        Assert.True(await watch.MoveNextAsync());
        Assert.Equal("a/1", watch.Current.Key);
        var next = watch.MoveNextAsync();
        Assert.False(next.IsCompleted);
        await Store.CommitAsync(new StateTransaction().Put("b/2", Bytes("x")).Delete("a/1"), Token);

        Assert.True(await next);
        Assert.Equal(new StateChange(3, "a/1", null), watch.Current);
    }

    [Fact]
    public async Task A_watch_misses_nothing_under_load()
    {
        const int count = 500;
        var watching = Task.Run(
            async () =>
            {
                var seen = new List<long>();
                await foreach (var change in Store.WatchAsync("k", 1, Token))
                {
                    seen.Add(change.Revision);
                    if (seen.Count == count)
                        break;
                }

                return seen;
            },
            Token);
        await Task.WhenAll(Enumerable.Range(0, count).Select(i => PutAsync($"k{i}", "v")));

        Assert.Equal(Enumerable.Range(1, count).Select(i => (long)i), await watching);
    }

    [Fact]
    public async Task A_cancelled_watch_ends()
    {
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(Token);
        await using var watch = Store.WatchAsync("a", 1, cancel.Token).GetAsyncEnumerator(Token);
        var next = watch.MoveNextAsync().AsTask();
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => next);
    }

    [Fact]
    public async Task A_lease_that_is_not_renewed_takes_its_keys_along()
    {
        var lease = await Store.GrantLeaseAsync(Lease, Token);
        await Store.CommitAsync(new StateTransaction().Put("held", Bytes("1"), lease.Id).Put("free", Bytes("2")), Token);

        await LetPassAsync(0.6 * Lease);
        Assert.True(await Store.RenewLeaseAsync(lease.Id, Token));
        await LetPassAsync(0.6 * Lease);
        Assert.Equal("1", await ReadAsync("held"));

        await using var watch = Store.WatchAsync("held", Store.Revision + 1, Token).GetAsyncEnumerator(Token);
        var gone = watch.MoveNextAsync();
        await LetPassAsync(0.5 * Lease);
        Assert.True(await gone);
        Assert.Null(watch.Current.Value);
        Assert.Null(await ReadAsync("held"));
        Assert.Equal("2", await ReadAsync("free"));
        Assert.False(await Store.RenewLeaseAsync(lease.Id, Token));
    }

    [Fact]
    public async Task A_revoked_lease_is_gone_and_refuses_puts()
    {
        var lease = await Store.GrantLeaseAsync(TimeSpan.FromMinutes(1), Token);
        await Store.CommitAsync(new StateTransaction().Put("held", Bytes("1"), lease.Id), Token);

        Assert.True(await Store.RevokeLeaseAsync(lease.Id, Token));
        Assert.False(await Store.RevokeLeaseAsync(lease.Id, Token));
        Assert.Null(await ReadAsync("held"));
        Assert.False((await Store.CommitAsync(new StateTransaction().Put("late", Bytes("1"), lease.Id), Token)).Succeeded);
    }

    [Fact]
    public async Task Keys_and_values_beyond_the_limits_are_refused()
    {
        await Assert.ThrowsAsync<ArgumentException>(() => Store.GetAsync(new string('k', StateLimits.KeyBytes + 1), Token));
        Assert.ThrowsAny<ArgumentException>(() => new StateTransaction().Put("a", new byte[StateLimits.ValueBytes + 1]));
        await Assert.ThrowsAnyAsync<ArgumentException>(() => Store.RangeAsync("", null, StateLimits.PageCount + 1, Token));
    }
}

using Candela.Controller.Events;
using Candela.Controller.Tests.Fake;
using static Candela.Controller.Tests.Fake.TestCalls;

namespace Candela.Controller.Tests;

public sealed class EventTests : IAsyncDisposable
{
    private readonly TestHost _host = new();

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task History_goes_over_into_what_comes_without_a_gap_or_a_repetition()
    {
        var time = new ManualTimeProvider();
        var log = new EventLog(time, 10_000);
        const int Count = 5000;
        var writing = Task.Run(() =>
        {
            for (var i = 0; i < Count; i++)
                log.Add("default", "container", "create", "id", new Dictionary<string, string>());
        });
        var readers = Enumerable.Range(0, 8).Select(_ => Task.Run(async () =>
        {
            var expected = 1L;
            await foreach (var happening in log.ReadAsync("default", DateTimeOffset.MinValue, null, TestContext.Current.CancellationToken))
            {
                Assert.Equal(expected, happening.Sequence);
                if (expected++ == Count)
                    return;
            }
        }));
        await Task.WhenAll([writing, .. readers]).WaitAsync(Patience, TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task History_is_bounded_and_events_of_other_projects_are_not_seen()
    {
        var log = new EventLog(new ManualTimeProvider(), 3);
        for (var i = 0; i < 5; i++)
            log.Add("default", "container", $"a{i}", "id", new Dictionary<string, string>());
        log.Add("other", "container", "hidden", "id", new Dictionary<string, string>());
        log.Add(null, "image", "pull", "id", new Dictionary<string, string>());
        var seen = new List<string>();
        await foreach (var happening in log.ReadAsync("default", DateTimeOffset.MinValue, DateTimeOffset.MinValue.AddDays(1), TestContext.Current.CancellationToken))
            seen.Add(happening.Action);
        Assert.Empty(seen);
        await foreach (var happening in log.ReadAsync("default", DateTimeOffset.MinValue, new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero), TestContext.Current.CancellationToken))
            seen.Add(happening.Action);
        Assert.Equal(["a4", "pull"], seen);
    }

    [Fact]
    public async Task A_reading_ends_at_its_time()
    {
        var time = new ManualTimeProvider();
        var log = new EventLog(time, 10);
        await using var events = log.ReadAsync("default", null, time.GetUtcNow().AddSeconds(5), TestContext.Current.CancellationToken).GetAsyncEnumerator();
        var next = events.MoveNextAsync().AsTask();
        log.Add("default", "container", "create", "id", new Dictionary<string, string>());
        Assert.True(await next);
        next = events.MoveNextAsync().AsTask();
        Assert.False(next.IsCompleted);
        time.Advance(TimeSpan.FromSeconds(5));
        Assert.False(await next);
    }

    [Fact]
    public async Task Time_and_sequence_grow_over_daemons()
    {
        _host.Adjust = static options => options with { EventCount = 10 };
        var daemon = await _host.StartDaemonAsync();
        for (var i = 0; i < 20; i++)
            await daemon.CreateAsync(Spec with { Labels = new Dictionary<string, string> { ["tier"] = "web" } }, $"c{i}");
        await daemon.DisposeAsync();
        daemon = await _host.StartDaemonAsync();
        await daemon.CreateAsync(name: "last");
        await using var events = daemon.ReadEvents(DateTimeOffset.UnixEpoch);
        var first = await events.NextAsync();
        Assert.Equal((12, "create", "c11", "web", "base"), (first.Sequence, first.Action, first.Attributes["name"], first.Attributes["tier"], first.Attributes["image"]));
        for (var sequence = 13; sequence <= 21; sequence++)
            Assert.Equal(sequence, (await events.NextAsync()).Sequence);
    }

    [Fact]
    public async Task Images_make_events_and_oom_comes_before_die()
    {
        var daemon = await _host.StartDaemonAsync();
        var container = await daemon.RunAsync();
        await using var events = daemon.ReadEvents();
        await daemon.Images.PullAsync(Alice, "new:1", null, null, TestContext.Current.CancellationToken);
        daemon.Machine.End(container.Id, 137, oomKilled: true);
        Assert.Equal(["pull", "oom", "die"], await events.UntilAsync("die"));
        Assert.True((await daemon.StatusAsync(container.Id)).OomKilled);
    }
}

using System.Net;
using Candela.Controller.Tests.Fake;
using Candela.Model;
using Candela.Model.Networking;
using Candela.Network.Flows;
using Candela.Network.Plan;

namespace Candela.Controller.Tests.Networks;

/// <summary>The flow log in the users' terms.</summary>
public sealed class FlowTests
{
    private static readonly DateTimeOffset Noon = new(2026, 1, 31, 12, 0, 0, TimeSpan.Zero);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Entries_name_containers_and_policies_and_are_found_by_each()
    {
        await using var host = NewHost();
        var daemon = await host.StartDaemonAsync();
        var web = await daemon.RunAsync(TestCalls.Spec with { NetworkMode = "bridge" }, "web");
        string port = daemon.Machine.Plan.Projects["default"].Ports.Keys.Single();
        host.Machine.Flows.Add(n => Entry(n, 0, FlowVerdict.Denied, "no-web", port));
        host.Machine.Flows.Add(n => Entry(n, 1, FlowVerdict.Allowed, null, null));
        host.Machine.Flows.Add(n => Entry(n, 2, FlowVerdict.Unrouted, null, null));

        FlowRecord denied = Assert.Single(await ReadAsync(daemon, new FlowQuery { Outcome = FlowOutcome.Denied }));
        Assert.Equal("no-web", denied.Policy);
        Assert.Equal(new FlowEnd { Address = "10.0.0.2", Port = 4000, Container = "web", ContainerId = web.Id }, denied.Source);
        Assert.Equal(new FlowEnd { Address = "10.0.0.3", Port = 80 }, denied.Destination);
        Assert.Equal([1], Numbers(await ReadAsync(daemon, new FlowQuery { Policy = "no-web" })));
        Assert.Equal([1], Numbers(await ReadAsync(daemon, new FlowQuery { Container = "web" })));
        Assert.Equal([2, 3], Numbers(await ReadAsync(daemon, new FlowQuery { Since = Noon.AddSeconds(1) })));
        Assert.Equal([1, 2], Numbers(await ReadAsync(daemon, new FlowQuery { Until = Noon.AddSeconds(1) })));
        Assert.Equal([3], Numbers(await ReadAsync(daemon, new FlowQuery { Limit = 1 })));
        await TestCalls.FailsAsync(ErrorCode.NotFound, () => ReadAsync(daemon, new FlowQuery { Container = "nobody" }));
        await TestCalls.FailsAsync(ErrorCode.InvalidArgument, () => ReadAsync(daemon, new FlowQuery { Limit = 0 }));
        await TestCalls.FailsAsync(ErrorCode.InvalidArgument, () => ReadAsync(daemon, new FlowQuery { Since = Noon, Until = Noon.AddDays(-1) }));

        await daemon.RemoveAsync("web", force: true);
        Assert.Equal(web.Id[..24], (await ReadAsync(daemon, new FlowQuery { Policy = "no-web" }))[0].Source!.ContainerId);
    }

    [Fact]
    public async Task A_reader_who_follows_gets_what_comes_each_once_until_its_time_is_over()
    {
        await using var host = NewHost();
        var daemon = await host.StartDaemonAsync();
        host.Machine.Flows.Add(n => Entry(n, 0, FlowVerdict.Denied, "p", null));
        var until = host.Time.GetUtcNow().AddMinutes(1);
        await using var reader = daemon.Flows.ReadAsync(TestCalls.Alice, new FlowQuery { Follow = true, Outcome = FlowOutcome.Denied, Until = until }, Token).GetAsyncEnumerator(Token);

        Assert.True(await reader.MoveNextAsync());
        Assert.Equal(1, reader.Current.Sequence);
        Task<bool> next = reader.MoveNextAsync().AsTask();
        host.Machine.Flows.Add(n => Entry(n, 0, FlowVerdict.Allowed, null, null));
        host.Machine.Flows.Add(n => Entry(n, 0, FlowVerdict.Denied, "p", null));
        Assert.True(await next.WaitAsync(TestCalls.Patience, Token));
        Assert.Equal(3, reader.Current.Sequence);

        next = reader.MoveNextAsync().AsTask();
        host.Time.Advance(TimeSpan.FromMinutes(2));
        Assert.False(await next.WaitAsync(TestCalls.Patience, Token));
    }

    [Fact]
    public async Task Counters_say_policy_or_reason()
    {
        await using var host = NewHost();
        var daemon = await host.StartDaemonAsync();

        var counters = await daemon.Flows.CountAsync(TestCalls.Alice, Token);

        Assert.Equal([new FlowCounter { Reason = "policy", Policy = "no-web", Packets = 2, Bytes = 120 }, new FlowCounter { Reason = "unrouted", Packets = 1, Bytes = 60 }], counters);
    }

    private static TestHost NewHost() => new() { Machine = new FakeHost { HasNetworks = true } };

    private static FlowEntry Entry(long number, int second, FlowVerdict verdict, string? policy, string? port) => new()
    {
        Sequence = number,
        Time = Noon.AddSeconds(second),
        ProjectId = "default",
        Verdict = verdict,
        PolicyId = policy,
        SourcePortId = port,
        Flow = new FlowTuple(IPAddress.Parse("10.0.0.2"), IPAddress.Parse("10.0.0.3"), Protocol.Tcp, 4000, 80, 0, false),
    };

    private static async Task<List<FlowRecord>> ReadAsync(TestDaemon daemon, FlowQuery query)
    {
        List<FlowRecord> entries = [];
        await foreach (FlowRecord entry in daemon.Flows.ReadAsync(TestCalls.Alice, query, Token))
            entries.Add(entry);
        return entries;
    }

    private static IEnumerable<long> Numbers(IEnumerable<FlowRecord> entries) => entries.Select(e => e.Sequence);
}

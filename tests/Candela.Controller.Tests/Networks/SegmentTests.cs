using Candela.Controller.Networks;
using Candela.Controller.Tests.Fake;
using Candela.Model;
using Candela.Model.Networking;
using Candela.Network.Plan;

namespace Candela.Controller.Tests.Networks;

/// <summary>Routes and rate limits of segments.</summary>
public sealed class SegmentTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_route_is_declared_on_either_side_and_holds_while_both_are_in_use()
    {
        await using var host = NewHost();
        var daemon = await host.StartDaemonAsync();
        var front = await daemon.Networks.CreateAsync(TestCalls.Alice, new NetworkSpec { Name = "front" }, Token);
        var back = await daemon.Networks.CreateAsync(TestCalls.Alice, new NetworkSpec { Name = "back", IsInternal = true, Routes = ["front"] }, Token);
        Assert.Equal([back.Id], (await daemon.Networks.GetAsync(TestCalls.Alice, "front", Token)).Routes);

        await daemon.RunAsync(On("front"), "one");
        Assert.Empty(Project(daemon).Routes);
        await daemon.RunAsync(On("back"), "two");
        Assert.Single(Project(daemon).Routes);
        daemon = await host.StartDaemonAsync();
        Assert.Single(Project(daemon).Routes);

        await daemon.Networks.UpdateAsync(TestCalls.Alice, "front", new SegmentChange { Routes = [] }, Token);
        Assert.Empty(Project(daemon).Routes);
        Assert.Empty((await daemon.Networks.GetAsync(TestCalls.Alice, "back", Token)).Routes);
        await daemon.Networks.UpdateAsync(TestCalls.Alice, "front", new SegmentChange { Routes = ["back"] }, Token);
        Assert.Equal(new SegmentRoute(Min(front.Id, back.Id), Max(front.Id, back.Id)), Assert.Single(Project(daemon).Routes));

        await daemon.RemoveAsync("two", force: true);
        await daemon.Networks.RemoveAsync(TestCalls.Alice, "back", Token);
        Assert.Empty((await daemon.Networks.GetAsync(TestCalls.Alice, "front", Token)).Routes);
    }

    [Fact]
    public async Task Containers_know_where_routes_lead()
    {
        await using var host = NewHost();
        var daemon = await host.StartDaemonAsync();
        await daemon.Networks.CreateAsync(TestCalls.Alice, new NetworkSpec { Name = "back", IsInternal = true, Ipv4Subnet = "10.2.0.0/24" }, Token);
        await daemon.Networks.CreateAsync(TestCalls.Alice, new NetworkSpec { Name = "front", Ipv4Subnet = "10.1.0.0/24", Ipv6Subnet = "fd00:1::/64" }, Token);
        await daemon.RunAsync(On("back"), "one");
        Assert.Empty((await daemon.GetAsync("one")).Endpoints[0].Routes);

        await daemon.Networks.UpdateAsync(TestCalls.Alice, "front", new SegmentChange { Routes = ["back"] }, Token);
        Assert.Equal(["10.1.0.0/24", "fd00:1::/64"], (await daemon.Machine.NextNetworkAsync()).Endpoints[0].Routes);
        await daemon.RunAsync(On("front"), "two");
        Assert.Equal(["10.2.0.0/24"], (await daemon.GetAsync("two")).Endpoints[0].Routes);

        await daemon.Networks.UpdateAsync(TestCalls.Alice, "back", new SegmentChange { Routes = [] }, Token);
        Assert.Empty((await daemon.Machine.NextNetworkAsync()).Endpoints[0].Routes);
        Assert.Empty((await daemon.Machine.NextNetworkAsync()).Endpoints[0].Routes);
    }

    [Fact]
    public async Task The_machine_keeps_a_network_for_a_while_after_the_last_container()
    {
        await using var host = NewHost();
        var daemon = await host.StartDaemonAsync();
        await daemon.Networks.CreateAsync(TestCalls.Alice, new NetworkSpec { Name = "a" }, Token);
        await daemon.Networks.CreateAsync(TestCalls.Alice, new NetworkSpec { Name = "b" }, Token);
        await daemon.RunAsync(On("a"), "one");
        await daemon.RunAsync(On("b"), "two");
        await daemon.RemoveAsync("one", force: true);
        await daemon.RemoveAsync("two", force: true);
        while (!Project(daemon).Ports.IsEmpty)
            await Task.Yield(); // connections end behind the caller's back
        Assert.Equal(2, Project(daemon).Segments.Count);

        // A network that is removed is gone at once, one that is used again stays.
        await daemon.Networks.RemoveAsync(TestCalls.Alice, "b", Token);
        Assert.Single(Project(daemon).Segments);
        await daemon.RunAsync(On("a"), "three");
        host.Time.Advance(2 * NetworkService.IdleTime);
        Assert.Single(Project(daemon).Segments);

        await daemon.RemoveAsync("three", force: true);
        while (!Project(daemon).Ports.IsEmpty)
            await Task.Yield();
        while (daemon.Machine.Plan.Projects.Count > 0)
        {
            host.Time.Advance(NetworkService.IdleTime);
            await Task.Yield();
        }
    }

    [Fact]
    public async Task At_its_end_the_daemon_leaves_no_network_that_is_not_used()
    {
        FakeMachine machine;
        await using (var host = NewHost())
        {
            var daemon = await host.StartDaemonAsync();
            machine = daemon.Machine;
            await daemon.RunAsync(On("bridge"), "one");
            await daemon.RemoveAsync("one", force: true);
        }

        Assert.Empty(machine.Plan.Projects);
    }

    [Fact]
    public async Task Rate_limits_hold_for_what_is_connected_and_what_comes()
    {
        await using var host = NewHost();
        var daemon = await host.StartDaemonAsync();
        await daemon.Networks.CreateAsync(TestCalls.Alice, new NetworkSpec { Name = "slow", EgressBytesPerSecond = 5000 }, Token);
        await daemon.RunAsync(On("slow"));
        Assert.Equal((5000L, null), Rates(daemon));

        await daemon.Networks.UpdateAsync(TestCalls.Alice, "slow", new SegmentChange { EgressBytesPerSecond = 0, IngressBytesPerSecond = 7000 }, Token);
        Assert.Equal((null, 7000L), Rates(daemon));
        Assert.Equal((null, 7000L), Rates(await host.StartDaemonAsync()));
    }

    [Fact]
    public async Task What_makes_no_sense_is_refused()
    {
        await using var host = NewHost();
        var daemon = await host.StartDaemonAsync();
        await daemon.Networks.CreateAsync(TestCalls.Alice, new NetworkSpec { Name = "a" }, Token);

        await TestCalls.FailsAsync(ErrorCode.InvalidArgument, () => daemon.CreateAsync(On("nowhere"))); // NotFound would mean the image
        Task Change(SegmentChange change) => daemon.Networks.UpdateAsync(TestCalls.Alice, "a", change, Token);
        await TestCalls.FailsAsync(ErrorCode.NotFound, () => Change(new SegmentChange { Routes = ["nowhere"] }));
        await TestCalls.FailsAsync(ErrorCode.InvalidArgument, () => Change(new SegmentChange { Routes = ["a"] }));
        await TestCalls.FailsAsync(ErrorCode.InvalidArgument, () => Change(new SegmentChange { EgressBytesPerSecond = 999 }));
        await TestCalls.FailsAsync(ErrorCode.InvalidArgument, () => Change(new SegmentChange { IngressBytesPerSecond = (1L << 40) + 1 }));
        await TestCalls.FailsAsync(ErrorCode.InvalidArgument, () => daemon.Networks.CreateAsync(TestCalls.Alice, new NetworkSpec { Name = "b", EgressBytesPerSecond = 1 }, Token));
        await TestCalls.FailsAsync(ErrorCode.NotFound, () => daemon.Networks.CreateAsync(TestCalls.Alice, new NetworkSpec { Name = "b", Routes = ["nowhere"] }, Token));
    }

    private static TestHost NewHost() => new() { Machine = new FakeHost { HasNetworks = true } };

    private static ContainerSpec On(string network) => TestCalls.Spec with { NetworkMode = network };

    private static ProjectPlan Project(TestDaemon daemon) => daemon.Machine.Plan.Projects["default"];

    private static (long?, long?) Rates(TestDaemon daemon)
    {
        PortSpec port = Assert.Single(Project(daemon).Ports).Value;
        return (port.EgressBytesPerSecond, port.IngressBytesPerSecond);
    }

    private static string Min(string a, string b) => string.CompareOrdinal(a, b) < 0 ? a : b;

    private static string Max(string a, string b) => string.CompareOrdinal(a, b) < 0 ? b : a;
}

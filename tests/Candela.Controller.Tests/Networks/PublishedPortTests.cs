using Candela.Controller.Tests.Fake;
using Candela.Model;

namespace Candela.Controller.Tests.Networks;

/// <summary>Ports of the host that are chosen.</summary>
public sealed class PublishedPortTests
{
    [Fact]
    public async Task Of_a_range_the_first_port_that_nobody_has_is_published()
    {
        await using var host = NewHost();
        var daemon = await host.StartDaemonAsync();
        daemon.Machine.PortsOfHost.Add(8001);
        Assert.Equal([8000], await PublishedAsync(daemon, "one", Range(80)));
        Assert.Equal([8002], await PublishedAsync(daemon, "two", Range(80)));
        Assert.Equal([8000, 8002], await PublishedAsync(daemon, "udp", Range(80) with { Protocol = "udp" }, new PortPublication("udp", 81, "127.0.0.1", 8001, 8003)));
        Assert.Contains("8000 to 8003", (await TestCalls.FailsAsync(ErrorCode.Conflict, () => PublishedAsync(daemon, "many", Range(80), Range(81)))).Message, StringComparison.Ordinal);

        await daemon.RemoveAsync("one", force: true);
        Assert.Equal([8003, 8000], await PublishedAsync(daemon, "three", new PortPublication("tcp", 82, null, 8003), Range(80)));
        daemon = await host.StartDaemonAsync();
        Assert.Equal([8003, 8000], (await daemon.GetAsync("three")).Published.Select(p => (int)p.HostPort));
        daemon.Machine.PortsOfHost.Add(8001);
        await TestCalls.FailsAsync(ErrorCode.Conflict, () => PublishedAsync(daemon, "full", Range(80)));
    }

    [Fact]
    public async Task A_port_that_is_named_is_no_choice_and_one_that_is_not_is_any()
    {
        await using var host = NewHost();
        var daemon = await host.StartDaemonAsync();
        daemon.Machine.PortsOfHost.UnionWith([8000, 32768, 32769]);
        await TestCalls.FailsAsync(ErrorCode.Conflict, () => PublishedAsync(daemon, "named", new PortPublication("tcp", 80, null, 8000), new PortPublication("tcp", 81, null, 0)));
        Assert.Equal([32770], await PublishedAsync(daemon, "chosen", new PortPublication("tcp", 80, null, 0)));
        await TestCalls.FailsAsync(ErrorCode.InvalidArgument, () => PublishedAsync(daemon, "empty", new PortPublication("tcp", 80, null, 9, 8)));
        await TestCalls.FailsAsync(ErrorCode.InvalidArgument, () => PublishedAsync(daemon, "begun", new PortPublication("tcp", 80, null, 0, 8)));
    }

    private static PortPublication Range(ushort port) => new("tcp", port, null, 8000, 8003);

    private static async Task<IEnumerable<int>> PublishedAsync(TestDaemon daemon, string name, params PortPublication[] ports)
    {
        await daemon.RunAsync(TestCalls.Spec with { NetworkMode = "bridge", PublishedPorts = ports }, name);
        return (await daemon.GetAsync(name)).Published.Select(p => (int)p.HostPort);
    }

    private static TestHost NewHost() => new() { Machine = new FakeHost { HasNetworks = true } };
}

using System.Globalization;

namespace Candela.Acceptance;

/// <summary>Routes between segments and limits of what their containers send and receive, with micro-VMs.</summary>
[Collection(NetworkCollection.Name)]
public sealed class NetworkSegmentTests(NetworkPlatform platform) : IAsyncLifetime
{
    private const string Sink = "exec nc -ll -p 90 -e sh -c 'cat >/dev/null'";

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        if ((await platform.DockerAsync("ps", "-aq")).Lines is { Length: > 0 } containers)
            await platform.RemoveAsync(containers);
        _ = (await platform.DockerAsync("network", "prune", "-f")).Text;
    }

    [Fact]
    public async Task Segments_reach_each_other_over_declared_routes_only()
    {
        await SegmentAsync("create", "front", "--subnet6", "fd00:f::/64");
        await SegmentAsync("create", "back", "--internal", "--subnet6", "fd00:b::/64");
        await SegmentAsync("create", "far");
        await platform.IdleAsync("--name", "front1", "--network", "front", "--ip6", "fd00:f::9");
        await platform.IdleAsync("--name", "back1", "--network", "back", "--ip6", "fd00:b::9");
        await platform.IdleAsync("--name", "far1", "--network", "far");
        string f = await AddressAsync("front1", "front"), b = await AddressAsync("back1", "back"), x = await AddressAsync("far1", "far");
        Assert.False(await platform.ReachesAsync("front1", b));
        Assert.False(await platform.ReachesAsync("front1", "fd00:b::9"));

        await SegmentAsync("set", "front", "--route", "back");
        foreach ((string from, string to) in new[] { ("front1", b), ("front1", "fd00:b::9"), ("back1", f), ("back1", "fd00:f::9") })
            Assert.True(await platform.ReachesAsync(from, to), $"{from} does not reach {to}");
        // A route is between two: it leads nowhere else, and not out.
        Assert.False(await platform.ReachesAsync("back1", x));
        Assert.False(await platform.ReachesAsync("back1", HostNamespace.WorldAddress));

        // What is open ends with the route.
        using var ping = platform.StartDocker("exec", "front1", "ping", b);
        await ping.ReadUntilAsync("bytes from");
        await SegmentAsync("set", "back", "--no-routes");
        Assert.False(await platform.ReachesAsync("back1", f));
        Assert.False(await platform.ReachesAsync("front1", b));
    }

    [Fact]
    public async Task Containers_send_and_receive_no_more_than_their_segment_allows()
    {
        await SegmentAsync("create", "slow");
        await platform.RunAsync(["--name", "sink", "--network", "slow"], "sh", "-c", Sink);
        await platform.IdleAsync("--name", "source", "--network", "slow");
        await SecondsAsync(1); // the sink listens

        // 256 KiB may be saved up, and what is dropped is sent again: the rest takes more than five seconds.
        await SegmentAsync("set", "slow", "--egress-rate", "100k");
        Assert.InRange(await SecondsAsync(800), 5, double.MaxValue);
        await SegmentAsync("set", "slow", "--egress-rate", "0", "--ingress-rate", "100k");
        Assert.InRange(await SecondsAsync(800), 5, double.MaxValue);
        await SegmentAsync("set", "slow", "--ingress-rate", "0");
        await Deadlines.UntilAsync("a transfer without a limit", async () => await SecondsAsync(800) < 5);
    }

    // How long it takes to send so many KiB, as the sender sees it.
    private async Task<double> SecondsAsync(int kibibytes)
    {
        string count = kibibytes.ToString(CultureInfo.InvariantCulture);
        string[] times = (await platform.ExecAsync("source", $"until echo | nc sink 90; do :; done; cut -d' ' -f1 /proc/uptime; dd if=/dev/zero bs=1k count={count} 2>/dev/null | nc sink 90; cut -d' ' -f1 /proc/uptime")).Lines;
        return double.Parse(times[1], CultureInfo.InvariantCulture) - double.Parse(times[0], CultureInfo.InvariantCulture);
    }

    private async Task SegmentAsync(params string[] arguments) => _ = (await platform.CandelaAsync(["segment", .. arguments])).Text;

    private async Task<string> AddressAsync(string container, string network)
        => (await platform.DockerAsync("inspect", "-f", $"{{{{.NetworkSettings.Networks.{network}.IPAddress}}}}", container)).Text;
}

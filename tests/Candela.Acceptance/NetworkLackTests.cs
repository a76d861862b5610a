namespace Candela.Acceptance;

/// <summary>A host that lacks what networks need.</summary>
[Collection(NetworkCollection.Name)]
public sealed class NetworkLackTests
{
    [Fact]
    public async Task Without_tun_the_daemon_says_so_and_containers_without_networks_work()
    {
        await using var platform = new PlatformWithoutTun();
        await platform.InitializeAsync();
        Assert.Equal("lo", (await platform.DockerAsync("run", "--rm", Platform.Image, "ls", "/sys/class/net")).Text);
        var refused = await platform.DockerAsync("run", "--rm", "--network", "bridge", Platform.Image, "true");
        Assert.Equal(125, refused.ExitCode);
        Assert.Contains("cannot make a tap", refused.Error, StringComparison.Ordinal);
        Assert.Contains("modprobe tun", refused.Error, StringComparison.Ordinal);
        Assert.Contains("--network none", refused.Error, StringComparison.Ordinal);
        Assert.Contains("no networks:", platform.DaemonLog(), StringComparison.Ordinal);
        await platform.EndAsync();
    }

    private sealed class PlatformWithoutTun() : Platform("--waiting", "1", "--scratch-size", "1")
    {
        protected override IReadOnlyList<string> DaemonPrefix => ["unshare", "--mount", "--net", "--", "sh", "-c", "mount --bind /dev/null /dev/net/tun && exec \"$@\"", "sh"];

        protected override string? DefaultNetwork => null;
    }
}

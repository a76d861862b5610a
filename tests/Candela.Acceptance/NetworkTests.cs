using System.Globalization;

namespace Candela.Acceptance;

/// <summary>Docker's networks between real micro-VMs, through the stock client.</summary>
[Collection(NetworkCollection.Name)]
public sealed class NetworkTests(NetworkPlatform platform) : IAsyncLifetime
{
    // Answers each connection with the address of who asks.
    private const string TellPeer = "exec nc -ll -p 80 -e netstat -tn";

    // Answers each datagram likewise.
    private const string TellUdpPeer = """
        socket(S, 2, 2, 17); bind(S, pack("S n N x8", 2, 53, 0)) or die;
        while (my $peer = recv(S, my $data, 1500, 0)) { my (undef, undef, @address) = unpack("S n C4", $peer); send(S, join(".", @address) . "\n", 0, $peer) }
        """;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        if ((await platform.DockerAsync("ps", "-aq")).Lines is { Length: > 0 } containers)
            await platform.RemoveAsync(containers);
        _ = (await platform.DockerAsync("network", "prune", "-f")).Text;
    }

    [Fact]
    public async Task Within_a_network_containers_find_and_reach_each_other_and_across_they_do_not()
    {
        await CreateAsync("a", "b");
        await platform.IdleAsync("--name", "a1", "--network", "a", "--network-alias", "db");
        await platform.IdleAsync("--name", "a2", "--network", "a");
        await platform.IdleAsync("--name", "b1", "--network", "b");
        Assert.True(await platform.ReachesAsync("a2", "a1"));
        Assert.True(await platform.ReachesAsync("a2", "db"));
        Assert.False(await platform.ResolvesAsync("b1", "a1"));
        Assert.False(await platform.ReachesAsync("b1", await AddressAsync("a1", "a")));

        await CreateAsync("--internal", "i");
        await platform.IdleAsync("--name", "i1", "--network", "i");
        await platform.IdleAsync("--name", "i2", "--network", "i");
        Assert.True(await platform.ReachesAsync("i1", "i2"));
        Assert.False(await platform.ReachesAsync("i1", HostNamespace.WorldAddress));
        Assert.True(await platform.ReachesAsync("a1", HostNamespace.WorldAddress));
    }

    [Fact]
    public async Task Networks_are_connected_and_disconnected_while_a_container_runs()
    {
        await CreateAsync("a");
        await CreateAsync("--subnet", "10.77.0.0/24", "--ipv6", "--subnet", "fd00:77::/64", "b");
        await platform.IdleAsync("--name", "one", "--network", "a");
        await platform.IdleAsync("--name", "two", "--network", "b");
        _ = (await platform.DockerAsync("network", "connect", "--ip", "10.77.0.9", "--ip6", "fd00:77::9", "--alias", "other", "b", "one")).Text;
        Assert.True(await platform.ReachesAsync("two", "other"));
        Assert.True(await platform.ReachesAsync("one", "two"));
        Assert.Contains("fd00:77::9", (await platform.ExecAsync("one", "ip -6 address show eth1")).Text, StringComparison.Ordinal);
        Assert.Contains("10.77.0.9", (await platform.ExecAsync("one", "cat /etc/hosts")).Text, StringComparison.Ordinal);

        _ = (await platform.DockerAsync("network", "disconnect", "a", "one")).Text;
        Assert.Equal("eth1\nlo", (await platform.ExecAsync("one", "ls /sys/class/net")).Text);
        Assert.True(await platform.ReachesAsync("one", HostNamespace.WorldAddress));

        _ = (await platform.DockerAsync("restart", "-t", "0", "one")).Text;
        Assert.Equal("10.77.0.9", await AddressAsync("one", "b"));
        Assert.True(await platform.ReachesAsync("two", "one"));
    }

    [Fact]
    public async Task Container_with_several_networks_knows_the_names_of_all()
    {
        await CreateAsync("a", "b", "c", "d", "e");
        await platform.IdleAsync("--name", "a1", "--network", "a");
        await platform.IdleAsync("--name", "b1", "--network", "b");
        await platform.IdleAsync("--name", "both", "--network", "a", "--network", "b");
        foreach (var other in (string[])["a1", "b1"])
        {
            Assert.True(await platform.ReachesAsync("both", other));
            Assert.True(await platform.ReachesAsync(other, "both"));
        }

        var many = await platform.DockerAsync("run", "--rm", "--network", "a", "--network", "b", "--network", "c", "--network", "d", Platform.Image, "ls", "/sys/class/net");
        Assert.Equal("eth0\neth1\neth2\neth3\nlo", many.Text);
        var tooMany = await platform.DockerAsync("run", "--rm", "--network", "a", "--network", "b", "--network", "c", "--network", "d", "--network", "e", Platform.Image, "true");
        Assert.Contains("4 networks at most", tooMany.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Published_ports_answer_with_the_source_address_kept()
    {
        await platform.RunAsync(["--name", "web", "-p", "8080:80", "--expose", "81", "-P"], "sh", "-c", TellPeer);
        _ = (await platform.DockerAsync("run", "-d", "--name", "dns", "-p", "8053:53/udp", PerlImage.Name, "/usr/bin/perl", "-e", TellUdpPeer)).Text;
        Assert.Contains("80/tcp -> 0.0.0.0:8080", (await platform.DockerAsync("port", "web")).Text, StringComparison.Ordinal);
        Assert.Contains("81/tcp -> 0.0.0.0:", (await platform.DockerAsync("port", "web")).Text, StringComparison.Ordinal);
        await Deadlines.UntilAsync("the server's start", async () => (await platform.ExecAsync("web", "netstat -tln")).Output.Contains(":80 ", StringComparison.Ordinal));
        Assert.Contains(HostNamespace.WorldAddress, await AskAsync(platform.Network.EnterWorld, $"/dev/tcp/{HostNamespace.HostAddress}/8080"), StringComparison.Ordinal);
        await Deadlines.UntilAsync("the answer on loopback", async () => (await AskAsync(platform.Network.Enter, "/dev/tcp/127.0.0.1/8080")).Contains("ESTABLISHED", StringComparison.Ordinal));
        await Deadlines.UntilAsync("the answer by UDP", async () => (await platform.Network.WorldAsync(
            "bash", "-c", $"exec 3<>/dev/udp/{HostNamespace.HostAddress}/8053; echo ping >&3; timeout 2 head -n 1 <&3 || true")).Contains(HostNamespace.WorldAddress, StringComparison.Ordinal));

        var taken = await platform.DockerAsync("run", "--rm", "-p", "8080:80", Platform.Image, "true");
        Assert.Contains("already in use", taken.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Of_a_range_of_ports_the_first_free_one_is_published()
    {
        // 8100 is published, 8101 is a program's of the host.
        await platform.IdleAsync("--name", "one", "-p", "8100-8102:80");
        using var program = new RunningCommand(platform.Network.Enter[0], [.. platform.Network.Enter[1..], "busybox", "nc", "-ll", "-p", "8101", "-e", "true"], new Dictionary<string, string>());
        await Deadlines.UntilAsync("the host's program", async () => (await AskAsync(platform.Network.Enter, "/dev/tcp/127.0.0.1/8101; echo open")).Contains("open", StringComparison.Ordinal));
        await platform.RunAsync(["--name", "two", "-p", "8100-8102:80"], "sh", "-c", TellPeer);
        Assert.Equal(["0.0.0.0:8100", "[::]:8100"], (await platform.DockerAsync("port", "one", "80")).Lines);
        Assert.Equal(["0.0.0.0:8102", "[::]:8102"], (await platform.DockerAsync("port", "two", "80")).Lines);
        await Deadlines.UntilAsync("the answer", async () => (await AskAsync(platform.Network.Enter, "/dev/tcp/127.0.0.1/8102")).Contains("ESTABLISHED", StringComparison.Ordinal));
        var taken = await platform.DockerAsync("run", "--rm", "-p", "8100-8102:80", Platform.Image, "true");
        Assert.Contains("all ports from 8100 to 8102", taken.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Daemon_s_end_changes_nothing_and_everything_can_be_changed_afterwards()
    {
        await CreateAsync("a", "b");
        await platform.RunAsync(["--name", "web", "--network", "a", "-p", "8081:80"], "sh", "-c", TellPeer);
        await platform.IdleAsync("--name", "client", "--network", "a");
        await platform.IdleAsync("--name", "other", "--network", "b");
        var before = await ShowAsync("web") + await ShowAsync("client");
        await platform.RestartDaemonAsync();
        Assert.Equal(before, await ShowAsync("web") + await ShowAsync("client"));
        Assert.True(await platform.ReachesAsync("client", "web"));
        await Deadlines.UntilAsync("the published port's answer", async () => (await AskAsync(platform.Network.EnterWorld, $"/dev/tcp/{HostNamespace.HostAddress}/8081")).Contains("ESTABLISHED", StringComparison.Ordinal));
        _ = (await platform.DockerAsync("network", "connect", "b", "client")).Text;
        Assert.True(await platform.ReachesAsync("client", "other"));
    }

    [Fact]
    public async Task Fork_wakes_with_addresses_of_its_own()
    {
        await CreateAsync("a", "b");
        await platform.IdleAsync("--name", "origin", "--network", "a", "--network", "b");
        await platform.IdleAsync("--name", "peer", "--network", "b");
        _ = (await platform.CandelaAsync("fork", "--count", "2", "origin")).Text;
        foreach (var fork in (string[])["origin-1", "origin-2"])
        {
            Assert.True(await platform.ReachesAsync("peer", fork));
            Assert.True(await platform.ReachesAsync(fork, "peer"));
        }

        Assert.True(await platform.ReachesAsync("peer", "origin"));
        string[] addresses = [await AddressAsync("origin", "a"), await AddressAsync("origin-1", "a"), await AddressAsync("origin-2", "a")];
        Assert.Equal(3, addresses.Distinct().Count());
        Assert.Contains(addresses[1], (await platform.ExecAsync("origin-1", "ip address show eth0")).Text, StringComparison.Ordinal);
        Assert.Equal(6, (await Task.WhenAll(new[] { "origin", "origin-1", "origin-2" }.Select(c => platform.ExecAsync(c, "cat /sys/class/net/eth*/address")))).SelectMany(r => r.Lines).Distinct().Count());
    }

    [Fact]
    public async Task Names_that_a_container_is_given_hold()
    {
        await platform.IdleAsync("--name", "target");
        var result = await platform.DockerAsync(
            "run", "--rm", "--link", "target:db", "--add-host", "host:host-gateway", "--add-host", "x:192.0.2.1", "--hostname", "me", "--domainname", "example.org",
            "--dns", "192.0.2.53", "--dns-search", "example.org", "--dns-option", "ndots:2", "--mac-address", "02:cd:00:00:11:22", Platform.Image, "sh", "-c", "cat /etc/hosts /etc/resolv.conf /sys/class/net/eth0/address; ping -c 3 -W 3 db && ping -c 3 -W 3 host");
        var text = result.Text;
        Assert.Contains($"{await AddressAsync("target", "bridge")}\tdb ", text, StringComparison.Ordinal);
        Assert.Contains("192.0.2.1\tx\n", text, StringComparison.Ordinal);
        Assert.Contains("me.example.org me\n", text, StringComparison.Ordinal);
        Assert.Contains("search example.org\nnameserver 192.0.2.53\noptions ndots:2\n02:cd:00:00:11:22\n", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Network_in_use_is_not_removed_and_events_tell_what_happens()
    {
        using var events = platform.StartDocker("events", "--since", "2020-01-01", "--filter", "type=network", "--format", "{{.Action}} {{.Actor.Attributes.name}}");
        await CreateAsync("used");
        await platform.IdleAsync("--name", "user", "--network", "used");
        Assert.Contains("active endpoints", (await platform.DockerAsync("network", "rm", "used")).Error, StringComparison.Ordinal);
        Assert.Equal("user", (await platform.DockerAsync("network", "inspect", "-f", "{{range .Containers}}{{.Name}}{{end}}", "used")).Text);
        await platform.RemoveAsync("user");
        var id = (await platform.DockerAsync("network", "inspect", "-f", "{{.Id}}", "used")).Text;
        Assert.Equal("used", (await platform.DockerAsync("network", "ls", "--filter", "dangling=true", "--filter", $"id={id[..6]}", "--format", "{{.Name}}")).Text);
        _ = (await platform.DockerAsync("network", "rm", id[..12])).Text;
        foreach (var expected in (string[])["create used", "connect used", "disconnect used", "destroy used"])
            await events.ReadUntilAsync(expected);
    }

    [Fact]
    public async Task Without_networks_a_container_has_loopback_only()
        => Assert.Equal("lo", (await platform.DockerAsync("run", "--rm", "--network", "none", Platform.Image, "ls", "/sys/class/net")).Text);

    private static async Task<string> AskAsync(string[] enter, string socket)
    {
        string[] command = [.. enter, "bash", "-c", $"exec 3<>{socket} && timeout 5 cat <&3"];
        using var running = new RunningCommand(command[0], command[1..], new Dictionary<string, string>());
        return (await running.FinishAsync()).Output;
    }

    private async Task CreateAsync(params string[] arguments)
    {
        if (arguments.Any(a => a.StartsWith('-')))
        {
            _ = (await platform.DockerAsync(["network", "create", .. arguments])).Text;
            return;
        }

        foreach (var name in arguments)
            _ = (await platform.DockerAsync("network", "create", name)).Text;
    }

    private async Task<string> AddressAsync(string container, string network)
        => (await platform.DockerAsync("inspect", "-f", string.Create(CultureInfo.InvariantCulture, $"{{{{(index .NetworkSettings.Networks \"{network}\").IPAddress}}}}"), container)).Text;

    private async Task<string> ShowAsync(string container) => (await platform.DockerAsync("inspect", "-f", "{{json .NetworkSettings}}", container)).Text;
}

/// <summary>Tests that use the networked instance take turns.</summary>
[CollectionDefinition(Name)]
public sealed class NetworkCollection : ICollectionFixture<NetworkPlatform>
{
    public const string Name = "networks";
}

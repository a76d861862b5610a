using System.Text;
using System.Text.Json.Nodes;

namespace Candela.Acceptance;

/// <summary>Who may talk to whom, with micro-VMs on real networks; the daemon is in a network namespace of the tests' own.</summary>
public sealed class NetworkPolicyTests(NamespacedPlatform platform) : IClassFixture<NamespacedPlatform>
{
    private const string Port = "7000";

    [Fact]
    public async Task Labels_decide_who_is_in_which_group_and_a_policy_ends_what_it_denies()
    {
        _ = (await platform.DockerAsync("network", "create", "front")).Text;
        _ = (await platform.CandelaAsync("security-group", "create", "web", "--label", "tier=web")).Text;
        _ = (await platform.CandelaAsync("security-group", "create", "db", "--label", "tier=db")).Text;
        await RunAsync("db", "tier=db", "nc", "-ll", "-p", Port, "-e", "cat");
        await RunAsync("web", "tier=web", "sleep", "100000");
        await RunAsync("other", "tier=other", "sleep", "100000");
        Assert.Equal(["web"], (await platform.CandelaAsync("security-group", "members", "web")).Lines);

        // By name, and only once the server listens.
        await Deadlines.UntilAsync("a connection from web to db", async () => await EchoesAsync("web"));
        using RunningCommand open = platform.StartDocker("exec", "-i", "web", "nc", "db", Port);
        await open.Input.WriteAsync(Encoding.UTF8.GetBytes("one\n"));
        await open.Input.FlushAsync();
        Assert.Equal("one", await open.ReadLineAsync());

        _ = (await platform.CandelaAsync(
            "network-policy", "create", "no-web", "--direction", "ingress", "--action", "deny", "--for", "group:db", "--peer", "group:web", "--service", "tcp:" + Port, "--priority", "10")).Text;

        // What is said on the open flow is not heard any more: the new flow's failure takes longer than an answer did.
        Task<string?> answer = open.ReadLineAsync();
        await open.Input.WriteAsync(Encoding.UTF8.GetBytes("two\n"));
        await open.Input.FlushAsync();
        Assert.False(await EchoesAsync("web"));
        Assert.NotEqual("two", answer.IsCompleted ? await answer : null);
        Assert.True(await EchoesAsync("other"));

        JsonNode denied = JsonNode.Parse((await platform.CandelaAsync("flow", "log", "--policy", "no-web", "--outcome", "denied", "--container", "web", "-o", "json")).Lines[^1])!;
        Assert.Equal(("web", "db", 7000, "Tcp"), ((string)denied["source"]!["container"]!, (string)denied["destination"]!["container"]!, (int)denied["destination"]!["port"]!, (string)denied["protocol"]!));
        Assert.Contains("denied by policy no-web: web (", (await platform.CandelaAsync("flow", "log")).Text, StringComparison.Ordinal);
        Assert.Matches("policy no-web +[1-9]", (await platform.CandelaAsync("flow", "counters")).Text);

        // An identity is the platform's word: a label cannot lend it.
        _ = (await platform.CandelaAsync(
            "network-policy", "set", "no-web", "--peer", "workload:default/default/other")).Text;
        Assert.True(await EchoesAsync("web"));
        Assert.False(await EchoesAsync("other"));

        _ = (await platform.CandelaAsync("network-policy", "rm", "no-web")).Text;
        _ = (await platform.CandelaAsync("network-policy", "default", "closed")).Text;
        Assert.False(await EchoesAsync("other"));

        // A daemon that was killed enforces the same again.
        await platform.RestartDaemonAsync();
        Assert.False(await EchoesAsync("other"));
        _ = (await platform.CandelaAsync("network-policy", "default", "open")).Text;
        Assert.True(await EchoesAsync("other"));
        await platform.EndAsync();
    }

    private async Task RunAsync(string name, string label, params string[] command) =>
        _ = (await platform.DockerAsync(["run", "-d", "--network", "front", "--name", name, "--label", label, Platform.Image, .. command])).Text;

    /// <summary>A new connection to db answers.</summary>
    private async Task<bool> EchoesAsync(string from) =>
        (await platform.DockerAsync("exec", from, "sh", "-c", $"echo hello | timeout 10 nc -w 5 db {Port}")).Output == "hello\n";
}

using System.Globalization;

namespace Candela.Acceptance;

/// <summary>candela fork: clones of a container while it runs.</summary>
public sealed class ForkTests(Platform platform)
{
    private const string Counter = "secret=$(head -c 8 /dev/urandom | xxd -p); echo $secret > /first; i=0; while :; do i=$((i+1)); echo $i > /tmp/i; echo $secret > /secret; sleep 0.05; done";

    [Fact]
    public async Task Memory_and_processes_go_on_in_the_fork()
    {
        var source = await CounterAsync("fork-source");
        var before = await NumberAsync(source);
        var fork = (await platform.CandelaAsync("fork", "-q", source)).Text;
        _ = (await platform.DockerAsync("exec", fork, "rm", "-f", "/secret", "/tmp/i")).Text;
        await Deadlines.UntilAsync("the fork's counting", async () => (await platform.DockerAsync("exec", fork, "cat", "/tmp/i")).Output.Length > 1);
        Assert.True(await NumberAsync(fork) >= before);
        Assert.Equal(await ReadAsync(source, "/first"), await ReadAsync(fork, "/secret"));
        Assert.Equal("true", (await platform.DockerAsync("inspect", "-f", "{{.State.Running}}", fork)).Text);
        await platform.RemoveAsync(source, fork);
    }

    [Fact]
    public async Task Fork_has_an_identity_of_its_own()
    {
        var source = await CounterAsync("fork-identity");
        var forks = (await platform.CandelaAsync("fork", "-q", "--count", "3", source)).Lines;
        Assert.Equal(3, forks.Length);
        string[] all = [source, .. forks];
        var begun = DateTimeOffset.UtcNow;
        var identities = await Task.WhenAll(all.Select(async id => (await platform.DockerAsync(
            "exec", id, "sh", "-c", "hostname; cat /etc/hostname /etc/machine-id; head -c 16 /dev/urandom | xxd -p; date +%s")).Lines));
        for (var column = 0; column < 4; column++)
            Assert.Equal(4, identities.Select(lines => lines[column]).Distinct().Count());
        Assert.All(identities, lines => Assert.InRange(DateTimeOffset.FromUnixTimeSeconds(long.Parse(lines[4], CultureInfo.InvariantCulture)), begun.AddSeconds(-2), DateTimeOffset.UtcNow.AddSeconds(2)));
        var names = (await platform.DockerAsync(["inspect", "-f", "{{.Name}}", .. all])).Lines;
        Assert.Equal(4, names.Distinct().Count());
        await platform.RemoveAsync(all);
    }

    [Fact]
    public async Task File_systems_of_source_and_fork_part()
    {
        var source = await CounterAsync("fork-files");
        _ = (await platform.DockerAsync("exec", source, "sh", "-c", "echo before > /file")).Text;
        var fork = (await platform.CandelaAsync("fork", "-q", source)).Text;
        Assert.Equal("before", await ReadAsync(fork, "/file"));
        _ = (await platform.DockerAsync("exec", fork, "sh", "-c", "echo fork > /file")).Text;
        _ = (await platform.DockerAsync("exec", source, "sh", "-c", "echo source > /file")).Text;
        Assert.Equal("fork", await ReadAsync(fork, "/file"));
        Assert.Equal("source", await ReadAsync(source, "/file"));
        await platform.RemoveAsync(source, fork);
    }

    [Fact]
    public async Task Forks_of_forks_live_on_when_the_original_is_removed()
    {
        var source = await CounterAsync("fork-origin");
        var secret = await ReadAsync(source, "/first");
        var child = (await platform.CandelaAsync("fork", "--name", "fork-child", "-q", source)).Text;
        var grandchild = (await platform.CandelaAsync("fork", "--name", "fork-grandchild", "-q", "fork-child")).Text;
        await platform.RemoveAsync(source);
        await platform.RemoveAsync(child);
        var number = await NumberAsync(grandchild);
        await Deadlines.UntilAsync("the grandchild's counting", async () => await NumberAsync(grandchild) > number);
        Assert.Equal(secret, await ReadAsync(grandchild, "/secret"));
        _ = (await platform.DockerAsync("stop", "-t", "0", grandchild)).Text;
        Assert.Equal("137", (await platform.DockerAsync("wait", grandchild)).Text);
        await platform.RemoveAsync(grandchild);
    }

    [Fact]
    public async Task Output_of_a_fork_goes_to_its_own_log()
    {
        var source = await platform.StartContainerAsync([], "sh", "-c", "echo before; i=0; while :; do [ -e /go ] && { hostname; exit 5; }; sleep 0.05; done");
        var fork = (await platform.CandelaAsync("fork", "-q", source)).Text;
        _ = await platform.DockerAsync("exec", fork, "touch", "/go"); // may be killed by the container's end, which it brings about
        Assert.Equal("5", (await platform.DockerAsync("wait", fork)).Text);
        Assert.Contains(fork[..12], (await platform.DockerAsync("logs", fork)).Text, StringComparison.Ordinal);
        Assert.DoesNotContain(fork[..12], (await platform.DockerAsync("logs", source)).Text, StringComparison.Ordinal);
        Assert.Equal("running", (await platform.DockerAsync("inspect", "-f", "{{.State.Status}}", source)).Text);
        await platform.RemoveAsync(source, fork);
    }

    [Fact]
    public async Task Container_that_does_not_run_cannot_be_forked()
    {
        var id = (await platform.DockerAsync("create", "--network=none", Platform.Image)).Text;
        var refused = await platform.CandelaAsync("fork", id);
        Assert.NotEqual(0, refused.ExitCode);
        Assert.Contains("not running", refused.Error, StringComparison.Ordinal);
        await platform.RemoveAsync(id);
    }

    private async Task<string> CounterAsync(string name)
    {
        var id = await platform.StartContainerAsync(["--name", name], "sh", "-c", Counter);
        await Deadlines.UntilAsync("the counter's start", async () => (await platform.DockerAsync("exec", id, "cat", "/secret", "/tmp/i")).ExitCode == 0);
        return id;
    }

    private async Task<string> ReadAsync(string id, string file) => (await platform.DockerAsync("exec", id, "cat", file)).Text;

    private async Task<int> NumberAsync(string id)
    {
        // The counter truncates the file before it writes.
        string text;
        while ((text = await ReadAsync(id, "/tmp/i")).Length == 0)
        {
        }

        return int.Parse(text, CultureInfo.InvariantCulture);
    }
}

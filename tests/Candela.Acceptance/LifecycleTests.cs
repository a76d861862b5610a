using System.Diagnostics;
using System.Globalization;

namespace Candela.Acceptance;

/// <summary>What becomes of a container after its start.</summary>
public sealed class LifecycleTests(Platform platform)
{
    private const string Waiting = "trap 'echo got TERM; exit 3' TERM; trap 'echo got USR1; exit 4' USR1; echo ready; while :; do sleep 0.1; done";

    [Fact]
    public async Task Create_start_stop_and_remove()
    {
        var id = (await platform.DockerAsync("create", "--name", "cycle", "--network=none", Platform.Image, "sh", "-c", Waiting)).Text;
        Assert.Equal("created", await StateAsync(id));
        Assert.Equal("cycle", (await platform.DockerAsync("start", "cycle")).Text);
        await LoggedAsync(id, "ready");
        Assert.Equal("running", await StateAsync(id));
        Assert.Equal("cycle", (await platform.DockerAsync("stop", "cycle")).Text);
        Assert.Equal("exited 3", (await platform.DockerAsync("inspect", "-f", "{{.State.Status}} {{.State.ExitCode}}", id)).Text);
        Assert.Equal(["ready", "got TERM"], (await platform.DockerAsync("logs", id)).Lines);
        _ = (await platform.DockerAsync("rm", "cycle")).Text;
        Assert.NotEqual(0, (await platform.DockerAsync("inspect", "--type", "container", id)).ExitCode);
    }

    [Fact]
    public async Task Stop_sends_the_container_s_stop_signal()
    {
        var id = await platform.StartContainerAsync(["--stop-signal", "USR1"], "sh", "-c", Waiting);
        await LoggedAsync(id, "ready");
        _ = (await platform.DockerAsync("stop", id)).Text;
        Assert.Equal("4", (await platform.DockerAsync("wait", id)).Text);
        await platform.RemoveAsync(id);
    }

    [Fact]
    public async Task Stop_kills_after_its_timeout()
    {
        var id = await platform.StartContainerAsync([], "sh", "-c", "trap '' TERM; echo ready; while :; do sleep 0.1; done");
        await LoggedAsync(id, "ready");
        var time = Stopwatch.StartNew();
        _ = (await platform.DockerAsync("stop", "-t", "1", id)).Text;
        Assert.InRange(time.Elapsed.TotalSeconds, 1, 20);
        Assert.Equal("137", (await platform.DockerAsync("inspect", "-f", "{{.State.ExitCode}}", id)).Text);
        await platform.RemoveAsync(id);
    }

    [Fact]
    public async Task Kill_sends_any_signal()
    {
        var id = await platform.StartContainerAsync([], "sh", "-c", Waiting);
        await LoggedAsync(id, "ready");
        _ = (await platform.DockerAsync("kill", "-s", "USR1", id)).Text;
        Assert.Equal("4", (await platform.DockerAsync("wait", id)).Text);
        var again = await platform.DockerAsync("kill", id);
        Assert.Contains("is not running", again.Error, StringComparison.Ordinal);
        await platform.RemoveAsync(id);
    }

    [Fact]
    public async Task Restart_keeps_the_file_system_and_starts_anew()
    {
        var id = await platform.StartContainerAsync([], "sh", "-c", "echo x >> /count; wc -l < /count; exec sleep 1000");
        await LoggedAsync(id, "1");
        _ = (await platform.DockerAsync("restart", "-t", "0", id)).Text;
        await LoggedAsync(id, "2");
        _ = (await platform.DockerAsync("kill", id)).Text;
        _ = (await platform.DockerAsync("wait", id)).Text;
        _ = (await platform.DockerAsync("start", id)).Text;
        await LoggedAsync(id, "3");
        Assert.Equal(["1", "2", "3"], (await platform.DockerAsync("logs", id)).Lines);
        await platform.RemoveAsync(id);
    }

    [Fact]
    public async Task Running_container_is_removed_by_force_only()
    {
        var id = await platform.StartContainerAsync([], "sleep", "1000");
        var refused = await platform.DockerAsync("rm", id);
        Assert.Equal(1, refused.ExitCode);
        Assert.Contains("container is running", refused.Error, StringComparison.Ordinal);
        await platform.RemoveAsync(id);
        Assert.Contains("No such container", (await platform.DockerAsync("rm", id)).Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Names_are_unique_and_can_be_changed()
    {
        var first = await platform.StartContainerAsync(["--name", "name-one"], "sleep", "1000");
        var conflict = await platform.DockerAsync("create", "--name", "name-one", "--network=none", Platform.Image);
        Assert.Contains($"The container name \"/name-one\" is already in use by container \"{first}\"", conflict.Error, StringComparison.Ordinal);
        _ = (await platform.DockerAsync("rename", "name-one", "name-two")).Text;
        Assert.Equal("/name-two", (await platform.DockerAsync("inspect", "-f", "{{.Name}}", first[..12])).Text);
        var second = (await platform.DockerAsync("create", "--name", "name-one", "--network=none", Platform.Image)).Text;
        await platform.RemoveAsync(first, second);
    }

    [Fact]
    public async Task Paused_container_stands_still()
    {
        var id = await platform.StartContainerAsync([], "sh", "-c", "i=0; while :; do i=$((i+1)); echo $i; sleep 0.02; done");
        await LoggedAsync(id, "5");
        _ = (await platform.DockerAsync("pause", id)).Text;
        Assert.Equal("paused true", (await platform.DockerAsync("inspect", "-f", "{{.State.Status}} {{.State.Paused}}", id)).Text);
        Assert.Contains("(Paused)", (await platform.DockerAsync("ps", "--filter", "id=" + id, "--format", "{{.Status}}")).Text, StringComparison.Ordinal);
        Assert.Contains("is paused", (await platform.DockerAsync("exec", id, "true")).Error, StringComparison.Ordinal);
        var then = (await platform.DockerAsync("logs", "--tail", "1", id)).Text;
        Assert.Equal(then, (await platform.DockerAsync("logs", "--tail", "1", id)).Text);
        _ = (await platform.DockerAsync("unpause", id)).Text;
        await LoggedAsync(id, $"{int.Parse(then, CultureInfo.InvariantCulture) + 5}");
        await platform.RemoveAsync(id);
    }

    [Fact]
    public async Task Ps_filters()
    {
        var running = await platform.StartContainerAsync(["--name", "filter-a", "--label", "filtered=yes"], "sleep", "1000");
        var ended = await platform.StartContainerAsync(["--name", "filter-b", "--label", "filtered=yes"], "sh", "-c", "exit 5");
        _ = (await platform.DockerAsync("wait", ended)).Text;
        Assert.Equal(["filter-a"], await NamesAsync("ps"));
        Assert.Equal(["filter-a", "filter-b"], await NamesAsync("ps", "-a"));
        Assert.Equal(["filter-b"], await NamesAsync("ps", "-a", "--filter", "exited=5"));
        Assert.Equal(["filter-b"], await NamesAsync("ps", "--filter", "status=exited"));
        Assert.Equal(["filter-a"], await NamesAsync("ps", "-a", "--filter", "name=ter-a"));
        Assert.Equal(["filter-b"], await NamesAsync("ps", "-a", "--filter", "since=filter-a"));
        await platform.RemoveAsync(running, ended);

        async Task<string[]> NamesAsync(params string[] arguments)
            => [.. (await platform.DockerAsync([.. arguments, "--filter", "label=filtered=yes", "--format", "{{.Names}}"])).Lines.Order()];
    }

    [Fact]
    public async Task Inspect_tells_what_was_asked_for()
    {
        var id = await platform.StartContainerAsync(["--name", "inspected", "-e", "A=b", "-w", "/tmp", "-m", "256m", "--label", "l=v", "-h", "host"], "sleep", "1000");
        Assert.Equal(
            $"{id} /inspected [sleep 1000] /tmp 268435456 v host true none",
            (await platform.DockerAsync("inspect", "-f", "{{.Id}} {{.Name}} {{.Config.Cmd}} {{.Config.WorkingDir}} {{.HostConfig.Memory}} {{.Config.Labels.l}} {{.Config.Hostname}} {{.State.Running}} {{.HostConfig.NetworkMode}}", id)).Text);
        Assert.Contains("A=b", (await platform.DockerAsync("inspect", "-f", "{{.Config.Env}}", id)).Text, StringComparison.Ordinal);
        await platform.RemoveAsync(id);
    }

    [Fact]
    public async Task Wait_gives_the_exit_codes_of_all()
    {
        var three = await platform.StartContainerAsync([], "sh", "-c", "sleep 0.3; exit 3");
        var four = await platform.StartContainerAsync([], "sh", "-c", "exit 4");
        Assert.Equal(["3", "4"], (await platform.DockerAsync("wait", three, four)).Lines);
        await platform.RemoveAsync(three, four);
    }

    [Fact]
    public async Task Events_tell_a_container_s_life()
    {
        var since = DateTimeOffset.UtcNow.AddSeconds(-1).ToUnixTimeSeconds();
        _ = (await platform.ShellAsync("exit 3", "--name", "eventful")).ExitCode;
        await Deadlines.UntilAsync("the removal", async () => (await platform.DockerAsync("ps", "-aqf", "name=^/eventful$")).Text == "");
        var events = (await platform.DockerAsync("events", "--since", $"{since}", "--until", $"{DateTimeOffset.UtcNow.AddSeconds(1).ToUnixTimeSeconds()}",
            "--filter", "container=eventful", "--format", "{{.Action}} {{index .Actor.Attributes \"exitCode\"}}")).Lines.Select(line => line.Trim()).ToArray();
        Assert.Equal("create", events[0]);
        Assert.Contains("start", events);
        Assert.Contains("die 3", events);
        Assert.Equal("destroy", events[^1]);
    }

    private async Task<string> StateAsync(string id) => (await platform.DockerAsync("inspect", "-f", "{{.State.Status}}", id)).Text;

    private async Task LoggedAsync(string id, string line)
    {
        using var logs = platform.StartDocker("logs", "-f", id);
        await logs.ReadUntilAsync(line);
    }
}

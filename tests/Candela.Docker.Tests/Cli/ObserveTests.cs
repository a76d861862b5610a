using Candela.Docker.Tests.Fake;

namespace Candela.Docker.Tests.Cli;

/// <summary>Looking at containers through the stock CLI.</summary>
public sealed class ObserveTests
{
    [Fact]
    public async Task While_the_platform_is_prepared_calls_say_so()
    {
        await using var docker = await DockerServer.StartAsync();
        (docker.Platform.Ready, docker.Platform.Preparing) = (false, "building the guest");
        var result = await docker.RunAsync("ps");
        Assert.Equal(1, result.ExitCode);
        Assert.Contains("candelad is getting ready: building the guest", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task List_filters_and_limits()
    {
        await using var docker = await DockerServer.StartAsync();
        var first = await docker.OutputAsync("run", "-d", "--name", "first", "--label", "a=1", "--network=none", "candela/base", "sleep", "100");
        await docker.RunAsync("run", "--name", "second", "--label", "a=2", "--network=none", "candela/base", "sh", "-c", "exit 3");
        await docker.OutputAsync("create", "--name", "third", "--network=none", "candela/base", "true");
        Assert.Equal("first", await Names());
        Assert.Equal("third second first", await Names("-a"));
        Assert.Equal("third", await Names("-l"));
        Assert.Equal("third second", await Names("-n", "2"));
        Assert.Equal("second", await Names("--filter", "status=exited"));
        Assert.Equal("second", await Names("-a", "--filter", "exited=3"));
        Assert.Equal("", await Names("-a", "--filter", "exited=4"));
        Assert.Equal("first", await Names("-a", "--filter", "label=a=1"));
        Assert.Equal("second first", await Names("-a", "--filter", "label=a"));
        Assert.Equal("third second first", await Names("-a", "--filter", "label=made.by=candela"));
        Assert.Equal("first", await Names("-a", "--filter", "name=^fir"));
        Assert.Equal("first", await Names("-a", "--filter", "id=" + first[..10]));
        Assert.Equal("first", await Names("-a", "--filter", "before=second"));
        Assert.Equal("third", await Names("-a", "--filter", "since=second"));
        Assert.Equal("third second first", await Names("-a", "--filter", "ancestor=candela/base"));
        Assert.Equal("", await Names("-a", "--filter", "ancestor=other"));
        Assert.Equal("third second first", await Names("-a", "--filter", "health=none"));
        Assert.Equal("", await Names("-a", "--filter", "health=healthy"));
        Assert.Equal("", await Names("-a", "--filter", "publish=80"));
        Assert.Equal("", await Names("-a", "--filter", "is-task=true"));
        Assert.Equal("third second first", await Names("-a", "--filter", "network=none"));
        var bad = await docker.RunAsync("ps", "--filter", "colour=red");
        Assert.Contains("invalid filter 'colour'", bad.Error, StringComparison.Ordinal);
        Assert.Matches("first +sleep 100 +Up ", (await docker.OutputAsync("ps", "--no-trunc", "--format", "{{.Names}} {{.Command}} {{.Status}}")).Replace("\"", "", StringComparison.Ordinal));
        Assert.Contains("Exited (3) ", await docker.OutputAsync("ps", "-a", "--format", "{{.Status}}", "--filter", "name=second"), StringComparison.Ordinal);

        async Task<string> Names(params string[] options) =>
            (await docker.OutputAsync(["ps", "--format", "{{.Names}}", .. options])).Replace('\n', ' ');
    }

    [Fact]
    public async Task Log_options_work()
    {
        await using var docker = await DockerServer.StartAsync();
        await docker.RunAsync("run", "--name", "box", "--network=none", "candela/base", "sh", "-c", "echo one; echo two; echo three >&2");
        var all = await docker.RunAsync("logs", "box");
        Assert.Equal(("one\ntwo\n", "three\n"), (all.Output, all.Error));
        Assert.Equal("two", await docker.OutputAsync("logs", "--tail", "2", "box"));
        Assert.Equal("", await docker.OutputAsync("logs", "--tail", "0", "box"));
        Assert.Matches(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z one\n", await docker.OutputAsync("logs", "-t", "box"));
        Assert.Equal("", await docker.OutputAsync("logs", "--since", "2100-01-01T00:00:00Z", "box"));
        Assert.Equal("", await docker.OutputAsync("logs", "--until", "2000-01-01T00:00:00Z", "box"));
        Assert.Equal("one\ntwo", await docker.OutputAsync("logs", "--since", "1h", "box"));
        var absent = await docker.RunAsync("logs", "nobody");
        Assert.Contains("No such container: nobody", absent.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Events_are_replayed_followed_and_filtered()
    {
        await using var docker = await DockerServer.StartAsync();
        await docker.RunAsync("run", "--name", "box", "--network=none", "candela/base", "sh", "-c", "exit 3");
        string[] form = ["--format", "{{.Type}} {{.Action}} {{.Actor.Attributes.name}}"];
        Assert.Equal(
            "container create box\ncontainer start box\ncontainer die box",
            await docker.OutputAsync(["events", "--since", "1h", "--until=-1s", .. form]));
        Assert.Equal("3", await docker.OutputAsync("events", "--since", "1h", "--until=-1s", "--filter", "event=die", "--filter", "container=box", "--format", "{{.Actor.Attributes.exitCode}}"));
        Assert.Equal("", await docker.OutputAsync("events", "--since", "1h", "--until=-1s", "--filter", "type=image"));
        using var following = docker.Start(["events", "--since", "1h", "--filter", "event=destroy", .. form]);
        await docker.OutputAsync("rm", "box");
        Assert.Equal("container destroy box", await following.StandardOutput.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(20)));
        following.Kill();
        await following.WaitForExitAsync();
    }

    [Fact]
    public async Task Statistics_and_processes_are_shown()
    {
        await using var docker = await DockerServer.StartAsync();
        await docker.OutputAsync("run", "-d", "--name", "box", "--network=none", "candela/base", "sleep", "100");
        Assert.Equal(
            "box 50.00% 32MiB / 512MiB 1.5MB / 2.5MB 3",
            await docker.OutputAsync("stats", "--no-stream", "--format", "{{.Name}} {{.CPUPerc}} {{.MemUsage}} {{.BlockIO}} {{.PIDs}}"));
        var top = await docker.OutputAsync("top", "box");
        Assert.Matches("UID +PID +PPID +C +STIME +TTY +TIME +CMD", top);
        Assert.Contains("sleep 100", top, StringComparison.Ordinal);
        Assert.Matches(@"^PID +COMMAND\s*\n1 +sleep", await docker.OutputAsync("top", "box", "-o", "pid,comm"));
        var refused = await docker.RunAsync("top", "box", "--forest");
        Assert.Contains("not supported yet", refused.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Inspect_shows_the_whole_container()
    {
        await using var docker = await DockerServer.StartAsync();
        await docker.OutputAsync(
            "create", "--name", "box", "--network=none", "-e", "A=<b>&'", "-w", "/tmp", "--memory", "64m", "--cpus", "1.5", "--hostname", "h", "--read-only",
            "--tmpfs", "/scratch:size=1m", "--ulimit", "nofile=10:20", "--init", "--restart", "on-failure:3", "--entrypoint", "sh", "--stop-signal", "INT",
            "candela/base", "-c", "true");
        Assert.Equal(
            "created /tmp 67108864 1500000000 h true map[/scratch:size=1m] on-failure 3 [sh] [-c true] sh INT candela [A=<b>&']",
            await docker.OutputAsync("inspect", "-f",
                "{{.State.Status}} {{.Config.WorkingDir}} {{.HostConfig.Memory}} {{.HostConfig.NanoCpus}} {{.Config.Hostname}} {{.HostConfig.ReadonlyRootfs}} {{.HostConfig.Tmpfs}} " +
                "{{.HostConfig.RestartPolicy.Name}} {{.HostConfig.RestartPolicy.MaximumRetryCount}} {{.Config.Entrypoint}} {{.Args}} {{.Path}} {{.Config.StopSignal}} " +
                "{{.GraphDriver.Name}} {{slice .Config.Env 1}}", "box"));
        Assert.Contains("\"A=<b>&'\"", await docker.OutputAsync("inspect", "box"), StringComparison.Ordinal);
        Assert.Equal("0001-01-01T00:00:00Z", await docker.OutputAsync("inspect", "-f", "{{.State.StartedAt}}", "box"));
    }

    [Fact]
    public async Task Engine_tells_what_it_is()
    {
        await using var docker = await DockerServer.StartAsync();
        Assert.Equal("1.50 1.24 linux", await docker.OutputAsync("version", "-f", "{{.Server.APIVersion}} {{.Server.MinAPIVersion}} {{.Server.Os}}"));
        var info = await docker.OutputAsync("info");
        Assert.Contains("Storage Driver: candela", info, StringComparison.Ordinal);
        Assert.Contains("Swarm: inactive", info, StringComparison.Ordinal);
        Assert.Contains("Operating System: Debian GNU/Linux 12 (bookworm)", info, StringComparison.Ordinal);
        var usage = await docker.OutputAsync("system", "df");
        Assert.Matches("Images +1 +0 +1.5MB", usage);
        await docker.OutputAsync("system", "df", "-v");
    }
}

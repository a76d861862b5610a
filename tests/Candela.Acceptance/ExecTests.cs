namespace Candela.Acceptance;

/// <summary>Processes beside the main one, and figures about them all. One container serves all tests.</summary>
public sealed class ExecTests(Platform platform) : IAsyncLifetime
{
    private string _id = "";

    public async ValueTask InitializeAsync() => _id = await platform.StartContainerAsync(["-e", "A=container"], "sleep", "1000");

    public async ValueTask DisposeAsync() => await platform.RemoveAsync(_id);

    [Fact]
    public async Task Streams_and_exit_code_are_the_process_s()
    {
        var result = await platform.DockerWithInputAsync("in\n", "exec", "-i", "-e", "B=b", "-w", "/tmp", _id, "sh", "-c", "cat; echo $A $B; pwd; echo err >&2; exit 3");
        Assert.Equal(3, result.ExitCode);
        Assert.Equal("in\ncontainer b\n/tmp\n", result.Output);
        Assert.Equal("err\n", result.Error);
    }

    [Fact]
    public async Task User_and_privileges_are_those_asked_for()
    {
        Assert.Equal("65534", (await platform.DockerAsync("exec", "-u", "nobody", _id, "id", "-u")).Text);
        Assert.NotEqual(
            (await platform.DockerAsync("exec", _id, "grep", "CapEff", "/proc/self/status")).Text,
            (await platform.DockerAsync("exec", "--privileged", _id, "grep", "CapEff", "/proc/self/status")).Text);
    }

    [Fact]
    public async Task Absent_command_is_127_and_the_container_goes_on()
    {
        Assert.Equal(127, (await platform.DockerAsync("exec", _id, "no-such-program")).ExitCode);
        Assert.Equal(126, (await platform.DockerAsync("exec", _id, "/etc/passwd")).ExitCode);
        Assert.Equal("true", (await platform.DockerAsync("inspect", "-f", "{{.State.Running}}", _id)).Text);
    }

    [Fact]
    public async Task Detached_process_goes_on()
    {
        Assert.Equal("", (await platform.DockerAsync("exec", "-d", _id, "sh", "-c", "echo there > /tmp/detached")).Text);
        await Deadlines.UntilAsync("the detached process's file", async () => (await platform.DockerAsync("exec", _id, "cat", "/tmp/detached")).Output == "there\n");
    }

    [Fact]
    public async Task Many_at_once_do_not_disturb_each_other()
    {
        var results = await Task.WhenAll(Enumerable.Range(0, 20).Select(i => platform.DockerAsync("exec", _id, "sh", "-c", $"echo {i}; exit {i}")));
        for (var i = 0; i < results.Length; i++)
        {
            Assert.Equal(i, results[i].ExitCode);
            Assert.Equal($"{i}\n", results[i].Output);
        }
    }

    [Fact]
    public async Task Stopped_container_refuses()
    {
        var id = (await platform.DockerAsync("create", "--network=none", Platform.Image)).Text;
        Assert.Contains("is not running", (await platform.DockerAsync("exec", id, "true")).Error, StringComparison.Ordinal);
        await platform.RemoveAsync(id);
    }

    [Fact]
    public async Task Top_lists_the_processes()
    {
        var lines = (await platform.DockerAsync("top", _id)).Lines;
        Assert.Contains("PID", lines[0], StringComparison.Ordinal);
        Assert.Contains(lines[1..], line => line.Contains("sleep 1000", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Stats_have_figures_of_the_guest()
    {
        var stats = (await platform.DockerAsync("stats", "--no-stream", "--format", "{{.CPUPerc}} {{.MemUsage}} {{.PIDs}}", _id)).Text;
        Assert.Matches(@"^\d+\.\d+% [\d.]+[KM]iB / [\d.]+[MG]iB [1-9]\d*$", stats);
    }

    [Fact]
    public async Task Files_are_copied_in_and_out()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder.File("a"), "content");
        File.SetUnixFileMode(folder.File("a"), UnixFileMode.UserRead | UnixFileMode.UserExecute);
        Assert.Equal(0, (await platform.DockerAsync("cp", folder.File("a"), _id + ":/tmp/b")).ExitCode);
        Assert.Equal(["content", "500"], (await platform.DockerAsync("exec", _id, "sh", "-c", "cat /tmp/b; echo; stat -c %a /tmp/b")).Lines);
        Assert.Equal(0, (await platform.DockerAsync("cp", _id + ":/tmp/b", folder.File("c"))).ExitCode);
        Assert.Equal("content", File.ReadAllText(folder.File("c")));
        Assert.Contains("no-such", (await platform.DockerAsync("cp", _id + ":/no-such", folder.File("d"))).Error, StringComparison.Ordinal);
    }
}

using System.Globalization;

namespace Candela.Acceptance;

/// <summary>An instance for tests that kill its daemon or fill a disk.</summary>
public sealed class RestartPlatform() : Platform("--scratch-size", "1", "--waiting", "2");

/// <summary>Tests that disturb a whole instance take turns.</summary>
[CollectionDefinition(Name)]
public sealed class RestartCollection
{
    public const string Name = "restarts";
}

/// <summary>The daemon is killed while containers run.</summary>
[Collection(RestartCollection.Name)]
public sealed class RestartTests(RestartPlatform platform)
{
    [Fact]
    public async Task Containers_go_on_and_everything_works_afterwards()
    {
        var shell = (await platform.DockerAsync("run", "-di", "--name", "survivor", "--network=none", Platform.Image, "sh")).Text;
        var ended = await platform.StartContainerAsync([], "sh", "-c", "echo done; exit 7");
        _ = (await platform.DockerAsync("wait", ended)).Text;
        _ = (await platform.DockerAsync("exec", shell, "sh", "-c", "echo kept > /tmp/file")).Text;
        var startedAt = (await platform.DockerAsync("inspect", "-f", "{{.State.StartedAt}}", shell)).Text;

        await platform.RestartDaemonAsync();

        Assert.Equal("running", await StateAsync(shell));
        Assert.Equal(startedAt, (await platform.DockerAsync("inspect", "-f", "{{.State.StartedAt}}", "survivor")).Text);
        Assert.Equal("exited 7", (await platform.DockerAsync("inspect", "-f", "{{.State.Status}} {{.State.ExitCode}}", ended)).Text);
        Assert.Equal("done", (await platform.DockerAsync("logs", ended)).Text);
        Assert.Equal("kept", (await platform.DockerAsync("exec", shell, "cat", "/tmp/file")).Text);
        using var waiting = platform.StartDocker("wait", shell);
        using (var attached = platform.StartDocker("attach", shell))
        {
            await attached.Input.WriteAsync("echo hello\n"u8.ToArray());
            await attached.Input.FlushAsync();
            Assert.Equal("hello", await attached.ReadLineAsync());
            await attached.Input.WriteAsync("exit 11\n"u8.ToArray());
            await attached.Input.FlushAsync();
            Assert.Equal(11, (await attached.EndAsync()).ExitCode);
        }

        Assert.Equal("11", (await waiting.FinishAsync()).Text);
        Assert.Equal("hello", (await platform.DockerAsync("logs", shell)).Text);
        await platform.RemoveAsync(shell, ended);
    }

    [Fact]
    public async Task Health_checks_go_on()
    {
        var id = await platform.StartContainerAsync(["--health-cmd", "cat /state", "--health-interval", "500ms", "--health-retries", "1"], "sh", "-c", "echo fine > /state; sleep 1000");
        await HealthBecomesAsync("healthy");

        await platform.RestartDaemonAsync();

        await HealthBecomesAsync("healthy");
        Assert.Equal(0, (await platform.DockerAsync("exec", id, "rm", "/state")).ExitCode);
        await HealthBecomesAsync("unhealthy");
        await platform.RemoveAsync(id);

        Task HealthBecomesAsync(string state) =>
            Deadlines.UntilAsync(state, async () => (await platform.DockerAsync("inspect", "-f", "{{.State.Health.Status}}", id)).Text == state);
    }

    [Fact]
    public async Task Daemon_on_another_state_folder_leaves_the_containers_alone()
    {
        var id = await platform.StartContainerAsync([], "sleep", "1000");
        await platform.KillDaemonAsync();

        var other = await platform.CandelaAsync("up", "--state", platform.StateFolder + ".other", "--run", platform.RunFolder);
        Assert.False(File.Exists(platform.RunFolder + "/candelad.pid"), "the daemon that was refused is still there");
        Directory.Delete(platform.StateFolder + ".other", recursive: true);
        await platform.StartDaemonAsync();
        var running = await platform.CandelaAsync("up", "--state", platform.StateFolder + ".other", "--run", platform.RunFolder);
        Assert.Contains($"runs already at {platform.ApiSocket}, with --state {platform.StateFolder}", running.Error, StringComparison.Ordinal);
        Assert.Equal(1, running.ExitCode);
        Assert.Contains("with --waiting 2", (await platform.CandelaAsync("up", "--run", platform.RunFolder, "--waiting", "3")).Error, StringComparison.Ordinal);
        Assert.Equal(0, (await platform.CandelaAsync("up", "--run", platform.RunFolder, "--waiting", "2")).ExitCode);

        Assert.NotEqual(0, other.ExitCode);
        Assert.Contains($"--state {platform.StateFolder}", other.Error, StringComparison.Ordinal);
        Assert.Equal("running", await StateAsync(id));
        await platform.RemoveAsync(id);
    }

    [Fact]
    public async Task Up_takes_every_option_of_the_daemon()
    {
        using var daemon = new RunningCommand(Path.Combine(Platform.Binaries, "candelad"), ["--help"], new Dictionary<string, string>());
        var help = (await platform.CandelaAsync("up", "--help")).Text;
        var options = (await daemon.FinishAsync()).Lines.Select(line => line.Trim().Split(' ')[0]).Where(word => word.StartsWith("--", StringComparison.Ordinal) && word != "--help,").ToList();
        Assert.InRange(options.Count, 15, 100);
        Assert.All(options, option => Assert.Contains($" {option} ", help, StringComparison.Ordinal));
    }

    [Fact]
    public void State_is_closed_to_other_users() =>
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(platform.StateFolder));

    [Fact]
    public async Task Log_has_no_line_lost_or_doubled()
    {
        var id = await platform.StartContainerAsync([], "sh", "-c", "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); echo $i; done; while [ ! -e /end ]; do i=$((i+1)); echo $i; sleep 0.01; done; echo end");
        for (var kill = 0; kill < 3; kill++)
            await platform.RestartDaemonAsync();
        _ = await platform.DockerAsync("exec", id, "touch", "/end"); // the container may end before touch has
        Assert.Equal("0", (await platform.DockerAsync("wait", id)).Text);
        var lines = (await platform.DockerAsync("logs", id)).Lines;
        Assert.Equal("end", lines[^1]);
        Assert.True(lines.Length > 20000);
        Assert.Equal(Enumerable.Range(1, lines.Length - 1), lines[..^1].Select(line => int.Parse(line, CultureInfo.InvariantCulture)));
        await platform.RemoveAsync(id);
    }

    [Fact]
    public async Task Container_that_ends_while_no_daemon_runs_keeps_its_exit_code_and_output()
    {
        var id = await platform.StartContainerAsync([], "sh", "-c", "echo begun; while [ ! -e /go ]; do sleep 0.05; done; sleep 1; echo ended; exit 23");
        _ = (await platform.DockerAsync("exec", id, "touch", "/go")).Text;
        await platform.KillDaemonAsync();
        await Task.Delay(TimeSpan.FromSeconds(2)); // the container's second passes, unseen by anyone
        await platform.StartDaemonAsync();
        Assert.Equal("23", (await platform.DockerAsync("wait", id)).Text);
        Assert.Equal(["begun", "ended"], (await platform.DockerAsync("logs", id)).Lines);
        await platform.RemoveAsync(id);
    }

    [Fact]
    public async Task Container_whose_vmm_dies_while_no_daemon_runs_is_found_dead()
    {
        var id = await platform.StartContainerAsync([], "sleep", "1000");
        var vmm = await Vmm.OfAsync(platform, id);
        await platform.KillDaemonAsync();
        Platform.Signal(vmm.Pid, 9);
        await platform.StartDaemonAsync();
        Assert.Equal("137", (await platform.DockerAsync("wait", id)).Text);
        Assert.Equal("exited", await StateAsync(id));
        Assert.DoesNotContain(vmm.Folder, platform.Remains.VmmFolders());
        await platform.RemoveAsync(id);
    }

    [Fact]
    public async Task Container_to_be_removed_at_its_end_is_removed_by_the_next_daemon()
    {
        var id = await platform.StartContainerAsync(["--rm"], "sh", "-c", "while [ ! -e /go ]; do sleep 0.05; done; sleep 0.5");
        _ = (await platform.DockerAsync("exec", id, "touch", "/go")).Text;
        await platform.RestartDaemonAsync();
        await Deadlines.UntilAsync("the removal", async () => (await platform.DockerAsync("ps", "-aq", "--filter", "id=" + id)).Text == "");
    }

    [Fact]
    public async Task Restart_policies_hold_after_a_restart()
    {
        var always = await platform.StartContainerAsync(["--restart", "always"], "sh", "-c", "echo run; exec sleep 1000");
        var stopped = await platform.StartContainerAsync(["--restart", "unless-stopped"], "sleep", "1000");
        _ = (await platform.DockerAsync("stop", "-t", "0", stopped)).Text;
        var vmm = await Vmm.OfAsync(platform, always);
        await platform.KillDaemonAsync();
        Platform.Signal(vmm.Pid, 9);
        await platform.StartDaemonAsync();
        await Deadlines.UntilAsync("the restart", async () => await StateAsync(always) == "running");
        await Deadlines.UntilAsync("its output", async () => (await platform.DockerAsync("logs", always)).Lines.Length == 2);
        Assert.Equal("exited", await StateAsync(stopped));
        await platform.RemoveAsync(always, stopped);
    }

    [Fact]
    public async Task Restart_policy_on_failure_counts()
    {
        var id = await platform.StartContainerAsync(["--restart", "on-failure:2"], "sh", "-c", "echo run; exit 3");
        await Deadlines.UntilAsync("the last end", async () => (await platform.DockerAsync("inspect", "-f", "{{.RestartCount}} {{.State.Status}}", id)).Text == "2 exited");
        Assert.Equal("3 ", (await platform.DockerAsync("inspect", "-f", "{{.State.ExitCode}} {{.State.Error}}", id)).Text);
        Assert.Equal(["run", "run", "run"], (await platform.DockerAsync("logs", id)).Lines);
        await platform.RemoveAsync(id);
    }

    [Fact]
    public async Task Daemon_that_ends_in_order_leaves_containers_and_no_waiting_vmm()
    {
        var id = await platform.StartContainerAsync([], "sleep", "1000");
        var vmm = await Vmm.OfAsync(platform, id);
        await platform.StopDaemonAsync();
        Assert.Equal([vmm.Pid], platform.Remains.Processes());
        await platform.StartDaemonAsync();
        Assert.Equal("ok", (await platform.DockerAsync("exec", id, "echo", "ok")).Text);
        await platform.RemoveAsync(id);
    }

    private async Task<string> StateAsync(string id) => (await platform.DockerAsync("inspect", "-f", "{{.State.Status}}", id)).Text;
}

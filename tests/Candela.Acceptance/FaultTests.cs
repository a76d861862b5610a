namespace Candela.Acceptance;

/// <summary>What goes wrong in one container, or with one client, harms nobody else.</summary>
[Collection(RestartCollection.Name)]
public sealed class FaultTests(RestartPlatform platform)
{
    [Fact]
    public async Task Full_disk_is_the_container_s_own()
    {
        var result = await platform.ShellAsync("dd if=/dev/zero of=/fill bs=1M; echo dd $?; rm /fill; echo x > /y && cat /y");
        Assert.Contains("No space left on device", result.Error, StringComparison.Ordinal);
        Assert.Equal(["dd 1", "x"], result.Lines);
        Assert.Equal("fine", (await platform.ShellAsync("echo fine > /z && cat /z")).Text);
    }

    [Fact]
    public async Task Killed_vmm_is_a_killed_container_and_leaves_nothing()
    {
        var id = await platform.StartContainerAsync([], "sh", "-c", "while :; do echo alive; sleep 0.1; done");
        var vmm = await Vmm.OfAsync(platform, id);
        using var attached = platform.StartDocker("attach", "--no-stdin", id);
        using var waiting = platform.StartDocker("wait", id);
        Assert.Equal("alive", await attached.ReadLineAsync());
        Platform.Signal(vmm.Pid, 9);
        Assert.Equal("137", (await waiting.FinishAsync()).Text);
        Assert.Equal("exited 137", (await platform.DockerAsync("inspect", "-f", "{{.State.Status}} {{.State.ExitCode}}", id)).Text);
        Assert.Equal(137, (await attached.FinishAsync()).ExitCode);
        Assert.False(Directory.Exists(vmm.Folder));
        _ = (await platform.DockerAsync("start", id)).Text;
        Assert.Equal("again", (await platform.DockerAsync("exec", id, "echo", "again")).Text);
        await platform.RemoveAsync(id);
    }

    [Fact]
    public async Task Guest_that_panics_is_a_killed_container()
    {
        var id = (await platform.DockerAsync("run", "-d", "--privileged", "--network=none", Platform.Image, "sh", "-c", "echo 1 > /proc/sys/kernel/sysrq; echo c > /proc/sysrq-trigger; sleep 1000")).Text;
        Assert.NotEqual("0", (await platform.DockerAsync("wait", id)).Text);
        await platform.RemoveAsync(id);
    }

    [Fact]
    public async Task Killed_client_does_not_end_its_container()
    {
        using (var command = platform.StartDocker("run", "--name", "orphan", "--network=none", Platform.Image, "sh", "-c", "echo ready; while [ ! -e /go ]; do sleep 0.05; done; echo end; exit 12"))
        {
            Assert.Equal("ready", await command.ReadLineAsync());
            command.Kill();
        }

        Assert.Equal("ok", (await platform.DockerAsync("exec", "orphan", "sh", "-c", "touch /go; echo ok")).Text);
        Assert.Equal("12", (await platform.DockerAsync("wait", "orphan")).Text);
        Assert.Equal(["ready", "end"], (await platform.DockerAsync("logs", "orphan")).Lines);
        await platform.RemoveAsync("orphan");
    }

    [Fact]
    public async Task Guest_that_floods_its_output_does_not_starve_others()
    {
        var flood = await platform.StartContainerAsync([], "sh", "-c", "yes");
        Assert.Equal("fine", (await platform.ShellAsync("echo fine")).Text);
        _ = (await platform.DockerAsync("stop", "-t", "0", flood)).Text;
        await platform.RemoveAsync(flood);
    }

    [Fact]
    public async Task Guest_that_floods_its_console_does_not_fill_the_host()
    {
        var id = (await platform.DockerAsync("run", "-d", "--privileged", "--network=none", Platform.Image, "sh", "-c",
            "mknod /tmp/kmsg c 1 11; i=0; while [ $i -lt 20000 ]; do i=$((i+1)); echo \"<0>flood $i flood flood flood flood flood flood flood flood\"; done > /tmp/kmsg; echo done; exec sleep 1000")).Text;
        using var logs = platform.StartDocker("logs", "-f", id);
        await logs.ReadUntilAsync("done");
        var folder = (await Vmm.OfAsync(platform, id)).Folder;
        Assert.True(new DirectoryInfo(folder).EnumerateFiles().Sum(file => file.Length) < 4 << 20);
        Assert.Equal("ok", (await platform.DockerAsync("exec", id, "echo", "ok")).Text);
        await platform.RemoveAsync(id);
    }

    [Theory]
    [InlineData("no/such:image")]
    [InlineData("UPPER/CASE")]
    [InlineData("sha256:0000000000000000000000000000000000000000000000000000000000000000")]
    public async Task Bad_image_is_125(string image)
        => Assert.Equal(125, (await platform.DockerAsync("run", "--rm", "--pull", "never", "--network=none", image)).ExitCode);

    [Fact]
    public async Task Failed_starts_leave_nothing()
    {
        for (var i = 0; i < 3; i++)
            Assert.Equal(127, (await platform.DockerAsync("run", "--name", "failed", "--rm", "--network=none", Platform.Image, "no-such-program")).ExitCode);
        Assert.Equal("", (await platform.DockerAsync("ps", "-aq", "--filter", "name=failed")).Text);
    }
}

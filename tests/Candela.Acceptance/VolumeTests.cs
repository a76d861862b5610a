namespace Candela.Acceptance;

/// <summary>Volumes through the docker CLI on real micro-VMs.</summary>
public sealed class VolumeTests(Platform platform)
{
    [Fact]
    public async Task Data_outlives_containers_and_their_violent_ends()
    {
        var name = NewName();
        Assert.Equal("", await RunAsync($"{name}:/data", "echo one > /data/a; chown 7:8 /data/a; chmod 640 /data/a"));
        Assert.Equal("one 7:8 640", await RunAsync($"{name}:/other", "echo $(cat /other/a) $(stat -c %u:%g /other/a) $(stat -c %a /other/a)"));

        var id = await platform.StartContainerAsync(["-v", name + ":/data"], "sh", "-c", "echo two > /data/b; echo ready; exec sleep 1000");
        await Deadlines.UntilAsync("its output", async () => (await platform.DockerAsync("logs", id)).Output == "ready\n");
        await platform.RemoveAsync(id);
        Assert.Equal("a b", await RunAsync($"{name}:/data", "cd /data; echo *"));

        Assert.Equal(name, (await platform.DockerAsync("volume", "rm", name)).Text);
    }

    [Fact]
    public async Task An_empty_volume_gets_what_the_image_has_there()
    {
        var name = NewName();
        var image = await platform.ShellAsync("cd /etc; echo *; stat -c %a:%u /etc");
        Assert.Equal(image.Text, await RunAsync($"{name}:/etc/", "cd /etc; echo *; stat -c %a:%u /etc"));
        Assert.Equal("", await RunAsync($"{name}:/etc", "rm /etc/passwd"));
        Assert.Equal("gone", await RunAsync($"{name}:/etc", "[ -e /etc/passwd ] || echo gone"));
        Assert.Equal(name, (await platform.DockerAsync("volume", "rm", name)).Text);

        Assert.Equal("empty", await RunAsync($"{name}:/bin2:nocopy", "[ -z \"$(ls -A /bin2)\" ] && echo empty"));
        Assert.Equal(name, (await platform.DockerAsync("volume", "rm", name)).Text);
    }

    [Fact]
    public async Task A_read_only_volume_cannot_be_written()
    {
        var name = NewName();
        Assert.Equal("", await RunAsync($"{name}:/data", "echo x > /data/a"));
        var result = await platform.ShellAsync("cat /data/a; echo y > /data/a", "-v", $"{name}:/data:ro");
        Assert.Equal(("x\n", 1), (result.Output, result.ExitCode));
        Assert.Contains("Read-only file system", result.Error, StringComparison.Ordinal);
        Assert.Equal(name, (await platform.DockerAsync("volume", "rm", name)).Text);
    }

    [Fact]
    public async Task A_volume_is_attached_to_one_running_container()
    {
        var name = NewName();
        var id = await platform.StartContainerAsync(["-v", name + ":/data"], "sleep", "1000");
        var refused = await platform.ShellAsync("true", "-v", $"{name}:/data");
        Assert.NotEqual(0, refused.ExitCode);
        Assert.Contains("volume is in use by container", refused.Error, StringComparison.Ordinal);
        Assert.Contains("volume is in use", (await platform.DockerAsync("volume", "rm", name)).Error, StringComparison.Ordinal);

        Assert.Equal(id, (await platform.DockerAsync("stop", "-t", "0", id)).Text);
        Assert.Equal("", await RunAsync($"{name}:/data", "echo fine > /data/a"));
        await platform.RemoveAsync(id);
        Assert.Equal(name, (await platform.DockerAsync("volume", "rm", name)).Text);
    }

    [Fact]
    public async Task Anonymous_volumes_go_with_the_container_and_files_of_a_stopped_one_include_its_volumes()
    {
        using var folder = new TemporaryFolder();
        var before = (await platform.DockerAsync("volume", "ls", "-q")).Lines;
        Assert.Equal("rw", (await platform.ShellAsync("echo rw > /data/a; cat /data/a", "-v", "/data")).Text);
        Assert.Equal(before, (await platform.DockerAsync("volume", "ls", "-q")).Lines);

        var id = await platform.StartContainerAsync(["-v", "/data"], "sh", "-c", "echo inside > /data/a");
        Assert.Equal("0", (await platform.DockerAsync("wait", id)).Text);
        Assert.Equal("", (await platform.DockerAsync("cp", id + ":/data/a", folder.File("a"))).Text);
        Assert.Equal("inside\n", File.ReadAllText(folder.File("a")));
        Assert.Equal("inside", (await platform.ShellAsync("cat /data/a", "--volumes-from", id)).Text);
        Assert.Equal(id, (await platform.DockerAsync("rm", "-v", id)).Text);
        Assert.Equal(before, (await platform.DockerAsync("volume", "ls", "-q")).Lines);
    }

    private static string NewName() => "v-" + Path.GetRandomFileName();

    private async Task<string> RunAsync(string volume, string script) => (await platform.ShellAsync(script, "-v", volume)).Text;
}

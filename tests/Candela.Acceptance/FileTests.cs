namespace Candela.Acceptance;

/// <summary>Files of containers that run, have run, and never ran.</summary>
public sealed class FileTests(Platform platform)
{
    [Fact]
    public async Task A_stopped_container_gives_and_takes_files()
    {
        using var folder = new TemporaryFolder();
        var id = await platform.StartContainerAsync([], "sh", "-c", "mkdir -p /data/sub; echo first > /data/sub/a; chown 12:34 /data/sub/a; chmod 4751 /data/sub/a; ln -s /etc/passwd /data/link");
        Assert.Equal("0", (await platform.DockerAsync("wait", id)).Text);

        Assert.Equal(0, (await platform.DockerAsync("cp", id + ":/data", folder.File("out"))).ExitCode);
        Assert.Equal("first\n", File.ReadAllText(folder.File("out/sub/a")));
        Assert.Equal("/etc/passwd", File.ResolveLinkTarget(folder.File("out/link"), false)!.FullName);

        File.WriteAllText(folder.File("in"), "from outside");
        Assert.Equal("", (await platform.DockerAsync("cp", folder.File("in"), id + ":/data/in")).Text);
        var back = (await platform.DockerAsync("cp", id + ":/data/in", "-")).Text;
        Assert.Contains("from outside", back, StringComparison.Ordinal);
        Assert.Contains("no-such", (await platform.DockerAsync("cp", id + ":/no-such", "-")).Error, StringComparison.Ordinal);

        // What was copied in is there when it starts again.
        await platform.RemoveAsync(id);
        id = (await platform.DockerAsync("create", "--network=none", Platform.Image, "cat", "/srv/in")).Text;
        Assert.Equal("", (await platform.DockerAsync("cp", folder.File("in"), id + ":/srv/in")).Text);
        Assert.Equal("from outside", (await platform.DockerAsync("start", "-a", id)).Text);
        await platform.RemoveAsync(id);
    }

    [Fact]
    public async Task Links_lead_nowhere_outside_of_the_container()
    {
        using var folder = new TemporaryFolder();
        var id = await platform.StartContainerAsync([], "sh", "-c", "ln -s / /up; ln -s ../../../../../etc/hostname /name; ln -s /srv /into; mkdir -p /srv");
        Assert.Equal("0", (await platform.DockerAsync("wait", id)).Text);
        File.WriteAllText(folder.File("in"), "inside");

        Assert.Equal("", (await platform.DockerAsync("cp", folder.File("in"), id + ":/into/in")).Text);
        Assert.Equal("", (await platform.DockerAsync("cp", "-L", id + ":/name", folder.File("name"))).Text);
        Assert.Equal("", (await platform.DockerAsync("cp", id + ":/up/srv/in", folder.File("back"))).Text);

        Assert.Equal(id[..12] + "\n", File.ReadAllText(folder.File("name")));
        Assert.Equal("inside", File.ReadAllText(folder.File("back")));
        Assert.False(File.Exists("/srv/in"));
        await platform.RemoveAsync(id);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Changes_and_exports_show_what_a_container_did(bool running)
    {
        using var folder = new TemporaryFolder();
        var id = await platform.StartContainerAsync([], "sh", "-c", $"mkdir /new; echo x > /new/file; rm /bin/ls; echo y >> /etc/passwd; {(running ? "exec sleep 1000" : "true")}");
        if (running)
            await Deadlines.UntilAsync("its changes", async () => (await platform.DockerAsync("exec", id, "grep", "-qx", "y", "/etc/passwd")).ExitCode == 0);
        else
            Assert.Equal("0", (await platform.DockerAsync("wait", id)).Text);

        Assert.Equal(["C /bin", "D /bin/ls", "C /etc", "C /etc/passwd", "A /new", "A /new/file"], (await platform.DockerAsync("diff", id)).Lines);

        Assert.Equal("", (await platform.DockerAsync("export", "-o", folder.File("all.tar"), id)).Text);
        using var list = new RunningCommand("tar", ["-tf", folder.File("all.tar")], new Dictionary<string, string>());
        var names = (await list.FinishAsync()).Lines;
        Assert.Contains("new/file", names);
        Assert.Contains("bin/sh", names);
        Assert.DoesNotContain("bin/ls", names);
        Assert.DoesNotContain(names, name => name.StartsWith("proc/", StringComparison.Ordinal) && name != "proc/" || name.StartsWith('/'));
        await platform.RemoveAsync(id);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_committed_container_is_an_image_with_its_changes(bool running)
    {
        var name = "committed-" + (running ? "running" : "stopped");
        var id = await platform.StartContainerAsync(["-e", "FROM=container"], "sh", "-c", $"rm /bin/ls; mkdir -m 700 /new; echo kept > /new/file; chown 5:6 /new/file; ln /new/file /new/link; touch /done; {(running ? "exec sleep 1000" : "true")}");
        if (running)
            await Deadlines.UntilAsync("its changes", async () => (await platform.DockerAsync("exec", id, "test", "-e", "/done")).ExitCode == 0);
        else
            Assert.Equal("0", (await platform.DockerAsync("wait", id)).Text);

        Assert.StartsWith("sha256:", (await platform.DockerAsync("commit", "-m", "a reason", "-a", "me", "-c", "CMD [\"sh\",\"-c\",\"cat /new/link; stat -c %u:%g:%h /new/file; stat -c %a /new; [ -e /bin/ls ] || echo gone; echo $FROM\"]", id, name)).Text, StringComparison.Ordinal);

        Assert.Equal(["kept", "5:6:2", "700", "gone", "container"], (await platform.DockerAsync("run", "--rm", "--network=none", name)).Lines);
        Assert.Equal("a reason", (await platform.DockerAsync("history", "--format", "{{.Comment}}", name)).Lines[0]);
        Assert.Equal("me", (await platform.DockerAsync("image", "inspect", "-f", "{{.Author}}", name)).Text);
        await platform.RemoveAsync(id);
        Assert.Equal(0, (await platform.DockerAsync("rmi", name)).ExitCode);
    }

    [Fact]
    public async Task An_exported_file_system_is_an_image_again()
    {
        using var folder = new TemporaryFolder();
        var id = await platform.StartContainerAsync([], "sh", "-c", "echo kept > /kept");
        Assert.Equal("0", (await platform.DockerAsync("wait", id)).Text);
        Assert.Equal("", (await platform.DockerAsync("export", "-o", folder.File("all.tar"), id)).Text);
        Assert.StartsWith("sha256:", (await platform.DockerAsync("import", folder.File("all.tar"), "exported")).Text, StringComparison.Ordinal);

        Assert.Equal("kept", (await platform.DockerAsync("run", "--rm", "--network=none", "exported", "/bin/cat", "/kept")).Text);

        await platform.RemoveAsync(id);
        Assert.Equal(0, (await platform.DockerAsync("rmi", "exported")).ExitCode);
    }
}

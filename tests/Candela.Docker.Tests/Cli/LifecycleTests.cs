using Candela.Docker.Tests.Fake;

namespace Candela.Docker.Tests.Cli;

/// <summary>The rest of a container's life, files and images through the stock CLI.</summary>
public sealed class LifecycleTests
{
    [Fact]
    public async Task Pause_restart_rename_kill_wait_and_prune()
    {
        await using var docker = await DockerServer.StartAsync();
        await docker.OutputAsync("run", "-d", "--name", "box", "--network=none", "candela/base", "sleep", "100");
        await docker.OutputAsync("pause", "box");
        Assert.Contains("(Paused)", await docker.OutputAsync("ps", "--format", "{{.Status}}"), StringComparison.Ordinal);
        Assert.Contains("is paused, unpause the container before exec", (await docker.RunAsync("exec", "box", "true")).Error, StringComparison.Ordinal);
        Assert.Contains("cannot start a paused container", (await docker.RunAsync("start", "box")).Error, StringComparison.Ordinal);
        await docker.OutputAsync("unpause", "box");
        Assert.Contains("is not paused", (await docker.RunAsync("unpause", "box")).Error, StringComparison.Ordinal);
        await docker.OutputAsync("restart", "-t", "3", "box");
        await docker.OutputAsync("rename", "box", "crate");
        Assert.Contains("cannot remove container \"/crate\": container is running", (await docker.RunAsync("rm", "crate")).Error, StringComparison.Ordinal);
        using (var waiting = docker.Start("wait", "crate"))
        {
            await docker.OutputAsync("kill", "-s", "TERM", "crate");
            Assert.Equal("143", (await DockerServer.FinishAsync(waiting, null)).Output.TrimEnd());
        }

        Assert.Contains("is not running", (await docker.RunAsync("kill", "crate")).Error, StringComparison.Ordinal);
        Assert.Contains("Deleted Containers:", await docker.OutputAsync("container", "prune", "-f"), StringComparison.Ordinal);
        Assert.Equal("", await docker.OutputAsync("ps", "-aq"));
    }

    [Fact]
    public async Task Start_attached_and_stop_of_a_stopped_container_are_fine()
    {
        await using var docker = await DockerServer.StartAsync();
        await docker.OutputAsync("create", "-i", "--name", "box", "--network=none", "candela/base", "sh", "-c", "cat; exit 2");
        var result = await docker.RunWithInputAsync("text", "start", "-ai", "box");
        Assert.Equal(new CliResult(2, "text", ""), result);
        Assert.Equal("box", await docker.OutputAsync("stop", "box"));
    }

    [Fact]
    public async Task Files_are_copied_both_ways()
    {
        await using var docker = await DockerServer.StartAsync();
        await docker.OutputAsync("run", "-d", "--name", "box", "--network=none", "candela/base", "sleep", "100");
        var inside = Directory.CreateDirectory(Path.Combine(docker.Folder, "inside")).FullName;
        var local = Path.Combine(docker.Folder, "local.txt");
        await File.WriteAllTextAsync(local, "hello");
        await docker.OutputAsync("cp", local, $"box:{inside}/");
        Assert.Equal("hello", await File.ReadAllTextAsync(Path.Combine(inside, "local.txt")));
        await docker.OutputAsync("cp", $"box:{inside}/local.txt", Path.Combine(docker.Folder, "back.txt"));
        Assert.Equal("hello", await File.ReadAllTextAsync(Path.Combine(docker.Folder, "back.txt")));
        var absent = await docker.RunAsync("cp", "box:/no/such/file", docker.Folder);
        Assert.Contains("Could not find the file /no/such/file in container box", absent.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Changes_are_listed_and_the_file_system_is_exported()
    {
        await using var docker = await DockerServer.StartAsync();
        await docker.OutputAsync("create", "--name", "box", "--network=none", "candela/base");
        Assert.Equal("C /etc\nA /etc/new\nD /etc/old", await docker.OutputAsync("diff", "box"));
        Assert.Equal("a tar", await docker.OutputAsync("export", "box"));
    }

    [Fact]
    public async Task A_container_becomes_an_image_with_changes()
    {
        await using var docker = await DockerServer.StartAsync();
        await docker.OutputAsync("create", "--name", "box", "--network=none", "candela/base");
        Assert.StartsWith("sha256:", await docker.OutputAsync("commit", "-m", "why", "-a", "who", "-c", "ENV B=3", "-c", "CMD [\"ls\"]", "box", "mine:1"), StringComparison.Ordinal);
        Assert.Equal("[ls] [A=1 B=3]", await docker.OutputAsync("image", "inspect", "-f", "{{.Config.Cmd}} {{.Config.Env}}", "mine:1"));
    }

    [Fact]
    public async Task Images_are_pulled_listed_tagged_loaded_imported_and_removed()
    {
        await using var docker = await DockerServer.StartAsync();
        Assert.Contains("Status: ", await docker.OutputAsync("pull", "example.org/tool:1"), StringComparison.Ordinal);
        var broken = await docker.RunAsync("pull", "example.org/broken:1");
        Assert.Equal(1, broken.ExitCode);
        Assert.Contains("digest mismatch", broken.Error, StringComparison.Ordinal);
        Assert.Contains("pull access denied", (await docker.RunAsync("pull", "missing")).Error, StringComparison.Ordinal);
        await docker.OutputAsync("tag", "example.org/tool:1", "mine:2");
        Assert.Equal("mine:2", await docker.OutputAsync("images", "--format", "{{.Repository}}:{{.Tag}}", "mine"));
        Assert.Equal("example.org/tool:1", await docker.OutputAsync("images", "--format", "{{.Repository}}:{{.Tag}}", "--filter", "reference=example.org/*"));
        Assert.Equal("amd64 [sh]", await docker.OutputAsync("image", "inspect", "-f", "{{.Architecture}} {{.Config.Cmd}}", "example.org/tool:1"));
        Assert.Contains("Untagged: mine:2", await docker.OutputAsync("rmi", "mine:2"), StringComparison.Ordinal);
        Assert.Contains("No such image: nothing:latest", (await docker.RunAsync("rmi", "nothing")).Error, StringComparison.Ordinal);
        var tar = new string('x', 300_000);
        Assert.Equal("Loaded image: loaded:latest", (await docker.RunWithInputAsync(tar, "load")).Output.TrimEnd());
        Assert.Equal(tar.Length, docker.Images.LastLoadedBytes);
        Assert.StartsWith("sha256:", (await docker.RunWithInputAsync(tar, "import", "-c", "CMD [\"a\",\"b\"]", "-c", "ENV X=y", "-", "imported:1")).Output, StringComparison.Ordinal);
        Assert.Equal("[a b] [X=y]", await docker.OutputAsync("image", "inspect", "-f", "{{.Config.Cmd}} {{.Config.Env}}", "imported:1"));
        await docker.OutputAsync("history", "candela/base");
        Assert.Contains("Total reclaimed space: 4.096kB", await docker.OutputAsync("image", "prune", "-f"), StringComparison.Ordinal);
        Assert.Contains("Total reclaimed space: 4.096kB", await docker.OutputAsync("system", "prune", "-f"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("run -v /a:/b candela/base true", "bind mounts of host folders (-v /a:/b; named volumes and docker cp are) are not supported yet")]
    [InlineData("run --network host candela/base true", "--network host")]
    [InlineData("run --network container:box candela/base true", "shares no network stack")]
    [InlineData("run --pid host candela/base true", "--pid=host")]
    [InlineData("run --ipc host candela/base true", "--ipc=host")]
    [InlineData("run --device /dev/null candela/base true", "host devices (--device) are not supported yet")]
    [InlineData("run --gpus all candela/base true", "--gpus")]
    [InlineData("run --log-driver syslog candela/base true", "error looking up logging plugin syslog")]
    [InlineData("run --log-opt nonsense=1m candela/base true", "unknown log opt 'nonsense'")]
    [InlineData("run --security-opt seccomp=unknown.json candela/base true", "seccomp")]
    [InlineData("run --storage-opt size=1G candela/base true", "--storage-opt")]
    [InlineData("run --ip 10.0.0.1 candela/base true", "user defined networks only")]
    [InlineData("run --oom-kill-disable --memory 64m candela/base true", "--oom-kill-disable")]
    [InlineData("run --mount type=bind,src=/tmp,dst=/x candela/base true", "mounts of type bind")]
    [InlineData("run --runtime runc candela/base true", "unknown or invalid runtime name: runc")]
    [InlineData("network create --driver overlay x", "plugin \"overlay\" not found")]
    [InlineData("network create --opt a=b x", "the network option a")]
    [InlineData("network create --scope swarm x", "the scope swarm")]
    [InlineData("network create --ipv4=false x", "a network without IPv4")]
    [InlineData("network create --config-from y x", "--config-from")]
    [InlineData("network create --subnet 10.1.0.0/24 --aux-address a=10.1.0.9 x", "auxiliary addresses")]
    [InlineData("network create --ipv6 --subnet fd00::/64 --ip-range fd00::/80 x", "a range of IPv6 addresses")]
    [InlineData("network connect host box", "cannot be connected to host")]
    [InlineData("network connect --driver-opt a=b bridge box", "the option a of a connection")]
    [InlineData("save --platform linux/arm64 candela/base", "only linux/amd64")]
    [InlineData("save none", "No such image: none:latest")]
    [InlineData("search x", "docker search is not supported by Candela")]
    [InlineData("swarm init", "swarm mode is not supported yet")]
    [InlineData("node ls", "This node is not a swarm manager")]
    [InlineData("service ls", "This node is not a swarm manager")]
    [InlineData("secret ls", "This node is not a swarm manager")]
    public async Task What_is_not_there_yet_is_refused_in_clear_words(string command, string text)
    {
        await using var docker = await DockerServer.StartAsync();
        var result = await docker.RunAsync(command.Split(' '));
        Assert.NotEqual(0, result.ExitCode);
        Assert.Contains(text, result.Error, StringComparison.Ordinal);
        Assert.Equal("", await docker.OutputAsync("ps", "-aq"));
    }

    [Fact]
    public async Task Networks_are_made_shown_and_removed()
    {
        await using var docker = await DockerServer.StartAsync();
        var id = await docker.OutputAsync("network", "create", "--internal", "--subnet", "10.9.0.0/24", "--gateway", "10.9.0.254", "--label", "a=b", "net");
        Assert.Equal("net 10.9.0.0/24 10.9.0.254 true b", await docker.OutputAsync(
            "network", "inspect", "-f", "{{.Name}} {{(index .IPAM.Config 0).Subnet}} {{(index .IPAM.Config 0).Gateway}} {{.Internal}} {{.Labels.a}}", id));
        Assert.Equal("net", await docker.OutputAsync("network", "ls", "--filter", "label=a=b", "--format", "{{.Name}}"));
        Assert.Contains("already exists", (await docker.RunAsync("network", "create", "net")).Error, StringComparison.Ordinal);

        var container = await docker.OutputAsync("create", "-p", "127.0.0.1:8080:80", "-p", "53/udp", "-p", "9000-9010:90", "--network", "net", "--network-alias", "web", "candela/base", "true");
        Assert.Equal("9000-9010", await docker.OutputAsync("inspect", "-f", "{{(index (index .HostConfig.PortBindings \"90/tcp\") 0).HostPort}}", container));
        Assert.Equal("net 127.0.0.1 8080", await docker.OutputAsync(
            "inspect", "-f", "{{.HostConfig.NetworkMode}} {{with index .HostConfig.PortBindings \"80/tcp\"}}{{(index . 0).HostIp}} {{(index . 0).HostPort}}{{end}}", container));

        await docker.OutputAsync("network", "connect", "--ip", "10.9.0.7", "--alias", "other", "bridge", container);
        Assert.Equal("10.9.0.7 other", await docker.OutputAsync("inspect", "-f", "{{with .NetworkSettings.Networks.bridge}}{{.IPAMConfig.IPv4Address}} {{index .Aliases 0}}{{end}}", container));
        await docker.OutputAsync("network", "disconnect", "bridge", container);
        Assert.Equal("net", await docker.OutputAsync("network", "rm", "net"));
        Assert.Contains("not found", (await docker.RunAsync("network", "rm", "net")).Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Network_and_volume_lists_work()
    {
        await using var docker = await DockerServer.StartAsync();
        Assert.Equal("bridge bridge local\nnone null local", await docker.OutputAsync("network", "ls", "--format", "{{.Name}} {{.Driver}} {{.Scope}}"));
        Assert.Equal("none", await docker.OutputAsync("network", "inspect", "-f", "{{.Name}}", "none"));
        Assert.Equal("", await docker.OutputAsync("volume", "ls", "-q"));
        Assert.Equal("", await docker.OutputAsync("plugin", "ls", "-q"));
        Assert.Contains("No such container", (await docker.RunAsync("start", "nobody")).Error, StringComparison.Ordinal);
    }
}

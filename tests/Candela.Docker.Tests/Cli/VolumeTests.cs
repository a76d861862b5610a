using Candela.Docker.Tests.Fake;

namespace Candela.Docker.Tests.Cli;

/// <summary>docker volume, and volumes of containers, as the CLI shows them.</summary>
public sealed class VolumeTests
{
    [Fact]
    public async Task Volumes_are_created_listed_inspected_and_removed()
    {
        await using var docker = await DockerServer.StartAsync();
        Assert.Equal("data", await docker.OutputAsync("volume", "create", "--label", "a=b", "--opt", "size=1g", "data"));
        Assert.Equal("used", await docker.OutputAsync("volume", "create", "used"));
        var anonymous = await docker.OutputAsync("volume", "create");

        Assert.Equal([anonymous, "data", "used"], (await docker.OutputAsync("volume", "ls", "-q")).Split('\n').Order(StringComparer.Ordinal));
        Assert.Equal("data", await docker.OutputAsync("volume", "ls", "-q", "--filter", "label=a=b"));
        Assert.Equal("used", await docker.OutputAsync("volume", "ls", "-q", "--filter", "dangling=false"));
        Assert.Equal("local b 1g", await docker.OutputAsync("volume", "inspect", "-f", "{{.Driver}} {{.Labels.a}} {{.Options.size}}", "data"));
        Assert.Contains("no such volume", (await docker.RunAsync("volume", "inspect", "none")).Error, StringComparison.Ordinal);
        Assert.Contains("volume is in use", (await docker.RunAsync("volume", "rm", "used")).Error, StringComparison.Ordinal);
        Assert.Contains(anonymous, await docker.OutputAsync("volume", "prune", "-f"), StringComparison.Ordinal);
        Assert.Equal("data", await docker.OutputAsync("volume", "rm", "data"));
        Assert.Equal(0, (await docker.RunAsync("volume", "rm", "-f", "data")).ExitCode);
        Assert.Contains("plugin \"nfs\" not found", (await docker.RunAsync("volume", "create", "-d", "nfs", "x")).Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_container_s_volumes_are_shown_as_they_were_asked_for()
    {
        await using var docker = await DockerServer.StartAsync();
        await docker.OutputAsync("create", "--name", "box", "--network=none", "-v", "data:/data", "-v", "more:/more:ro", "-v", "/anonymous", "--mount", "type=volume,src=third,dst=/third,readonly", "candela/base");

        // The client sends them in any order.
        Assert.Equal(["data:/data", "more:/more:ro"], (await docker.OutputAsync("inspect", "-f", "{{join .HostConfig.Binds \"\\n\"}}", "box")).Split('\n').Order(StringComparer.Ordinal));
        Assert.Equal("third /third true", await docker.OutputAsync("inspect", "-f", "{{range .HostConfig.Mounts}}{{.Source}} {{.Target}} {{.ReadOnly}}{{end}}", "box"));
        Assert.Equal("map[/anonymous:{}]", await docker.OutputAsync("inspect", "-f", "{{.Config.Volumes}}", "box"));
    }
}

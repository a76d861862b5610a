using System.Security.Cryptography;
using Candela.Docker.Tests.Fake;

namespace Candela.Docker.Tests.Cli;

/// <summary>docker run by the stock CLI.</summary>
public sealed class RunTests
{
    [Fact]
    public async Task Output_and_exit_code_arrive_and_the_container_is_removed()
    {
        await using var docker = await DockerServer.StartAsync();
        var result = await docker.RunAsync("run", "--rm", "--network", "none", "candela/base", "sh", "-c", "echo out; echo err >&2; exit 7");
        Assert.Equal(new CliResult(7, "out\n", "err\n"), result);
        Assert.Equal("", await docker.OutputAsync("ps", "-aq"));
    }

    [Fact]
    public async Task Container_without_a_network_says_so()
    {
        await using var docker = await DockerServer.StartAsync();
        var result = await docker.RunAsync("run", "--rm", "candela/base", "true");
        Assert.Equal(0, result.ExitCode);
        Assert.Contains("WARNING: the container has loopback only", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Standard_input_is_carried_and_its_end_reaches_the_process()
    {
        await using var docker = await DockerServer.StartAsync();
        var result = await docker.RunWithInputAsync("b\na\n", "run", "--rm", "-i", "--network=none", "candela/base", "sh", "-c", "sort; sleep 0.2; echo done");
        Assert.Equal(new CliResult(0, "a\nb\ndone\n", ""), result);
    }

    [Fact]
    public async Task Hundred_mebibytes_through_cat_arrive_intact()
    {
        await using var docker = await DockerServer.StartAsync();
        using var process = docker.Start("run", "--rm", "-i", "--network=none", "candela/base", "cat");
        using var sent = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var receiving = SHA256.HashDataAsync(process.StandardOutput.BaseStream).AsTask();
        var random = new Random(42);
        var block = new byte[1024 * 1024];
        for (var i = 0; i < 100; i++)
        {
            random.NextBytes(block);
            sent.AppendData(block);
            await process.StandardInput.BaseStream.WriteAsync(block);
        }

        process.StandardInput.Close();
        Assert.Equal(sent.GetHashAndReset(), await receiving.WaitAsync(TimeSpan.FromSeconds(60)));
        await process.WaitForExitAsync();
        Assert.Equal(0, process.ExitCode);
    }

    [Theory]
    [InlineData("no-such-program", 127, "executable file not found in $PATH")]
    [InlineData("/no/such/program", 127, "no such file or directory")]
    [InlineData("/etc/passwd", 126, "permission denied")]
    public async Task Failed_start_gives_docker_exit_code(string program, int exitCode, string text)
    {
        await using var docker = await DockerServer.StartAsync();
        foreach (var rm in (string[][])[[], ["--rm"]])
        {
            var result = await docker.RunAsync(["run", .. rm, "--network=none", "candela/base", program]);
            Assert.Equal(exitCode, result.ExitCode);
            Assert.Contains("failed to create task for container", result.Error, StringComparison.Ordinal);
            Assert.Contains(text, result.Error, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Absent_image_is_pulled_and_one_that_is_nowhere_gives_125()
    {
        await using var docker = await DockerServer.StartAsync();
        var pulled = await docker.RunAsync("run", "--rm", "--network=none", "example.org/tool:1", "echo", "hi");
        Assert.Equal((0, "hi\n"), (pulled.ExitCode, pulled.Output));
        Assert.Contains("Unable to find image 'example.org/tool:1' locally", pulled.Error, StringComparison.Ordinal);
        var missing = await docker.RunAsync("run", "--rm", "example.org/missing", "true");
        Assert.Equal(125, missing.ExitCode);
        Assert.Contains("pull access denied", missing.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Detached_container_can_be_listed_inspected_logged_stopped_and_removed()
    {
        await using var docker = await DockerServer.StartAsync();
        var id = await docker.OutputAsync("run", "-d", "--name", "web", "--network=none", "--label", "tier=front", "candela/base", "sh", "-c", "echo hello; exec sleep 100");
        Assert.Matches("^[0-9a-f]{64}$", id);
        Assert.Equal("web candela/base running", await docker.OutputAsync("ps", "--format", "{{.Names}} {{.Image}} {{.State}}"));
        Assert.Equal("/web running true", await docker.OutputAsync("inspect", "-f", "{{.Name}} {{.State.Status}} {{.State.Running}}", "web"));
        using (var following = docker.Start("logs", "-f", "web"))
        {
            Assert.Equal("hello", await following.StandardOutput.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(20)));
            Assert.Equal("web", await docker.OutputAsync("stop", "-t", "5", "web"));
            await following.WaitForExitAsync();
            Assert.Equal(0, following.ExitCode);
        }

        Assert.Equal("exited 143", await docker.OutputAsync("inspect", "-f", "{{.State.Status}} {{.State.ExitCode}}", "web"));
        Assert.Equal("web", await docker.OutputAsync("rm", "web"));
        var gone = await docker.RunAsync("inspect", "--type", "container", "web");
        Assert.Contains("No such container: web", gone.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Taken_name_is_refused_with_its_holder()
    {
        await using var docker = await DockerServer.StartAsync();
        var id = await docker.OutputAsync("create", "--name", "one", "--network=none", "candela/base", "true");
        var result = await docker.RunAsync("run", "--name", "one", "--network=none", "candela/base", "true");
        Assert.Equal(125, result.ExitCode);
        Assert.Contains(
            $"Conflict. The container name \"/one\" is already in use by container \"{id}\". You have to remove (or rename) that container",
            result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Exec_carries_streams_and_exit_code()
    {
        await using var docker = await DockerServer.StartAsync();
        await docker.OutputAsync("run", "-d", "--name", "box", "--network=none", "candela/base", "sleep", "100");
        var piped = await docker.RunWithInputAsync("in\n", "exec", "-i", "-e", "A=b", "-w", "/tmp", "box", "sh", "-c", "cat; echo $A; pwd; echo err >&2; exit 3");
        Assert.Equal(new CliResult(3, "in\nb\n/tmp\n", "err\n"), piped);
        Assert.Equal("", await docker.OutputAsync("exec", "-d", "box", "true"));
        var absent = await docker.RunAsync("exec", "box", "no-such-program");
        Assert.Equal(127, absent.ExitCode);
        Assert.Contains("executable file not found", absent.Output + absent.Error, StringComparison.Ordinal);
        await docker.OutputAsync("kill", "box");
        await docker.OutputAsync("wait", "box");
        var stopped = await docker.RunAsync("exec", "box", "true");
        Assert.Contains("is not running", stopped.Error, StringComparison.Ordinal);
    }
}

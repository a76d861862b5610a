using Candela.Docker.Tests.Fake;

namespace Candela.Docker.Tests.Cli;

/// <summary>Terminals through the stock CLI.</summary>
public sealed class TerminalTests
{
    [Fact]
    public async Task Terminal_has_the_clients_size_from_the_start()
    {
        await using var docker = await DockerServer.StartAsync();
        using var client = docker.StartTerminal((40, 120), "run", "--rm", "-it", "--network=none", "candela/base", "sh", "-c", "stty size; exit 5");
        await client.ExpectAsync("40 120");
        Assert.Equal(5, await client.ExitCodeAsync());
    }

    [Fact]
    public async Task Resize_reaches_the_process()
    {
        await using var docker = await DockerServer.StartAsync();
        using var client = docker.StartTerminal(
            (24, 80), "run", "--rm", "-it", "--network=none", "candela/base",
            "sh", "-c", "trap 'stty size; exit 9' WINCH; stty size; echo ready; while :; do sleep 0.05; done");
        await client.ExpectAsync("ready");
        await client.ResizeUntilAsync(50, 100, "50 10");
        Assert.Equal(9, await client.ExitCodeAsync());
    }

    [Fact]
    public async Task Control_c_interrupts_the_process()
    {
        await using var docker = await DockerServer.StartAsync();
        using var client = docker.StartTerminal((24, 80), "run", "--rm", "-it", "--network=none", "candela/base", "sh", "-c", "echo ready; exec sleep 100");
        await client.ExpectAsync("ready");
        await client.TypeAsync("\u0003");
        Assert.Equal(130, await client.ExitCodeAsync());
    }

    [Fact]
    public async Task Detach_keys_leave_the_container_running_and_attach_comes_back()
    {
        await using var docker = await DockerServer.StartAsync();
        using (var client = docker.StartTerminal((24, 80), "run", "--name", "box", "-it", "--network=none", "candela/base", "sh"))
        {
            await client.TypeAsync("echo fi''rst\n");
            await client.ExpectAsync("first");
            await client.TypeAsync("\u0010\u0011");
            Assert.Equal(0, await client.ExitCodeAsync());
        }

        Assert.Equal("running", await docker.OutputAsync("inspect", "-f", "{{.State.Status}}", "box"));
        using (var client = docker.StartTerminal((24, 80), "attach", "box"))
        {
            await client.TypeAsync("echo sec''ond; exit 4\n");
            await client.ExpectAsync("second");
            Assert.Equal(4, await client.ExitCodeAsync());
        }
    }

    [Fact]
    public async Task Exec_in_a_terminal_has_size_resize_and_exit_code()
    {
        await using var docker = await DockerServer.StartAsync();
        await docker.OutputAsync("run", "-d", "--name", "box", "--network=none", "candela/base", "sleep", "100");
        using var client = docker.StartTerminal((33, 99), "exec", "-it", "box", "sh", "-c", "stty size; trap 'stty size; exit 6' WINCH; echo ready; while :; do sleep 0.05; done");
        await client.ExpectAsync("33 99");
        await client.ExpectAsync("ready");
        await client.ResizeUntilAsync(44, 111, "44 11");
        Assert.Equal(6, await client.ExitCodeAsync());
    }
}

namespace Candela.Acceptance;

/// <summary>Terminals: docker run -it as a user sits before it.</summary>
public sealed class TerminalTests(Platform platform)
{
    private static readonly string[] Shell = ["run", "--rm", "-it", "--network=none", Platform.Image, "sh"];

    [Fact]
    public async Task Terminal_has_the_client_s_size_and_the_exit_code_comes_back()
    {
        using var client = platform.DockerTerminal((40, 120), [.. Shell, "-c", "tty; stty size; exit 5"]);
        await client.ExpectAsync("/dev/pts/");
        await client.ExpectAsync("40 120");
        Assert.Equal(5, await client.ExitCodeAsync());
    }

    [Fact]
    public async Task Resize_reaches_the_process()
    {
        using var client = platform.DockerTerminal((24, 80), [.. Shell, "-c", "trap 'stty size; exit 9' WINCH; echo ready; while :; do sleep 0.05; done"]);
        await client.ExpectAsync("ready");
        await client.ResizeUntilAsync(50, 100, "50 10");
        Assert.Equal(9, await client.ExitCodeAsync());
    }

    [Fact]
    public async Task Control_c_interrupts_the_foreground_job_and_the_shell_goes_on()
    {
        using var client = platform.DockerTerminal((24, 80), ["run", "--rm", "-it", "--network=none", "-e", "PS1=[$?] ", Platform.Image, "sh"]);
        await client.ExpectAsync("[0] ");
        await client.TypeAsync("sh -c 'echo rea''dy; exec sleep 100'\n");
        await client.ExpectAsync("ready");
        await client.TypeAsync("\u0003");
        await client.ExpectAsync("^C");
        await client.ExpectAsync("[130] ");
        await client.TypeAsync("exit 6\n");
        Assert.Equal(6, await client.ExitCodeAsync());
    }

    [Fact]
    public async Task Shell_has_job_control()
    {
        using var client = platform.DockerTerminal((24, 80), Shell);
        await client.TypeAsync("sh -c 'echo rea''dy; exec sleep 100'\n");
        await client.ExpectAsync("ready");
        await client.TypeAsync("\u001a");
        await client.ExpectAsync("Stopped");
        await client.TypeAsync("bg; jobs\n");
        await client.ExpectAsync("Running");
        Assert.DoesNotContain("can't access tty", client.Screen, StringComparison.Ordinal);
        await client.TypeAsync("kill %1; exit 0\n");
        Assert.Equal(0, await client.ExitCodeAsync());
    }

    [Fact]
    public async Task Detach_keys_leave_the_container_and_attach_comes_back()
    {
        using (var client = platform.DockerTerminal((24, 80), "run", "--name", "terminal-box", "-it", "--network=none", Platform.Image, "sh"))
        {
            await client.TypeAsync("echo fi''rst\n");
            await client.ExpectAsync("first");
            await client.TypeAsync("\u0010\u0011");
            Assert.Equal(0, await client.ExitCodeAsync());
        }

        Assert.Equal("running", (await platform.DockerAsync("inspect", "-f", "{{.State.Status}}", "terminal-box")).Text);
        using (var client = platform.DockerTerminal((24, 80), "attach", "terminal-box"))
        {
            await client.TypeAsync("echo sec''ond; exit 4\n");
            await client.ExpectAsync("second");
            Assert.Equal(4, await client.ExitCodeAsync());
        }

        await platform.RemoveAsync("terminal-box");
    }

    [Fact]
    public async Task Exec_has_a_terminal_of_its_own()
    {
        var id = await platform.StartContainerAsync([], "sleep", "1000");
        using (var client = platform.DockerTerminal((33, 99), "exec", "-it", id, "sh", "-c", "stty size; exit 3"))
        {
            await client.ExpectAsync("33 99");
            Assert.Equal(3, await client.ExitCodeAsync());
        }

        await platform.RemoveAsync(id);
    }

    [Fact]
    public async Task Candela_gives_a_terminal_too()
    {
        using var client = platform.CandelaTerminal((31, 97), "run", "--rm", "-it", Platform.Image, "sh");
        await client.TypeAsync("stty size; exit 8\n");
        await client.ExpectAsync("31 97");
        Assert.Equal(8, await client.ExitCodeAsync());
    }

    [Fact]
    public async Task Ten_thousand_lines_come_in_order()
    {
        using var client = platform.DockerTerminal((24, 80), [.. Shell, "-c", "seq 1 10000; exit 2"]);
        Assert.Equal(2, await client.ExitCodeAsync());
        Assert.Equal(Enumerable.Range(1, 10000).Select(i => $"{i}"), client.Screen.Split("\r\n", StringSplitOptions.RemoveEmptyEntries));
    }
}

using System.Security.Cryptography;

namespace Candela.Acceptance;

/// <summary>Standard streams through pipes.</summary>
public sealed class StreamTests(Platform platform)
{
    [Fact]
    public async Task Input_is_piped_to_its_end()
        => Assert.Equal("3\n", (await platform.DockerWithInputAsync("a\nb\nc\n", "run", "-i", "--rm", "--network=none", Platform.Image, "wc", "-l")).Output);

    [Fact]
    public async Task Output_and_error_stay_apart()
    {
        var result = await platform.ShellAsync("echo out; echo err >&2; printf 'no newline'");
        Assert.Equal("out\nno newline", result.Output);
        Assert.Equal("err\n", result.Error);
    }

    [Fact]
    public async Task Without_i_input_is_empty()
        => Assert.Equal("", (await platform.DockerWithInputAsync("unwanted", "run", "--rm", "--network=none", Platform.Image, "cat")).Text);

    [Theory]
    [InlineData("docker")]
    [InlineData("candela")]
    public async Task Sixty_four_megabytes_come_back_intact(string client) => await EchoAsync(client, megabytes: 64);

    [Fact]
    public async Task Output_of_a_process_that_ends_at_once_is_complete()
    {
        var result = await platform.ShellAsync("head -c 3000000 /dev/zero | tr '\\0' x; exit 3");
        Assert.Equal(3, result.ExitCode);
        Assert.Equal(3000000, result.Output.Length);
    }

    [Fact]
    public async Task Reader_that_stops_slows_the_process_down_and_then_gets_everything()
    {
        using var command = platform.StartDocker("run", "--rm", "--network=none", Platform.Image, "sh", "-c", "head -c 20000000 /dev/zero | tr '\\0' x; echo; echo end");
        Assert.Equal('x', command.Output.ReadByte());
        var result = await command.FinishAsync();
        Assert.Equal(20000000 - 1, result.Output.IndexOf('\n', StringComparison.Ordinal));
        Assert.EndsWith("\nend\n", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Process_that_closes_its_input_does_not_hang_the_client()
    {
        var result = await platform.DockerWithInputAsync(new string('x', 1 << 20), "run", "-i", "--rm", "--network=none", Platform.Image, "sh", "-c", "exec <&-; echo done");
        Assert.Equal("done", result.Text);
    }

    [Fact]
    public async Task Attach_joins_a_running_container()
    {
        var id = (await platform.DockerAsync("run", "-di", "--network=none", Platform.Image, "cat")).Text;
        using (var attached = platform.StartDocker("attach", id))
        {
            await attached.Input.WriteAsync("hello\n"u8.ToArray());
            await attached.Input.FlushAsync();
            Assert.Equal("hello", await attached.ReadLineAsync());
        }

        Assert.Equal("hello", (await platform.DockerAsync("logs", id)).Text);
        await platform.RemoveAsync(id);
    }

    [Fact]
    public async Task Start_attaches_and_gives_the_exit_code()
    {
        var id = (await platform.DockerAsync("create", "-i", "--network=none", Platform.Image, "sh", "-c", "read line; echo got $line; exit 9")).Text;
        var result = await platform.DockerWithInputAsync("it\n", "start", "-ai", id);
        Assert.Equal("got it\n", result.Output);
        Assert.Equal(9, result.ExitCode);
        await platform.RemoveAsync(id);
    }

    [Fact]
    public async Task Signals_of_the_client_reach_the_process()
    {
        using var command = platform.StartDocker("run", "--rm", "--network=none", Platform.Image, "sh", "-c", "trap 'echo got it; exit 33' TERM; echo ready; while :; do sleep 0.1; done");
        Assert.Equal("ready", await command.ReadLineAsync());
        Platform.Signal(command.Pid, 15);
        Assert.Equal("got it", await command.ReadLineAsync());
        Assert.Equal(33, (await command.FinishAsync()).ExitCode);
    }

    private async Task EchoAsync(string client, int megabytes)
    {
        string[] arguments = ["run", "-i", "--rm", "--network", "none", Platform.Image, "cat"];
        using var command = client == "docker" ? platform.StartDocker(arguments) : platform.StartCandela(arguments);
        var block = RandomNumberGenerator.GetBytes(1 << 20);
        using var sent = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var sending = Task.Run(async () =>
        {
            for (var i = 0; i < megabytes; i++)
            {
                block[i] ^= (byte)(i + 1);
                sent.AppendData(block);
                await command.Input.WriteAsync(block);
            }

            command.CloseInput();
        });
        var received = SHA256.HashDataAsync(command.Output).AsTask();
        await Task.WhenAll(sending, received).WaitAsync(Deadlines.Command * 2);
        Assert.Equal(Convert.ToHexString(sent.GetHashAndReset()), Convert.ToHexString(await received));
    }
}

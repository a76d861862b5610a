using System.Globalization;

namespace Candela.Acceptance;

/// <summary>docker logs.</summary>
public sealed class LogTests(Platform platform)
{
    [Fact]
    public async Task Logs_keep_streams_apart_and_take_the_tail()
    {
        var id = await EndedAsync("for i in 1 2 3; do echo out$i; echo err$i >&2; done; printf unfinished");
        var all = await platform.DockerAsync("logs", id);
        Assert.Equal("out1\nout2\nout3\nunfinished", all.Output);
        Assert.Equal("err1\nerr2\nerr3\n", all.Error);
        Assert.Equal("unfinished", (await platform.DockerAsync("logs", "--tail", "1", id)).Output);
        Assert.Equal("", (await platform.DockerAsync("logs", "--tail", "0", id)).Output);
        await platform.RemoveAsync(id);
    }

    [Fact]
    public async Task Timestamps_are_the_host_s_time_and_since_selects_by_them()
    {
        var begun = DateTimeOffset.UtcNow;
        var id = await EndedAsync("echo first; sleep 1.2; echo second");
        var stamped = (await platform.DockerAsync("logs", "-t", id)).Lines.Select(line => line.Split(' ')).ToArray();
        var times = stamped.Select(parts => DateTimeOffset.Parse(parts[0], CultureInfo.InvariantCulture)).ToArray();
        Assert.InRange(times[0], begun.AddSeconds(-2), DateTimeOffset.UtcNow.AddSeconds(2));
        Assert.True(times[1] > times[0]); // when they were read: a busy host reads the first late
        Assert.Equal("second", (await platform.DockerAsync("logs", "--since", stamped[1][0], id)).Text);
        Assert.Equal("first", (await platform.DockerAsync("logs", "--until", stamped[0][0], id)).Text);
        await platform.RemoveAsync(id);
    }

    [Fact]
    public async Task Follow_shows_what_comes_and_ends_with_the_container()
    {
        var id = (await platform.DockerAsync("run", "-di", "--network=none", Platform.Image, "sh")).Text;
        using var following = platform.StartDocker("logs", "-f", id);
        using (var attached = platform.StartDocker("attach", id))
        {
            await attached.Input.WriteAsync("echo one\n"u8.ToArray());
            await attached.Input.FlushAsync();
            Assert.Equal("one", await following.ReadLineAsync());
            await attached.Input.WriteAsync("echo two; exit 0\n"u8.ToArray());
            await attached.Input.FlushAsync();
            Assert.Equal("two", await following.ReadLineAsync());
            Assert.Equal(0, (await following.EndAsync()).ExitCode);
        }

        await platform.RemoveAsync(id);
    }

    [Fact]
    public async Task Hundred_thousand_lines_are_kept_in_order()
    {
        var id = await EndedAsync("seq 1 100000");
        Assert.Equal(Enumerable.Range(1, 100000).Select(i => $"{i}"), (await platform.DockerAsync("logs", id)).Lines);
        Assert.Equal(["99999", "100000"], (await platform.DockerAsync("logs", "--tail", "2", id)).Lines);
        await platform.RemoveAsync(id);
    }

    [Fact]
    public async Task Terminal_output_is_logged_as_it_came()
    {
        var id = (await platform.DockerAsync("run", "-dt", "--network=none", Platform.Image, "sh", "-c", "echo line; echo error >&2")).Text;
        _ = (await platform.DockerAsync("wait", id)).Text;
        Assert.Equal("line\r\nerror\r\n", (await platform.DockerAsync("logs", id)).Output);
        await platform.RemoveAsync(id);
    }

    private async Task<string> EndedAsync(string script)
    {
        var id = await platform.StartContainerAsync([], "sh", "-c", script);
        _ = (await platform.DockerAsync("wait", id)).Text;
        return id;
    }
}

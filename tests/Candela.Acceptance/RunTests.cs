using System.Globalization;

namespace Candela.Acceptance;

/// <summary>docker run: what reaches the process, and what comes back.</summary>
public sealed class RunTests(Platform platform)
{
    [Theory]
    [InlineData("exit 0", 0)]
    [InlineData("exit 7", 7)]
    [InlineData("exit 255", 255)]
    [InlineData("sh -c 'kill -9 $$'; exit $?", 137)]
    public async Task Exit_code_is_the_process_s(string script, int expected)
        => Assert.Equal(expected, (await platform.ShellAsync(script)).ExitCode);

    [Fact]
    public async Task Absent_command_is_127()
    {
        var result = await platform.DockerAsync("run", "--rm", "--network=none", Platform.Image, "no-such-program");
        Assert.Equal(127, result.ExitCode);
        Assert.Contains("executable file not found in $PATH", result.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/etc/passwd")]
    [InlineData("/etc")]
    public async Task What_cannot_be_executed_is_126(string path)
        => Assert.Equal(126, (await platform.DockerAsync("run", "--rm", "--network=none", Platform.Image, path)).ExitCode);

    [Theory]
    [InlineData("--user", "no-such-user", "unable to find user no-such-user")]
    [InlineData("--user", "root:no-such-group", "unable to find group no-such-group")]
    [InlineData("--memory", "1m", "Minimum memory limit allowed is 6MB")]
    [InlineData("--network", "host", "")]
    public async Task Platform_s_refusals_are_125(string option, string value, string message)
    {
        var result = await platform.DockerAsync("run", "--rm", "--network=none", option, value, Platform.Image, "true");
        Assert.Equal(125, result.ExitCode);
        Assert.Contains(message, result.Error, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task Environment_working_directory_and_host_name_reach_the_process()
    {
        var result = await platform.ShellAsync("echo $A-$B; pwd; hostname; cat /etc/hostname; echo $HOSTNAME; echo $HOME; echo $PATH", "-e", "A=one two", "-e", "B=", "-w", "/var/new/folder", "-h", "box");
        Assert.Equal(["one two-", "/var/new/folder", "box", "box", "box", "/root", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"], result.Lines);
    }

    [Fact]
    public async Task Host_name_is_the_id_unless_given()
    {
        var id = await platform.StartContainerAsync([], "hostname");
        _ = (await platform.DockerAsync("wait", id)).Text;
        Assert.Equal(id[..12], (await platform.DockerAsync("logs", id)).Text);
        await platform.RemoveAsync(id);
    }

    [Theory]
    [InlineData("nobody", "uid=65534(nobody) gid=65534(nogroup)")]
    [InlineData("nobody:users", "uid=65534(nobody) gid=100(users)")]
    [InlineData("1234:5678", "uid=1234 gid=5678")]
    public async Task User_is_taken_by_name_or_number(string user, string expected)
        => Assert.StartsWith(expected, (await platform.ShellAsync("id", "--user", user)).Text, StringComparison.Ordinal);

    [Fact]
    public async Task Entrypoint_is_replaced()
    {
        var result = await platform.DockerAsync("run", "--rm", "--network=none", "--entrypoint", "/bin/echo", Platform.Image, "a  b", "$c");
        Assert.Equal("a  b $c", result.Text);
    }

    [Fact]
    public async Task Container_has_a_kernel_and_process_1_of_its_own()
    {
        var lines = (await platform.ShellAsync("uname -r; cut -d. -f1 /proc/uptime; dmesg 2>/dev/null | grep -c 'Linux version' || true; cat /proc/1/comm; cat /proc/sys/kernel/random/boot_id")).Lines;
        Assert.Contains("cloud", lines[0], StringComparison.Ordinal);
        Assert.NotEqual(File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim(), lines[^1]);
        Assert.NotEqual(File.ReadAllText("/proc/sys/kernel/osrelease").Trim(), lines[0]);
    }

    [Fact]
    public async Task Processes_of_the_container_see_only_themselves()
        => Assert.Equal("1 sh", (await platform.ShellAsync("echo $$ $(cat /proc/$$/comm)")).Text);

    [Fact]
    public async Task Read_only_root_refuses_writes_but_tmpfs_takes_them()
    {
        var result = await platform.ShellAsync("touch /x; echo $?; touch /work/x; echo $?; df -k /work | tail -n 1", "--read-only", "--tmpfs", "/work:size=8m,mode=1777");
        Assert.Contains("Read-only file system", result.Error, StringComparison.Ordinal);
        Assert.Equal(["1", "0"], result.Lines[..2]);
        Assert.Contains(" 8192 ", result.Lines[2], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Ulimit_holds()
        => Assert.Equal(["100", "200"], (await platform.ShellAsync("ulimit -Sn; ulimit -Hn", "--ulimit", "nofile=100:200")).Lines);

    [Fact]
    public async Task Root_file_system_is_writable_and_each_container_s_own()
    {
        Assert.Equal("mine", (await platform.ShellAsync("echo mine > /etc/motd && cat /etc/motd")).Text);
        Assert.Equal(1, (await platform.ShellAsync("cat /etc/motd")).ExitCode);
    }

    [Fact]
    public async Task Memory_of_the_guest_follows_the_limit()
    {
        const string total = "sed -n 's/MemTotal: *\\([0-9]*\\).*/\\1/p' /proc/meminfo";
        var ordinary = long.Parse((await platform.ShellAsync(total)).Text, CultureInfo.InvariantCulture);
        var large = long.Parse((await platform.ShellAsync(total, "--memory", "900m")).Text, CultureInfo.InvariantCulture);
        Assert.InRange(ordinary, 400 * 1024, 512 * 1024);
        Assert.InRange(large, 900 * 1024, 1024 * 1024);
    }

    [Fact]
    public async Task Cpus_of_the_guest_follow_the_limit()
        => Assert.Equal(["2", "2"], (await platform.ShellAsync("nproc; grep -c ^processor /proc/cpuinfo", "--cpus", "2")).Lines);

    [Fact]
    public async Task Memory_limit_kills_the_container_only()
    {
        var id = await platform.StartContainerAsync(["--memory", "64m"], "sh", "-c", "x=a; while :; do x=$x$x; done");
        Assert.NotEqual("0", (await platform.DockerAsync("wait", id)).Text);
        Assert.Equal("true", (await platform.DockerAsync("inspect", "-f", "{{.State.OOMKilled}}", id)).Text);
        await platform.RemoveAsync(id);
    }

    [Fact]
    public async Task Rm_leaves_no_container()
    {
        _ = (await platform.ShellAsync("true", "--name", "short-lived")).Text;
        await Deadlines.UntilAsync("the removal", async () => (await platform.DockerAsync("ps", "-aqf", "name=^/short-lived$")).Text == "");
    }

    [Fact]
    public async Task Fixtures_of_a_container_are_there()
    {
        var lines = (await platform.ShellAsync("""
            cat /etc/hosts | grep -c localhost
            grep -c extra /etc/hosts
            for f in /dev/null /dev/zero /dev/full /dev/random /dev/urandom /dev/tty; do test -c $f || echo no $f; done
            for f in /dev/fd /dev/stdin /dev/stdout /dev/stderr /dev/ptmx; do test -e $f || echo no $f; done
            echo through > /dev/stdout
            stat -f -c %T /proc /sys /dev/shm /dev/pts
            grep -c ' / ' /proc/mounts
            """, "--add-host", "extra:10.0.0.9")).Lines;
        Assert.True(int.Parse(lines[0], CultureInfo.InvariantCulture) >= 1);
        Assert.Equal(["1", "through", "proc", "sysfs", "tmpfs", "devpts", "1"], lines[1..]);
    }

    [Fact]
    public async Task Stages_of_a_start_are_shown()
    {
        var result = await platform.CandelaAsync("run", "--rm", "--timings", Platform.Image, "true");
        Assert.Equal(0, result.ExitCode);
        Assert.Contains("ms", result.Error, StringComparison.Ordinal);
    }

    /// <summary>Ctrl-C at many moments of the beginning: before there is a container, while it is made, and when it runs.</summary>
    [Fact]
    public async Task Interrupted_at_its_beginning_candela_run_leaves_no_container()
    {
        const int SIGINT = 2;
        const int Moments = 25;
        const int StepMilliseconds = 12;
        for (var i = 0; i < Moments; i++)
        {
            using var run = platform.StartCandela(
                "run", "--rm", "--network", "none", "--name", $"early{i}", Platform.Image, "sh", "-c", "trap 'exit 3' INT; while :; do sleep 0.05; done");
            await Task.Delay(i * StepMilliseconds);
            Platform.Signal(run.Pid, SIGINT);
            Assert.Contains((await run.EndAsync()).ExitCode, (int[])[3, 125, 128 + SIGINT]);
        }

        await Deadlines.UntilAsync("the end of all", async () => (await platform.DockerAsync("ps", "-aqf", "name=early")).Text == "");
    }
}

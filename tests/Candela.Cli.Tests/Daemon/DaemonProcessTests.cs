using Candela.Cli.Daemon;
using Candela.Cli.Terminal;

namespace Candela.Cli.Tests.Daemon;

public sealed class DaemonProcessTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("candela-cli-").FullName;

    private string PidFile => Path.Combine(folder, "candelad.pid");

    private string Log => Path.Combine(folder, "log");

    /// <summary>A program called candelad that does what the shell does.</summary>
    private string Shell
    {
        get
        {
            string program = Path.Combine(folder, "candelad");
            File.Copy("/bin/sh", program, overwrite: true);
            return program;
        }
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void A_started_daemon_has_its_own_session_writes_to_the_log_and_ends_on_a_signal()
    {
        using var process = DaemonProcess.Start(Shell, ["-c", "ls -l /proc/self/fd; cut -d' ' -f1,6 /proc/$$/stat; exec sleep 1000"], Log);
        // Fields 1 and 6 of stat: pid and session.
        Assert.True(SpinWait.SpinUntil(() => File.ReadAllText(Log).Contains($"{process.Pid} {process.Pid}", StringComparison.Ordinal), TimeSpan.FromSeconds(10)), File.ReadAllText(Log));
        Assert.False(process.WaitForExit(0));
        process.Signal(Libc.SIGTERM);
        Assert.True(process.WaitForExit(10_000));
        Assert.DoesNotContain("pipe:", File.ReadAllText(Log), StringComparison.Ordinal);
    }

    [Fact]
    public void The_daemon_is_found_by_its_pid_file_and_only_while_it_lives()
    {
        string program = Shell;
        using var process = DaemonProcess.Start(program, ["-c", "read nothing </dev/tty; while :; do sleep 1; done"], Log);
        File.WriteAllText(PidFile, $"{process.Pid}\n");
        using (var found = DaemonProcess.Find(PidFile))
        {
            Assert.Equal(process.Pid, found?.Pid);
            Assert.False(found!.RunsOldProgram(program));
            File.Delete(program);
            Assert.True(found.RunsOldProgram(program));
        }
        process.Signal(Libc.SIGTERM);
        Assert.True(process.WaitForExit(10_000));
        Assert.Null(DaemonProcess.Find(PidFile));
    }

    [Theory]
    [InlineData("")]
    [InlineData("candelad\n")]
    [InlineData("1\n")]
    [InlineData("99999999\n")]
    public void A_pid_file_that_names_no_daemon_finds_none(string content)
    {
        File.WriteAllText(PidFile, content);
        Assert.Null(DaemonProcess.Find(PidFile));
    }

    [Fact]
    public void A_reused_pid_of_another_program_is_not_the_daemon()
    {
        File.WriteAllText(PidFile, $"{Environment.ProcessId}\n");
        Assert.Null(DaemonProcess.Find(PidFile));
        Assert.Null(DaemonProcess.Find(Path.Combine(folder, "absent")));
    }

    [Fact]
    public void A_program_that_cannot_be_started_is_an_error() =>
        Assert.Throws<IOException>(() => DaemonProcess.Start(Path.Combine(folder, "absent"), [], Log));
}

using Candela.Controller.Tests.Fake;
using Candela.Model;
using static Candela.Controller.Tests.Fake.TestCalls;

namespace Candela.Controller.Tests;

public sealed class ExecTests : IAsyncDisposable
{
    private readonly TestHost _host = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task An_exec_runs_and_ends()
    {
        var daemon = await _host.StartDaemonAsync();
        var container = await daemon.RunAsync();
        await using var events = daemon.ReadEvents();
        var exec = await CreateAsync(daemon, container.Id, "ls", "-l");
        await daemon.Containers.StartExecAsync(Alice, exec.Id, true, null, Token);
        Assert.Equal(["PATH=/bin", "A=1", "B=2"], daemon.Machine.LastExec!.Environment);
        exec = await daemon.Containers.GetExecAsync(Alice, exec.Id, Token);
        Assert.Equal((true, 7, null), (exec.Running, exec.Pid, exec.ExitCode));
        await FailsAsync(ErrorCode.Conflict, () => daemon.Containers.StartExecAsync(Alice, exec.Id, true, null, Token));
        daemon.Machine.EndExec(container.Id, exec.Id, 5);
        exec = await daemon.Containers.GetExecAsync(Alice, exec.Id, Token);
        Assert.Equal((false, 5), (exec.Running, exec.ExitCode));
        Assert.Equal(["exec_create: ls -l", "exec_start: ls -l", "exec_die"], await events.UntilAsync("exec_die"));
    }

    [Fact]
    public async Task A_missing_command_gives_127()
    {
        var daemon = await _host.StartDaemonAsync();
        var container = await daemon.RunAsync();
        var exec = await CreateAsync(daemon, container.Id, "missing");
        await FailsAsync(ErrorCode.CommandNotFound, () => daemon.Containers.StartExecAsync(Alice, exec.Id, true, null, Token));
        Assert.Equal(127, (await daemon.Containers.GetExecAsync(Alice, exec.Id, Token)).ExitCode);
    }

    [Fact]
    public async Task Execs_end_with_their_container_and_go_with_it()
    {
        var daemon = await _host.StartDaemonAsync();
        var container = await daemon.RunAsync();
        var exec = await CreateAsync(daemon, container.Id, "sleep");
        await daemon.Containers.StartExecAsync(Alice, exec.Id, true, null, Token);
        daemon.Machine.End(container.Id, 0);
        Assert.Equal(137, (await daemon.Containers.GetExecAsync(Alice, exec.Id, Token)).ExitCode);
        await FailsAsync(ErrorCode.Conflict, () => CreateAsync(daemon, container.Id, "ls"));
        await daemon.RemoveAsync(container.Id);
        await FailsAsync(ErrorCode.NotFound, () => daemon.Containers.GetExecAsync(Alice, exec.Id, Token));
    }

    [Fact]
    public async Task Ended_execs_make_room_after_a_while()
    {
        _host.Adjust = static options => options with { ExecCount = 4 };
        var daemon = await _host.StartDaemonAsync();
        var container = await daemon.RunAsync();
        for (var i = 0; i < 4; i++)
            await CreateAsync(daemon, container.Id, "ls");
        await FailsAsync(ErrorCode.ResourceExhausted, () => CreateAsync(daemon, container.Id, "ls"));
        _host.Time.Advance(TimeSpan.FromMinutes(6));
        await CreateAsync(daemon, container.Id, "ls");
    }

    private static Task<Exec> CreateAsync(TestDaemon daemon, string reference, params string[] arguments) =>
        daemon.Containers.CreateExecAsync(Alice, reference, new ExecSpec { Arguments = arguments, Environment = ["B=2"] }, Token);
}

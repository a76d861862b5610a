using Candela.Controller.Tests.Fake;
using Candela.Model;
using static Candela.Controller.Tests.Fake.TestCalls;

namespace Candela.Controller.Tests;

public sealed class RestartPolicyTests : IAsyncDisposable
{
    private readonly TestHost _host = new();

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task Waits_double_to_a_minute_and_begin_anew_after_ten_seconds_of_running()
    {
        var daemon = await _host.StartDaemonAsync();
        var container = await daemon.RunAsync(With(RestartCondition.Always));
        await using var events = daemon.ReadEvents();
        foreach (var wait in (int[])[100, 200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 51_200, 60_000, 60_000])
            await EndAndRestartAsync(wait);
        _host.Time.Advance(TimeSpan.FromSeconds(10));
        await EndAndRestartAsync(100);
        await EndAndRestartAsync(200);
        Assert.Equal(14, (await daemon.StatusAsync(container.Id)).RestartCount);

        async Task EndAndRestartAsync(int milliseconds)
        {
            daemon.Machine.End(container.Id, 0);
            Assert.Equal(ContainerState.Restarting, (await daemon.StatusAsync(container.Id)).State);
            Assert.Contains(TimeSpan.FromMilliseconds(milliseconds), _host.Time.Pending);
            Assert.Equal(["die"], await events.UntilAsync("die"));
            _host.Time.Advance(TimeSpan.FromMilliseconds(milliseconds));
            Assert.Equal(["start"], await events.UntilAsync("start"));
        }
    }

    [Fact]
    public async Task On_failure_stops_after_its_retries_and_at_success()
    {
        var daemon = await _host.StartDaemonAsync();
        var container = await daemon.RunAsync(With(RestartCondition.OnFailure, 2));
        await RestartAsync(daemon, container.Id, 1);
        await RestartAsync(daemon, container.Id, 1);
        daemon.Machine.End(container.Id, 1);
        var status = await daemon.StatusAsync(container.Id);
        Assert.Equal((ContainerState.Exited, 2), (status.State, status.RestartCount));

        await daemon.StartContainerAsync(container.Id);
        Assert.Equal(0, (await daemon.StatusAsync(container.Id)).RestartCount);
        daemon.Machine.End(container.Id, 0);
        Assert.Equal(ContainerState.Exited, (await daemon.StatusAsync(container.Id)).State);
    }

    [Fact]
    public async Task A_stop_ends_restarts_also_while_one_waits()
    {
        var daemon = await _host.StartDaemonAsync();
        var container = await daemon.RunAsync(With(RestartCondition.Always));
        await daemon.StopAsync(container.Id);
        Assert.Equal(ContainerState.Exited, (await daemon.StatusAsync(container.Id)).State);
        await daemon.StartContainerAsync(container.Id);
        daemon.Machine.End(container.Id, 1);
        await daemon.StopAsync(container.Id);
        Assert.Equal(ContainerState.Exited, (await daemon.StatusAsync(container.Id)).State);
        Assert.DoesNotContain(TimeSpan.FromMilliseconds(100), _host.Time.Pending);
    }

    [Fact]
    public async Task A_signal_that_does_not_ask_to_stop_leaves_the_policy()
    {
        var daemon = await _host.StartDaemonAsync();
        daemon.Machine.Ends = static (_, _) => true;
        var container = await daemon.RunAsync(With(RestartCondition.UnlessStopped));
        await daemon.KillAsync(container.Id, "HUP");
        Assert.Equal(ContainerState.Restarting, (await daemon.StatusAsync(container.Id)).State);
    }

    [Fact]
    public async Task A_wait_ends_with_the_exit_though_a_restart_follows()
    {
        var daemon = await _host.StartDaemonAsync();
        var container = await daemon.RunAsync(With(RestartCondition.Always));
        var waiting = await daemon.WaitAsync(container.Id, WaitCondition.NotRunning);
        daemon.Machine.End(container.Id, 4);
        Assert.Equal(4, (await waiting).ExitCode);
    }

    [Fact]
    public async Task A_restart_that_cannot_be_made_now_is_tried_again()
    {
        var daemon = await _host.StartDaemonAsync();
        var container = await daemon.RunAsync(With(RestartCondition.Always));
        daemon.Machine.Starting = _ => throw new CandelaException(ErrorCode.ResourceExhausted, "no memory");
        await using var events = daemon.ReadEvents();
        daemon.Machine.End(container.Id, 1);
        await events.UntilAsync("die");
        await AdvanceUntilAsync(events.UntilAsync("die"));
        daemon.Machine.Starting = static _ => Task.CompletedTask;
        await AdvanceUntilAsync(events.UntilAsync("start"));
    }

    [Fact]
    public async Task A_restart_that_can_never_succeed_is_given_up()
    {
        var daemon = await _host.StartDaemonAsync();
        var container = await daemon.RunAsync(With(RestartCondition.Always));
        daemon.Machine.Starting = _ => throw new CandelaException(ErrorCode.CommandNotFound, "gone");
        var waiting = await daemon.WaitAsync(container.Id, WaitCondition.NextExit);
        daemon.Machine.End(container.Id, 1);
        await waiting;
        waiting = await daemon.WaitAsync(container.Id, WaitCondition.NextExit);
        _host.Time.Advance(TimeSpan.FromMilliseconds(100));
        Assert.Equal(127, (await waiting).ExitCode);
        Assert.Equal(ContainerState.Exited, (await daemon.StatusAsync(container.Id)).State);
    }

    [Theory]
    [InlineData(RestartCondition.No, false, 1, false)]
    [InlineData(RestartCondition.Always, false, 0, true)]
    [InlineData(RestartCondition.Always, true, 0, true)]
    [InlineData(RestartCondition.UnlessStopped, false, 0, true)]
    [InlineData(RestartCondition.UnlessStopped, true, 0, false)]
    [InlineData(RestartCondition.OnFailure, false, 1, true)]
    [InlineData(RestartCondition.OnFailure, false, 0, false)]
    [InlineData(RestartCondition.OnFailure, true, 0, false)]
    public async Task Policies_hold_over_the_end_of_a_daemon(RestartCondition condition, bool stopped, int exitCode, bool restarts)
    {
        var former = await _host.StartDaemonAsync();
        var container = await former.RunAsync(With(condition));
        if (stopped)
            await former.StopAsync(container.Id);
        former.Kill.KillNow();
        if (!stopped)
            _host.Machine.End(container.Id, former.Machine.Exit(exitCode));
        var daemon = await _host.StartDaemonAsync();
        await using var events = daemon.ReadEvents();
        Assert.Equal(restarts ? ContainerState.Restarting : ContainerState.Exited, (await daemon.StatusAsync(container.Id)).State);
        if (restarts)
        {
            _host.Time.Advance(TimeSpan.FromMilliseconds(100));
            await events.UntilAsync("start");
        }
    }

    [Fact]
    public async Task A_waiting_restart_goes_on_with_the_next_daemon()
    {
        var former = await _host.StartDaemonAsync();
        var container = await former.RunAsync(With(RestartCondition.Always));
        await RestartAsync(former, container.Id, 1);
        former.Machine.End(container.Id, 1);
        await former.DisposeAsync();
        var daemon = await _host.StartDaemonAsync();
        await using var events = daemon.ReadEvents();
        Assert.Contains(TimeSpan.FromMilliseconds(200), _host.Time.Pending);
        _host.Time.Advance(TimeSpan.FromMilliseconds(200));
        await events.UntilAsync("start");
        Assert.Equal(2, (await daemon.StatusAsync(container.Id)).RestartCount);
    }

    private static ContainerSpec With(RestartCondition condition, int retries = 0) =>
        Spec with { RestartPolicy = new RestartPolicy { Condition = condition, MaximumRetryCount = retries } };

    /// <summary>Lets time go by until something has happened: nothing tells when a timer is set.</summary>
    private async Task AdvanceUntilAsync(Task happened)
    {
        while (await Task.WhenAny(happened, Task.Delay(TimeSpan.FromMilliseconds(5))) != happened)
            _host.Time.Advance(TimeSpan.FromMilliseconds(200));
        await happened;
    }

    private async Task RestartAsync(TestDaemon daemon, string id, int exitCode)
    {
        await using var events = daemon.ReadEvents();
        daemon.Machine.End(id, exitCode);
        _host.Time.Advance(TimeSpan.FromMinutes(1));
        await events.UntilAsync("start");
    }
}

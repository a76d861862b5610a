using Candela.Controller.Tests.Fake;
using Candela.Model;
using static Candela.Controller.Tests.Fake.TestCalls;

namespace Candela.Controller.Tests;

public sealed class LifecycleTests : IAsyncDisposable
{
    private readonly TestHost _host = new();

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task Runs_from_creation_to_removal()
    {
        var daemon = await _host.StartDaemonAsync();
        await using var events = daemon.ReadEvents();
        var created = await daemon.CreateAsync(name: "web");
        Assert.Equal(["/entry", "run"], created.Process.Arguments);
        Assert.Equal(ContainerState.Created, created.Status.State);
        var waiting = await daemon.WaitAsync("web", WaitCondition.NextExit);
        await daemon.StartContainerAsync("web");
        Assert.Equal(ContainerState.Running, (await daemon.StatusAsync("web")).State);
        Assert.False(waiting.IsCompleted);
        daemon.Machine.End(created.Id, 3);
        Assert.Equal(new WaitResult(3, ""), await waiting);
        var status = await daemon.StatusAsync(created.Id[..12]);
        Assert.Equal((ContainerState.Exited, 3, 0), (status.State, status.ExitCode, status.Pid));
        await daemon.RemoveAsync("/web");
        Assert.Empty(await daemon.ListAsync());
        Assert.Empty(_host.Machine.Disks);
        Assert.Equal(["create", "start", "die", "destroy"], await events.UntilAsync("destroy"));
        Assert.Empty(await _host.StoredKeysAsync());
    }

    [Fact]
    public async Task An_auto_removed_container_costs_two_commits()
    {
        var daemon = await _host.StartDaemonAsync();
        var before = daemon.Store.Commits;
        var container = await daemon.CreateAsync(Spec with { AutoRemove = true });
        var removed = await daemon.WaitAsync(container.Id, WaitCondition.Removed);
        await daemon.StartContainerAsync(container.Id);
        daemon.Machine.End(container.Id, 0);
        Assert.Equal(0, (await removed).ExitCode);
        Assert.Equal(2, daemon.Store.Commits - before);
        Assert.Empty(await daemon.ListAsync());
    }

    [Fact]
    public async Task An_exit_within_the_start_is_not_lost()
    {
        var daemon = await _host.StartDaemonAsync();
        daemon.Machine.ExitAtStart = daemon.Machine.Exit(7);
        var container = await daemon.CreateAsync();
        var waiting = await daemon.WaitAsync(container.Id, WaitCondition.NextExit);
        await daemon.StartContainerAsync(container.Id);
        Assert.Equal(7, (await waiting).ExitCode);
        Assert.Equal(ContainerState.Exited, (await daemon.StatusAsync(container.Id)).State);
    }

    [Theory]
    [InlineData(ErrorCode.CommandNotFound, 127)]
    [InlineData(ErrorCode.CommandNotExecutable, 126)]
    [InlineData(ErrorCode.InvalidArgument, 128)]
    public async Task A_failed_start_leaves_code_and_cause(ErrorCode code, int exitCode)
    {
        var daemon = await _host.StartDaemonAsync();
        daemon.Machine.Starting = _ => throw new CandelaException(code, "exec: \"x\": it failed");
        var container = await daemon.CreateAsync();
        var waiting = await daemon.WaitAsync(container.Id, WaitCondition.NextExit);
        await FailsAsync(code, () => daemon.StartContainerAsync(container.Id));
        var status = await daemon.StatusAsync(container.Id);
        Assert.Equal((ContainerState.Exited, exitCode), (status.State, status.ExitCode));
        Assert.Equal("failed to create task for container: failed to start the process in the micro-VM: exec: \"x\": it failed: unknown", status.Error);
        Assert.Equal(new WaitResult(exitCode, status.Error), await waiting);
    }

    [Fact]
    public async Task A_failed_start_removes_an_auto_removed_container()
    {
        var daemon = await _host.StartDaemonAsync();
        daemon.Machine.Starting = _ => throw new CandelaException(ErrorCode.CommandNotFound, "no");
        var container = await daemon.CreateAsync(Spec with { AutoRemove = true });
        var removed = await daemon.WaitAsync(container.Id, WaitCondition.Removed);
        await FailsAsync(ErrorCode.CommandNotFound, () => daemon.StartContainerAsync(container.Id));
        Assert.Equal(127, (await removed).ExitCode);
        Assert.Empty(await daemon.ListAsync());
    }

    [Fact]
    public async Task Stop_asks_then_kills()
    {
        var daemon = await _host.StartDaemonAsync();
        daemon.Machine.Ends = static (_, signal) => signal == 9;
        var container = await daemon.RunAsync(Spec with { StopSignal = "SIGINT" });
        await using var events = daemon.ReadEvents();
        var stopping = daemon.StopAsync(container.Id);
        Assert.Equal("kill", (await events.NextAsync()).Action);
        while (!_host.Time.Pending.Contains(TimeSpan.FromSeconds(10)))
            await Task.Yield();
        _host.Time.Advance(TimeSpan.FromSeconds(10));
        await stopping;
        Assert.Equal([(container.Id, 2), (container.Id, 9)], daemon.Machine.Signals);
        Assert.Equal(["kill", "die", "stop"], await events.UntilAsync("stop"));
        Assert.Equal(137, (await daemon.StatusAsync(container.Id)).ExitCode);
        await FailsAsync(ErrorCode.NotModified, () => daemon.StopAsync(container.Id));
    }

    [Fact]
    public async Task Restart_stops_and_starts()
    {
        var daemon = await _host.StartDaemonAsync();
        var container = await daemon.RunAsync(Spec with { AutoRemove = true });
        await using var events = daemon.ReadEvents();
        await daemon.Containers.RestartAsync(Alice, container.Id, null, null, TestContext.Current.CancellationToken);
        Assert.Equal(["kill", "die", "stop", "start", "restart"], await events.UntilAsync("restart"));
        Assert.Equal(ContainerState.Running, (await daemon.StatusAsync(container.Id)).State);
    }

    [Fact]
    public async Task States_refuse_with_dockers_words()
    {
        var daemon = await _host.StartDaemonAsync();
        var container = await daemon.CreateAsync(name: "c1");
        Assert.Equal($"container {container.Id} is not running", (await FailsAsync(ErrorCode.Conflict, () => daemon.KillAsync("c1"))).Message);
        await daemon.StartContainerAsync("c1");
        await FailsAsync(ErrorCode.NotModified, () => daemon.StartContainerAsync("c1"));
        Assert.Equal(
            "cannot remove container \"/c1\": container is running: stop the container before removing or force remove",
            (await FailsAsync(ErrorCode.Conflict, () => daemon.RemoveAsync("c1"))).Message);
        await daemon.Containers.PauseAsync(Alice, "c1", TestContext.Current.CancellationToken);
        await FailsAsync(ErrorCode.Conflict, () => daemon.StartContainerAsync("c1"));
        await FailsAsync(ErrorCode.Conflict, () => daemon.Containers.PauseAsync(Alice, "c1", TestContext.Current.CancellationToken));
        await daemon.Containers.UnpauseAsync(Alice, "c1", TestContext.Current.CancellationToken);
        Assert.Equal("invalid signal: NOPE", (await FailsAsync(ErrorCode.InvalidArgument, () => daemon.KillAsync("c1", "NOPE"))).Message);
        Assert.Equal("No such container: nobody", (await FailsAsync(ErrorCode.NotFound, () => daemon.KillAsync("nobody"))).Message);
    }

    [Fact]
    public async Task Forced_removal_kills_first()
    {
        var daemon = await _host.StartDaemonAsync();
        var container = await daemon.RunAsync(Spec with { AutoRemove = true });
        await using var events = daemon.ReadEvents();
        var removed = await daemon.WaitAsync(container.Id, WaitCondition.Removed);
        await daemon.RemoveAsync(container.Id, force: true);
        Assert.Equal(137, (await removed).ExitCode);
        Assert.Equal(["kill", "die", "destroy"], await events.UntilAsync("destroy"));
        Assert.Empty(await daemon.ListAsync());
    }

    [Fact]
    public async Task A_removal_that_fails_leaves_it_dead_and_can_be_repeated()
    {
        var daemon = await _host.StartDaemonAsync();
        var container = await daemon.CreateAsync();
        daemon.Machine.Removing = static _ => throw new IOException("disk");
        await FailsAsync(ErrorCode.Internal, () => daemon.RemoveAsync(container.Id));
        Assert.Equal(ContainerState.Dead, (await daemon.StatusAsync(container.Id)).State);
        daemon.Machine.Removing = static _ => Task.CompletedTask;
        await daemon.RemoveAsync(container.Id);
        Assert.Empty(await _host.StoredKeysAsync());
    }
}

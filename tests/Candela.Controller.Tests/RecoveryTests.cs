using Candela.Controller.Tests.Fake;
using Candela.Model;
using static Candela.Controller.Tests.Fake.TestCalls;

namespace Candela.Controller.Tests;

public sealed class RecoveryTests : IAsyncDisposable
{
    private readonly TestHost _host = new();

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task A_running_container_is_taken_on()
    {
        var former = await _host.StartDaemonAsync();
        var container = await former.RunAsync(name: "web");
        var daemon = await _host.StartDaemonAsync();
        Assert.Equal(ContainerState.Running, (await daemon.StatusAsync("web")).State);
        var waiting = await daemon.WaitAsync("web", WaitCondition.NotRunning);
        daemon.Machine.End(container.Id, 5);
        Assert.Equal(5, (await waiting).ExitCode);
    }

    [Fact]
    public async Task A_clean_end_keeps_everything()
    {
        var former = await _host.StartDaemonAsync();
        var running = await former.RunAsync(name: "one");
        await former.RunAsync(name: "two");
        await former.Containers.PauseAsync(Alice, "two", TestContext.Current.CancellationToken);
        var before = (await former.ListAsync()).ToDictionary(container => container.Id, container => container.Status.StartedAt);
        await former.DisposeAsync();
        var daemon = await _host.StartDaemonAsync();
        Assert.Equal(before, (await daemon.ListAsync()).ToDictionary(container => container.Id, container => container.Status.StartedAt));
        Assert.Equal(ContainerState.Running, (await daemon.StatusAsync(running.Id)).State);
        Assert.Equal(ContainerState.Paused, (await daemon.StatusAsync("two")).State);
    }

    [Fact]
    public async Task An_exit_that_no_daemon_saw_is_recorded_once()
    {
        var former = await _host.StartDaemonAsync();
        var container = await former.RunAsync();
        var before = former.Store.Commits;
        _host.Time.Advance(TimeSpan.FromSeconds(1)); // what may wait is written
        while (former.Store.Commits == before)
            await Task.Yield();
        former.Kill.KillNow();
        _host.Machine.End(container.Id, former.Machine.Exit(9));
        var daemon = await _host.StartDaemonAsync();
        var status = await daemon.StatusAsync(container.Id);
        Assert.Equal((ContainerState.Exited, 9), (status.State, status.ExitCode));
        daemon = await _host.StartDaemonAsync();
        Assert.Equal((ContainerState.Exited, 9), ((await daemon.StatusAsync(container.Id)).State, (await daemon.StatusAsync(container.Id)).ExitCode));
        await using var events = daemon.ReadEvents(DateTimeOffset.UnixEpoch);
        Assert.Equal(["create", "start", "die"], await events.UntilAsync("die"));
    }

    [Fact]
    public async Task A_machine_that_lost_a_run_makes_it_exited()
    {
        var former = await _host.StartDaemonAsync();
        var container = await former.RunAsync();
        await former.DisposeAsync();
        _host.Machine.Runs.Clear();
        var daemon = await _host.StartDaemonAsync();
        var status = await daemon.StatusAsync(container.Id);
        Assert.Equal((ContainerState.Exited, 137, "its micro-VM was lost while no daemon ran"), (status.State, status.ExitCode, status.Error));
    }

    [Fact]
    public async Task Auto_removal_is_made_up_for()
    {
        var former = await _host.StartDaemonAsync();
        var container = await former.RunAsync(Spec with { AutoRemove = true });
        former.Kill.KillNow();
        _host.Machine.End(container.Id, former.Machine.Exit(0));
        var daemon = await _host.StartDaemonAsync();
        await using var events = daemon.ReadEvents(DateTimeOffset.UnixEpoch);
        await events.UntilAsync("destroy");
        Assert.Empty(await daemon.ListAsync());
        Assert.Empty(_host.Machine.Disks);
    }

    [Fact]
    public async Task Default_tenant_and_project_are_made_once()
    {
        await _host.StartDaemonAsync();
        var daemon = await _host.StartDaemonAsync();
        Assert.Equal(0, daemon.Store.Commits);
        await FailsAsync(ErrorCode.NotFound, () => daemon.Containers.ListAsync(Alice with { Project = "other" }, TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public async Task A_kill_at_any_step_of_a_run_leaves_nothing_half_made(bool autoRemove, bool flushes)
    {
        for (var step = 0; ; step++)
        {
            var daemon = await _host.StartDaemonAsync();
            daemon.Kill.KillAfter(step);
            int? seen = null;
            var scenario = RunAsync(daemon, autoRemove, flushes, code => seen = code);
            var finished = await Task.WhenAny(scenario, daemon.Kill.Killed).WaitAsync(Patience, TestContext.Current.CancellationToken) == scenario;
            if (finished)
                await scenario;
            daemon = await _host.StartDaemonAsync();
            await CheckAsync(daemon);
            if (seen is { } code && await daemon.ListAsync() is [var rest])
                Assert.Equal((ContainerState.Exited, code), (rest.Status.State, rest.Status.ExitCode));
            if (finished)
                break;
            await CleanAsync(daemon);
        }
    }

    [Fact]
    public async Task A_kill_at_any_step_of_a_fork_leaves_all_forks_or_none()
    {
        for (var step = 0; ; step++)
        {
            var daemon = await _host.StartDaemonAsync();
            var source = await daemon.RunAsync(name: "source");
            daemon.Kill.KillAfter(step);
            var scenario = daemon.Containers.ForkAsync(Alice, "source", 3, null, TestContext.Current.CancellationToken);
            var finished = await Task.WhenAny(scenario, daemon.Kill.Killed).WaitAsync(Patience, TestContext.Current.CancellationToken) == scenario;
            daemon = await _host.StartDaemonAsync();
            await CheckAsync(daemon);
            Assert.Equal(ContainerState.Running, (await daemon.StatusAsync(source.Id)).State);
            Assert.Contains((await daemon.ListAsync()).Count, (int[])[1, 4]);
            if (finished)
                break;
            await CleanAsync(daemon);
        }
    }

    private async Task RunAsync(TestDaemon daemon, bool autoRemove, bool flushes, Action<int> saw)
    {
        var container = await daemon.CreateAsync(Spec with { AutoRemove = autoRemove }, "sweep");
        Pass();
        var waiting = await daemon.WaitAsync("sweep", autoRemove ? WaitCondition.Removed : WaitCondition.NextExit);
        await daemon.StartContainerAsync("sweep");
        Pass();
        daemon.Machine.End(container.Id, 3);
        saw((await waiting).ExitCode);
        Pass();
        if (!autoRemove)
            await daemon.RemoveAsync("sweep");

        void Pass()
        {
            if (flushes)
                _host.Time.Advance(TimeSpan.FromSeconds(1));
        }
    }

    private async Task CheckAsync(TestDaemon daemon)
    {
        foreach (var container in await daemon.ListAsync())
        {
            var halfMade = container.ForkedFrom is not null && container.Status.State == ContainerState.Created;
            if (container.Status.State == ContainerState.Removing || halfMade || container.Spec.AutoRemove && container.Status.State == ContainerState.Exited)
                await UntilRemovedAsync(daemon, container.Id);
        }

        var containers = await daemon.ListAsync();
        foreach (var container in containers)
        {
            Assert.Contains(container.Status.State, (ContainerState[])[ContainerState.Created, ContainerState.Running, ContainerState.Exited]);
            var runs = _host.Machine.Runs.TryGetValue(container.Id, out var run) && run.Exit is null;
            Assert.Equal(runs, container.Status.State == ContainerState.Running);
        }

        var ids = containers.Select(container => container.Id).ToHashSet();
        Assert.Subset(ids, _host.Machine.Disks.Keys.ToHashSet());
        Assert.Subset(ids, _host.Machine.Runs.Keys.ToHashSet());
        var expected = containers.SelectMany(container => (string[])[$"/projects/default/containers/{container.Id}", $"/projects/default/names/{container.Name}"]);
        Assert.Equal(expected.Order(StringComparer.Ordinal), await _host.StoredKeysAsync());
    }

    private static async Task UntilRemovedAsync(TestDaemon daemon, string id)
    {
        try
        {
            await await daemon.WaitAsync(id, WaitCondition.Removed);
        }
        catch (CandelaException e) when (e.Code == ErrorCode.NotFound)
        {
            // It is gone already.
        }
    }

    private static async Task CleanAsync(TestDaemon daemon)
    {
        foreach (var container in await daemon.ListAsync())
        {
            try
            {
                await daemon.RemoveAsync(container.Id, force: true);
            }
            catch (CandelaException e) when (e.Code == ErrorCode.NotFound)
            {
                // It was to be removed at its end, and is gone already.
            }
        }
    }
}

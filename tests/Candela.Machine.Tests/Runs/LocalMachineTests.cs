using Candela.Microvisor;
using Candela.Microvisor.Simulated;
using Candela.Model;

namespace Candela.Machine.Tests.Runs;

/// <summary>Containers' lives in simulated micro-VMs, sound and faulty.</summary>
public sealed class LocalMachineTests : IAsyncLifetime
{
    private MachineFixture _fixture = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private LocalMachine Machine => _fixture.Machine;

    public async ValueTask InitializeAsync() => _fixture = await MachineFixture.OpenAsync();

    public ValueTask DisposeAsync() => _fixture.DisposeAsync();

    [Fact]
    public async Task A_container_prints_ends_and_leaves_its_log()
    {
        Container container = MachineFixture.NewContainer("echo", "hello");

        StartedContainer started = await Machine.StartAsync(container, Token);
        ContainerExit exit = await _fixture.ExitAsync(container);

        Assert.True(started.Pid > 0);
        Assert.Equal((0, ""), (exit.Code, exit.Error));
        Assert.Equal("hello\n", await _fixture.LogAsync(container));
        await Machine.RemoveAsync(container.Id, Token);
        _fixture.AssertNothingRuns();
    }

    [Fact]
    public async Task A_guest_that_never_answers_fails_the_start_in_time_and_leaves_nothing()
    {
        _fixture.StartTimeout = TimeSpan.FromSeconds(1);
        await _fixture.RestartAsync([]);
        _fixture.Host.Faults.Guest = _ => GuestBehaviour.Silent;
        Container container = MachineFixture.NewContainer("wait");

        CandelaException failure = await Assert.ThrowsAsync<CandelaException>(() => Machine.StartAsync(container, Token));

        Assert.Equal(ErrorCode.DeadlineExceeded, failure.Code);
        _fixture.AssertNothingRuns();
    }

    [Fact]
    public async Task A_guest_that_babbles_fails_the_start_and_the_next_one_may_succeed()
    {
        _fixture.StartTimeout = TimeSpan.FromSeconds(1);
        await _fixture.RestartAsync([]);
        _fixture.Host.Faults.Guest = _ => GuestBehaviour.Babbling;
        Container container = MachineFixture.NewContainer("wait");

        CandelaException failure = await Assert.ThrowsAsync<CandelaException>(() => Machine.StartAsync(container, Token));
        Assert.Contains(failure.Code, new[] { ErrorCode.DeadlineExceeded, ErrorCode.Unavailable });
        _fixture.AssertNothingRuns();

        _fixture.Host.Faults.Guest = _ => GuestBehaviour.Sound;
        await Machine.StartAsync(container, Token);
        await Machine.KillAsync(container.Id, Token);
        Assert.Equal(137, (await _fixture.ExitAsync(container)).Code);
    }

    [Fact]
    public async Task A_command_that_is_not_there_fails_the_start_and_leaves_nothing()
    {
        CandelaException failure = await Assert.ThrowsAsync<CandelaException>(() => Machine.StartAsync(MachineFixture.NewContainer("frobnicate"), Token));

        Assert.Equal(ErrorCode.CommandNotFound, failure.Code);
        _fixture.AssertNothingRuns();
    }

    [Fact]
    public async Task A_clone_that_fails_fails_the_start_and_leaves_nothing()
    {
        _fixture.Host.Faults.Clone = _ => new CandelaException(ErrorCode.ResourceExhausted, "no memory");

        CandelaException failure = await Assert.ThrowsAsync<CandelaException>(() => Machine.StartAsync(MachineFixture.NewContainer("wait"), Token));

        Assert.Equal(ErrorCode.ResourceExhausted, failure.Code);
        _fixture.AssertNothingRuns();
    }

    [Fact]
    public async Task A_VMM_that_dies_ends_its_container_with_137_and_the_reason()
    {
        Container container = await StartAsync("wait");

        _fixture.Host.Crash(Assert.Single(_fixture.Host.Running).Id, "signal 11");
        ContainerExit exit = await _fixture.ExitAsync(container);

        Assert.Equal(137, exit.Code);
        Assert.Contains("signal 11", exit.Error, StringComparison.Ordinal);
        await Machine.RemoveAsync(container.Id, Token);
        _fixture.AssertNothingRuns();
    }

    [Fact]
    public async Task A_guest_that_breaks_the_protocol_in_mid_run_is_ended_with_137_and_the_reason()
    {
        Container container = MachineFixture.NewContainer("babble");
        await Machine.StartAsync(container, Token);

        ContainerExit exit = await _fixture.ExitAsync(container);

        Assert.Equal(137, exit.Code);
        Assert.Contains("guest agent", exit.Error, StringComparison.Ordinal);
        await Machine.RemoveAsync(container.Id, Token);
        _fixture.AssertNothingRuns();
    }

    [Fact]
    public async Task A_signal_ends_a_container_without_error()
    {
        Container container = await StartAsync("wait");

        await Machine.SignalAsync(container.Id, 15, Token);

        ContainerExit exit = await _fixture.ExitAsync(container);
        Assert.Equal((143, ""), (exit.Code, exit.Error));
        await Machine.RemoveAsync(container.Id, Token);
        _fixture.AssertNothingRuns();
    }

    [Fact]
    public async Task The_next_daemon_adopts_what_runs_and_hears_its_end()
    {
        Container running = await StartAsync("wait"), ended = await StartAsync("wait");
        string doomed = ended.Id[..24];
        Assert.Equal("ready\n", await _fixture.LogAsync(running, follow: true));

        IReadOnlyList<RecoveredContainer> recovered = await _fixture.RestartAsync([running, ended], meanwhile: () => _fixture.Host.Crash(doomed, "signal 9"));

        RecoveredContainer alive = recovered.Single(r => r.Id == running.Id), dead = recovered.Single(r => r.Id == ended.Id);
        Assert.True(alive.Running);
        Assert.False(dead.Running);
        Assert.Equal(137, dead.Exit?.Code);
        await Machine.SignalAsync(running.Id, 15, Token);
        Assert.Equal(143, (await _fixture.ExitAsync(running)).Code);
        Assert.Equal("ready\n", await _fixture.LogAsync(running)); // not twice
    }

    [Fact]
    public async Task The_next_daemon_ends_what_belongs_to_no_container()
    {
        Container container = await StartAsync("wait");

        Assert.Empty(await _fixture.RestartAsync([]));

        Assert.Empty(_fixture.Host.Running);
        Assert.Equal(0, await Machine.GetDiskUsageAsync(container.Id, Token));
    }

    [Fact]
    public async Task A_paused_container_stays_paused_over_a_restart()
    {
        Container container = await StartAsync("wait");
        await Machine.PauseAsync(container.Id, Token);

        RecoveredContainer recovered = Assert.Single(await _fixture.RestartAsync([container]));
        Assert.True(recovered.Paused);
        Assert.Equal(ErrorCode.Conflict, (await Assert.ThrowsAsync<CandelaException>(() => Machine.SignalAsync(container.Id, 15, Token))).Code);
        await Machine.UnpauseAsync(container.Id, Token);
        await Machine.SignalAsync(container.Id, 15, Token);

        Assert.Equal(143, (await _fixture.ExitAsync(container)).Code);
    }

    [Fact]
    public async Task An_exec_that_ends_while_its_container_is_adopted_harms_nobody()
    {
        Container container = await StartAsync("wait");
        await Machine.StartExecAsync(container, "exec", new ProcessConfiguration { Arguments = ["vanish"] }, detach: true, size: null, Token);

        RecoveredContainer recovered = Assert.Single(await _fixture.RestartAsync([container]));

        Assert.True(recovered.Running);
        await Machine.SignalAsync(container.Id, 15, Token);
        Assert.Equal(143, (await _fixture.ExitAsync(container)).Code);
    }

    [Fact]
    public async Task A_guest_learns_the_time_after_each_pause()
    {
        Container container = await StartAsync("wait");
        string vm = container.Id[..24];
        Assert.Null(_fixture.Guest.ClockOf(vm));

        DateTimeOffset before = DateTimeOffset.UtcNow;
        await Machine.PauseAsync(container.Id, Token);
        await Machine.UnpauseAsync(container.Id, Token);
        Assert.InRange(_fixture.Guest.ClockOf(vm)!.Value, before, DateTimeOffset.UtcNow);

        before = DateTimeOffset.UtcNow;
        await Machine.ForkAsync(container.Id, [MachineFixture.NewContainer("wait")], Token);
        Assert.InRange(_fixture.Guest.ClockOf(vm)!.Value, before, DateTimeOffset.UtcNow);
    }

    [Fact]
    public async Task A_fork_runs_on_under_a_name_of_its_own()
    {
        Container source = await StartAsync("wait");
        Container fork = MachineFixture.NewContainer("wait") with { Spec = source.Spec with { Hostname = "forked" } };

        ForkOutcome outcome = await Machine.ForkAsync(source.Id, [fork], Token);

        Assert.Single(outcome.Forks);
        Assert.Equal("forked", _fixture.Guest.HostnameOf(fork.Id[..24]));
        await Machine.SignalAsync(fork.Id, 15, Token);
        Assert.Equal(143, (await _fixture.ExitAsync(fork)).Code);
        await Machine.RemoveAsync(fork.Id, Token);
        MicroVmRecord left = Assert.Single(_fixture.Host.Running);
        Assert.Equal(source.Id[..24], left.Id);
    }

    [Fact]
    public async Task A_fork_that_fails_leaves_only_its_source()
    {
        Container source = await StartAsync("wait");
        Container[] forks = [MachineFixture.NewContainer("wait"), MachineFixture.NewContainer("wait")];
        _fixture.Host.Faults.Clone = spec => spec.Id == forks[1].Id[..24] ? new CandelaException(ErrorCode.ResourceExhausted, "no memory") : null;

        await Assert.ThrowsAsync<CandelaException>(() => Machine.ForkAsync(source.Id, forks, Token));

        Assert.Equal(source.Id[..24], Assert.Single(_fixture.Host.Running).Id);
        Assert.Equal(1, _fixture.Images.Held);
        await Machine.SignalAsync(source.Id, 15, Token);
        Assert.Equal(143, (await _fixture.ExitAsync(source)).Code);
    }

    [Fact]
    public async Task A_hundred_containers_start_and_end_at_once()
    {
        Container[] containers = [.. Enumerable.Range(0, 100).Select(i => MachineFixture.NewContainer("echo", $"{i}"))];

        await Task.WhenAll(containers.Select(c => Machine.StartAsync(c, Token)));
        ContainerExit[] exits = await Task.WhenAll(containers.Select(_fixture.ExitAsync));

        Assert.All(exits, e => Assert.Equal(0, e.Code));
        Assert.Equal(Enumerable.Range(0, 100).Select(i => $"{i}\n"), await Task.WhenAll(containers.Select(c => _fixture.LogAsync(c))));
        await Task.WhenAll(containers.Select(c => Machine.RemoveAsync(c.Id, Token)));
        _fixture.AssertNothingRuns();
    }

    private async Task<Container> StartAsync(params string[] arguments)
    {
        Container container = MachineFixture.NewContainer(arguments);
        await Machine.StartAsync(container, Token);
        return container;
    }
}

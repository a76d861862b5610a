using System.Text;
using Candela.Microvisor.Simulated;
using Candela.Model;
using Candela.Tests.Shared;

namespace Candela.Microvisor.Tests.Simulated;

public sealed class SimulatedMicrovisorTests
{
    private static readonly MicroVmSize Size = new(1, 256L << 20);

    private readonly SimulatedHost _host = new(EchoAsync, TimeProvider.System);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_clone_answers_and_powers_off()
    {
        IMicroVm vm = await Open().CloneAsync(Spec("one"), Token);
        await using Stream agent = await vm.ConnectAgentAsync(Token);

        Assert.Equal("one: hello", await AskAsync(agent, "hello"));
        await agent.WriteAsync("off"u8.ToArray(), Token);

        Assert.Equal(new MicroVmExit(GuestPowerOff: true, "exit code 0"), await vm.Exited.WaitAsync(Token));
        Assert.Empty(_host.Running);
    }

    [Fact]
    public async Task A_new_connection_replaces_the_former_and_meets_the_same_guest()
    {
        IMicroVm vm = await Open().CloneAsync(Spec("one"), Token);
        await using Stream former = await vm.ConnectAgentAsync(Token);
        Assert.Equal("one: a", await AskAsync(former, "a"));

        await using Stream next = await vm.ConnectAgentAsync(Token);

        Assert.Equal(0, await former.ReadAsync(new byte[1], Token));
        await Assert.ThrowsAsync<IOException>(async () => await former.WriteAsync("lost"u8.ToArray(), Token));
        Assert.Equal("one: b", await AskAsync(next, "b"));
    }

    [Fact]
    public async Task A_paused_guest_is_silent_until_it_is_resumed()
    {
        IMicroVm vm = await Open().CloneAsync(Spec("one"), Token);
        await using Stream agent = await vm.ConnectAgentAsync(Token);
        await vm.PauseAsync(Token);

        Task<string> answer = AskAsync(agent, "hello");

        Assert.False(answer.IsCompleted);
        await vm.ResumeAsync(Token);
        Assert.Equal("one: hello", await answer);
    }

    [Fact]
    public async Task Micro_VMs_outlive_the_driver_and_are_adopted_by_the_next()
    {
        SimulatedMicrovisor former = Open();
        IMicroVm kept = await former.CloneAsync(Spec("kept"), Token), orphan = await former.CloneAsync(Spec("orphan"), Token);
        await former.DisposeAsync();
        SimulatedMicrovisor next = Open();

        IMicroVm? adopted = await next.AdoptAsync(kept.Record, Token);
        await next.CleanOrphansAsync(new HashSet<string> { kept.Record.Folder }, Token);

        Assert.NotNull(adopted);
        Assert.Equal(kept.Record, Assert.Single(_host.Running));
        await using Stream agent = await adopted.ConnectAgentAsync(Token);
        Assert.Equal("kept: hello", await AskAsync(agent, "hello"));
        Assert.Null(await next.AdoptAsync(orphan.Record, Token));
        Assert.Null(await next.AdoptAsync(kept.Record with { ProcessStartTicks = 1 }, Token));
        await adopted.KillAsync(Token);
        Assert.Equal("signal 9", (await adopted.Exited).Detail);
        Assert.False(kept.Exited.IsCompleted); // a dead daemon learns nothing
        await Assert.ThrowsAsync<ObjectDisposedException>(() => former.CloneAsync(Spec("late"), Token));
    }

    [Fact]
    public async Task A_fork_knows_its_source_which_stands_still_meanwhile()
    {
        var clock = new ManualTimeProvider();
        var host = new SimulatedHost(EchoAsync, clock) { ForkedGuest = (source, fork, stream, token) => EchoAsync(fork with { Id = $"{fork.Id} of {source.Id}" }, stream, token) };
        await using var microvisor = new SimulatedMicrovisor(host);
        IMicroVm source = await microvisor.CloneAsync(Spec("source"), Token);
        await using Stream agent = await source.ConnectAgentAsync(Token);
        Task<string>? meanwhile = null;

        ForkResult result = await microvisor.ForkAsync(
            source,
            [Spec("left"), Spec("right")],
            _ =>
            {
                clock.Advance(TimeSpan.FromSeconds(2));
                meanwhile = AskAsync(agent, "hello");
                Assert.False(meanwhile.IsCompleted);
                return Task.CompletedTask;
            },
            Token);

        Assert.Equal(TimeSpan.FromSeconds(2), result.SourcePause);
        Assert.Equal("source: hello", await meanwhile!);
        Assert.Equal(["left", "right"], result.Forks.Select(f => f.Record.Id));
        await using Stream left = await result.Forks[0].ConnectAgentAsync(Token);
        Assert.Equal("left of source: hello", await AskAsync(left, "hello"));
    }

    [Fact]
    public async Task A_fork_that_fails_leaves_only_its_source()
    {
        SimulatedMicrovisor microvisor = Open();
        IMicroVm source = await microvisor.CloneAsync(Spec("source"), Token);
        _host.Faults.Clone = spec => spec.Id == "right" ? new CandelaException(ErrorCode.ResourceExhausted, "full") : null;

        await Assert.ThrowsAsync<CandelaException>(() => microvisor.ForkAsync(source, [Spec("left"), Spec("right")], _ => Task.CompletedTask, Token));

        Assert.Equal("source", Assert.Single(_host.Running).Id);
        await using Stream agent = await source.ConnectAgentAsync(Token);
        Assert.Equal("source: hello", await AskAsync(agent, "hello"));
    }

    [Fact]
    public async Task A_parent_is_booted_once_for_all_and_again_after_a_failure()
    {
        int boots = 0;
        _host.Faults.Boot = _ => ++boots == 1 ? new CandelaException(ErrorCode.DeadlineExceeded, "hung") : null;
        SimulatedMicrovisor microvisor = Open();
        await Assert.ThrowsAsync<CandelaException>(() => microvisor.CloneAsync(Spec("one"), Token));

        await Task.WhenAll(Enumerable.Range(0, 8).Select(i => microvisor.CloneAsync(Spec($"clone-{i}"), Token)));

        Assert.Equal(2, boots);
        ParentStatus parent = Assert.Single(Open().ListParents());
        await microvisor.RemoveParentAsync(parent.Key, Token);
        Assert.Empty(microvisor.ListParents());
        Assert.Equal(8, _host.Running.Count);
        Assert.Equal(ErrorCode.NotFound, (await Assert.ThrowsAsync<CandelaException>(() => microvisor.RemoveParentAsync(parent.Key, Token))).Code);
    }

    [Fact]
    public async Task Guests_can_hang_babble_and_die()
    {
        _host.Faults.Guest = spec => Enum.Parse<GuestBehaviour>(spec.Id);
        SimulatedMicrovisor microvisor = Open();
        await using Stream silent = await (await microvisor.CloneAsync(Spec("Silent"), Token)).ConnectAgentAsync(Token);
        await using Stream babbling = await (await microvisor.CloneAsync(Spec("Babbling"), Token)).ConnectAgentAsync(Token);
        IMicroVm sound = await microvisor.CloneAsync(Spec("Sound"), Token);
        await silent.WriteAsync("hello"u8.ToArray(), Token);
        Task<int> nothing = silent.ReadAsync(new byte[1], Token).AsTask();

        Assert.NotEqual("Babbling: hello", await AskAsync(babbling, "hello"));
        Assert.False(nothing.IsCompleted);
        _host.Crash("Sound", "signal 11");
        Assert.Equal(new MicroVmExit(GuestPowerOff: false, "signal 11"), await sound.Exited.WaitAsync(Token));
        _host.Crash("Silent", "signal 11");
        Assert.Equal(0, await nothing);
    }

    [Fact]
    public async Task Clones_take_the_time_that_they_are_told()
    {
        var clock = new ManualTimeProvider();
        var host = new SimulatedHost(EchoAsync, clock) { Faults = { BootTime = TimeSpan.FromSeconds(3), CloneTime = TimeSpan.FromMilliseconds(40) } };
        await using var microvisor = new SimulatedMicrovisor(host);

        Task<IMicroVm> clone = microvisor.CloneAsync(Spec("one"), Token);
        clock.Advance(TimeSpan.FromSeconds(3));
        while (clock.Pending.Count == 0)
            await Task.Yield();
        Assert.False(clone.IsCompleted);
        clock.Advance(TimeSpan.FromMilliseconds(40));

        Assert.Equal(new StageTiming("clone", 3040), Assert.Single((await clone).Stages));
    }

    [Fact]
    public async Task A_thousand_clones_live_at_once()
    {
        SimulatedMicrovisor microvisor = Open();
        IMicroVm[] vms = await Task.WhenAll(Enumerable.Range(0, 1000).Select(i => microvisor.CloneAsync(Spec($"clone-{i}"), Token)));

        string[] answers = await Task.WhenAll(vms.Select(async vm => await AskAsync(await vm.ConnectAgentAsync(Token), "x")));

        Assert.Equal(vms.Select(vm => $"{vm.Record.Id}: x"), answers);
        Assert.Equal(1000, vms.Select(vm => vm.Record.Folder).Distinct().Count());
        Assert.True((await vms[0].GetStatisticsAsync(Token)).PrivateBytes > 0);
        await Task.WhenAll(vms.Select(vm => vm.KillAsync(Token)));
        Assert.Empty(_host.Running);
    }

    private static CloneSpec Spec(string id) => new() { Id = id, Size = Size, ImagePath = "/image" };

    private static async Task<string> AskAsync(Stream agent, string question)
    {
        await agent.WriteAsync(Encoding.UTF8.GetBytes(question), Token);
        byte[] answer = new byte[4096];
        return Encoding.UTF8.GetString(answer, 0, await agent.ReadAsync(answer, Token));
    }

    private static async Task EchoAsync(CloneSpec spec, Stream port, CancellationToken token)
    {
        byte[] buffer = new byte[64];
        for (int count; (count = await port.ReadAsync(buffer, token)) > 0;)
        {
            string question = Encoding.UTF8.GetString(buffer, 0, count);
            if (question == "off")
                return;
            await port.WriteAsync(Encoding.UTF8.GetBytes($"{spec.Id}: {question}"), token);
        }
    }

    private SimulatedMicrovisor Open() => new(_host);
}

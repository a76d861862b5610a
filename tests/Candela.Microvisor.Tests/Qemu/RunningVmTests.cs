using System.Globalization;

namespace Candela.Microvisor.Tests.Qemu;

/// <summary>A running micro-VM, as the host sees it.</summary>
[Collection("qemu")]
public sealed class RunningVmTests(QemuHost host)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Its_VMM_is_confined()
    {
        IMicroVm vm = await host.CloneAsync();
        string process = $"/proc/{vm.Record.ProcessId}";

        Dictionary<string, string> status = File.ReadLines(process + "/status").Select(l => l.Split(":\t", 2)).Where(p => p.Length == 2).ToDictionary(p => p[0], p => p[1]);
        string user = vm.Record.UserId.ToString(CultureInfo.InvariantCulture);
        Assert.Equal([user, user, user, user], status["Uid"].Split('\t'));
        Assert.Equal([user, user, user, user], status["Gid"].Split('\t'));
        Assert.Equal("", status["Groups"].Trim());
        Assert.All(["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"], set => Assert.Equal("0000000000000000", status[set]));
        Assert.Equal("1", status["NoNewPrivs"]);
        Assert.Equal("2", status["Seccomp"]);
        Assert.Equal("1", status["NSpid"].Split('\t')[^1]);
        foreach (string space in new[] { "mnt", "pid", "net", "ipc", "uts" })
            Assert.NotEqual(File.ResolveLinkTarget($"/proc/self/ns/{space}", false)!.Name, File.ResolveLinkTarget($"{process}/ns/{space}", false)!.Name);
        Assert.Contains($"-{vm.Record.Folder}", await File.ReadAllTextAsync(process + "/cgroup", Token), StringComparison.Ordinal);
        Assert.DoesNotContain("tests", await File.ReadAllTextAsync(process + "/mountinfo", Token), StringComparison.OrdinalIgnoreCase);
        await vm.KillAsync(Token);
    }

    [Fact]
    public async Task Its_statistics_are_plausible()
    {
        IMicroVm vm = await host.CloneAsync();
        await using GuestSession guest = await GuestSession.RunAsync(vm, "true; echo done");
        await guest.EndAsync();

        MicroVmStatistics figures = await vm.GetStatisticsAsync(Token);

        Assert.InRange(figures.PrivateBytes, 4L << 20, 100L << 20);
        Assert.InRange(figures.ProportionalBytes, figures.PrivateBytes, figures.ResidentBytes);
        Assert.InRange(figures.ResidentBytes, figures.ProportionalBytes, 400L << 20);
        Assert.InRange(figures.CpuTime, TimeSpan.FromMilliseconds(10), TimeSpan.FromMinutes(1));
        Assert.NotEmpty(vm.Stages);
        Assert.All(vm.Stages, s => Assert.InRange(s.Milliseconds, 0, 60_000));
        await vm.KillAsync(Token);
    }

    [Fact]
    public async Task Paused_it_says_nothing_and_resumed_it_goes_on()
    {
        IMicroVm vm = await host.CloneAsync();
        await using GuestSession guest = await GuestSession.RunAsync(vm, "while true; do echo x; sleep 0.01; done");
        await guest.UntilAsync(o => o.Length > 10);

        await vm.PauseAsync(Token);
        Task answer = guest.Agent.ListAsync(Token);
        await Assert.ThrowsAsync<TimeoutException>(() => answer.WaitAsync(TimeSpan.FromMilliseconds(500), Token)); // what was under way arrives
        int seen = guest.Output.Length;
        await Assert.ThrowsAsync<TimeoutException>(() => answer.WaitAsync(TimeSpan.FromMilliseconds(500), Token));
        Assert.Equal(seen, guest.Output.Length);
        await vm.ResumeAsync(Token);

        await answer.WaitAsync(Patience, Token);
        await guest.UntilAsync(o => o.Length > seen + 10);
        await vm.KillAsync(Token);
    }

    [Fact]
    public async Task A_new_connection_to_its_agent_replaces_the_former()
    {
        IMicroVm vm = await host.CloneAsync();
        await using GuestSession former = await GuestSession.RunAsync(vm, "sleep 1000");

        await using GuestSession next = await GuestSession.OpenAsync(vm, mayBeTorn: true);

        Assert.Single(await next.Agent.ListAsync(Token));
        await former.Agent.Closed.WaitAsync(Patience, Token);
        Assert.NotNull(await vm.ReadConsoleAsync(Token));
        await vm.KillAsync(Token);
    }
}

using System.Diagnostics;
using Candela.Microvisor.Qemu;

namespace Candela.Microvisor.Tests.Qemu;

/// <summary>What a daemon leaves behind, and how VMMs end.</summary>
[Collection("qemu")]
public sealed class AdoptionTests(QemuHost host)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_next_driver_adopts_what_is_known_and_ends_the_rest()
    {
        string folder = host.NewRunFolder();
        QemuMicrovisor former = await host.OpenAsync(folder);
        IMicroVm known = await former.CloneAsync(host.NewSpec(), Token), orphan = await former.CloneAsync(host.NewSpec(), Token);
        GuestSession cut = await GuestSession.RunAsync(known, "echo before; while [ ! -e /go ]; do sleep 0.02; done; echo after");
        await cut.UntilAsync(o => o == "before\n");
        await former.DisposeAsync();
        await known.DisposeAsync(); // the daemon's end closes its connections
        Assert.Equal(2, Directory.GetDirectories(folder).Length); // those that waited are gone

        await using QemuMicrovisor next = await host.OpenAsync(folder);
        IMicroVm? adopted = await next.AdoptAsync(known.Record, Token);
        await next.CleanOrphansAsync(new HashSet<string> { known.Record.Folder }, Token);

        Assert.NotNull(adopted);
        Assert.Equal([known.Record.Folder], Directory.GetDirectories(folder).Select(Path.GetFileName));
        Assert.Throws<ArgumentException>(() => Process.GetProcessById(orphan.Record.ProcessId));
        Assert.Null(await next.AdoptAsync(orphan.Record, Token));
        await using GuestSession guest = await GuestSession.ResumeAsync(adopted);
        await guest.Agent.WriteArchiveAsync("/", Archives.WithFile("go"), noOverwriteDirNonDir: false, Token);
        Assert.Equal("after\n", await guest.EndAsync());
        await adopted.KillAsync(Token);
        Assert.False((await adopted.Exited).GuestPowerOff);
        QemuHost.AssertNothingLeft(folder);
    }

    [Fact]
    public async Task A_record_whose_pid_is_another_process_by_now_is_not_adopted()
    {
        string folder = host.NewRunFolder();
        await using QemuMicrovisor driver = await host.OpenAsync(folder);
        MicroVmRecord gone = (await driver.CloneAsync(host.NewSpec(), Token)).Record;
        using Process other = Process.Start("/bin/sleep", "1000");

        Assert.Null(await driver.AdoptAsync(gone with { ProcessId = other.Id }, Token));

        Assert.False(other.HasExited);
        Assert.DoesNotContain(gone.Folder, Directory.GetDirectories(folder).Select(Path.GetFileName));
        other.Kill();
        await other.WaitForExitAsync(Token);
    }

    [Fact]
    public async Task A_VMM_that_is_killed_is_noticed_and_cleared_away()
    {
        IMicroVm vm = await host.CloneAsync();
        await using GuestSession guest = await GuestSession.RunAsync(vm, "sleep 1000");

        using (Process process = Process.GetProcessById(vm.Record.ProcessId))
            process.Kill();
        MicroVmExit exit = await vm.Exited.WaitAsync(Patience, Token);

        Assert.False(exit.GuestPowerOff);
        Assert.Contains("signal 9", exit.Detail, StringComparison.Ordinal);
        await guest.Agent.Closed.WaitAsync(Patience, Token);
        Assert.False(Directory.Exists(Path.Combine(host.RunFolder, vm.Record.Folder)));
        Assert.DoesNotContain(vm.Record.Folder, new Cgroups($"{VmmFolder.Hash(host.RunFolder):x8}", await File.ReadAllLinesAsync("/proc/self/mountinfo", Token)).List());
    }

    [Fact]
    public async Task A_VMM_that_has_ended_refuses_and_can_be_killed_again()
    {
        IMicroVm vm = await host.CloneAsync();
        await vm.KillAsync(Token);

        await Assert.ThrowsAsync<Candela.Model.CandelaException>(() => vm.PauseAsync(Token));
        await vm.KillAsync(Token);
        Assert.Equal(0, (await vm.GetStatisticsAsync(Token)).ResidentBytes);
    }
}

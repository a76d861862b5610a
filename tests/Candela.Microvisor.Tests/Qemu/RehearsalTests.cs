using Candela.Guest.Protocol.Host;
using Candela.Microvisor.Qemu;

namespace Candela.Microvisor.Tests.Qemu;

/// <summary>What waiting VMMs do before they are claimed.</summary>
[Collection("qemu")]
public sealed class RehearsalTests(QemuHost host)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_rehearsed_clone_knows_nothing_of_its_rehearsal()
    {
        int rehearsed = 0;
        await using QemuMicrovisor driver = await OpenAsync(async (stream, token) =>
        {
            await using GuestSession practice = await GuestSession.OpenAsync(stream);
            await practice.StartAsync("echo secret > /file; hostname", "practice");
            Assert.Equal("practice\n", await practice.EndAsync());
            await practice.Agent.ResetAsync(token);
            rehearsed++;
        });
        await driver.EnsureParentAsync(QemuHost.Size, Token);
        Assert.Equal(1, rehearsed);

        IMicroVm vm = await driver.CloneAsync(host.NewSpec(), Token);
        await using GuestSession guest = await GuestSession.RunAsync(vm, "cat /file 2>/dev/null || echo nothing; hostname", "real");

        Assert.Equal("nothing\nreal\n", await guest.EndAsync());
        Assert.Equal(1u, Assert.Single(await guest.Agent.ListAsync(Token)).Process);
        await vm.KillAsync(Token);
    }

    [Fact]
    public async Task A_rehearsal_that_fails_or_hangs_costs_no_clone()
    {
        int attempts = 0;
        await using QemuMicrovisor driver = await OpenAsync((_, token) => ++attempts % 2 == 0 ? throw new AgentProtocolException("nonsense") : Task.Delay(Timeout.Infinite, token));

        await driver.EnsureParentAsync(QemuHost.Size, Token);
        IMicroVm vm = await driver.CloneAsync(host.NewSpec(), Token);
        await driver.EnsureParentAsync(QemuHost.Size, Token);
        await using GuestSession guest = await GuestSession.RunAsync(vm, "echo well");

        Assert.Equal(2, attempts);
        Assert.Equal("well\n", await guest.EndAsync());
        await vm.KillAsync(Token);
    }

    private async Task<QemuMicrovisor> OpenAsync(Func<Stream, CancellationToken, Task> rehearse)
    {
        QemuMicrovisor driver = await host.OpenAsync(host.NewRunFolder());
        driver.Rehearsal = new Rehearsal(host.ImagePath, host.ScratchTemplate, rehearse);
        Assert.SkipWhen(driver.Rehearsal is null, "only emulated guests rehearse");
        return driver;
    }
}

using Candela.Controller.Tests.Fake;
using Candela.Model;
using static Candela.Controller.Tests.Fake.TestCalls;

namespace Candela.Controller.Tests;

/// <summary>Changes of limits and restart policies.</summary>
public sealed class UpdateTests : IAsyncDisposable
{
    private readonly TestHost _host = new();

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task A_running_container_gets_its_new_limits_at_once_and_keeps_them()
    {
        var daemon = await _host.StartDaemonAsync();
        var container = await daemon.RunAsync(Spec with { MemoryBytes = 100 << 20, PidsLimit = 7 });
        await daemon.Containers.UpdateAsync(Alice, container.Id, new ContainerUpdate { MemoryBytes = 64 << 20 }, TestContext.Current.CancellationToken);
        Assert.Equal((64 << 20, 0, 7), daemon.Machine.LastLimits);

        await daemon.DisposeAsync();
        daemon = await _host.StartDaemonAsync();
        Assert.Equal(64 << 20, (await daemon.GetAsync(container.Id)).Spec.MemoryBytes);
    }

    [Fact]
    public async Task The_restart_policy_counts_from_the_next_end_on()
    {
        var daemon = await _host.StartDaemonAsync();
        var container = await daemon.RunAsync();
        await daemon.Containers.UpdateAsync(Alice, container.Id, new ContainerUpdate { RestartPolicy = new RestartPolicy { Condition = RestartCondition.Always } }, TestContext.Current.CancellationToken);
        Assert.Null(daemon.Machine.LastLimits);
        daemon.Machine.End(container.Id, 0);
        Assert.Equal(ContainerState.Restarting, (await daemon.StatusAsync(container.Id)).State);
    }

    [Fact]
    public async Task What_is_removed_when_it_ends_is_not_restarted()
    {
        var daemon = await _host.StartDaemonAsync();
        var container = await daemon.RunAsync(Spec with { AutoRemove = true });
        var error = await Assert.ThrowsAsync<CandelaException>(() => daemon.Containers.UpdateAsync(
            Alice, container.Id, new ContainerUpdate { RestartPolicy = new RestartPolicy { Condition = RestartCondition.Always } }, TestContext.Current.CancellationToken));
        Assert.Equal(ErrorCode.Conflict, error.Code);
    }
}

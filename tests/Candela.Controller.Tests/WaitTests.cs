using Candela.Controller.Tests.Fake;
using Candela.Model;
using static Candela.Controller.Tests.Fake.TestCalls;

namespace Candela.Controller.Tests;

public sealed class WaitTests : IAsyncDisposable
{
    private readonly TestHost _host = new();

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task A_container_that_does_not_run_is_not_waited_for()
    {
        var daemon = await _host.StartDaemonAsync();
        var container = await daemon.CreateAsync();
        Assert.Equal(0, (await await daemon.WaitAsync(container.Id, WaitCondition.NotRunning)).ExitCode);
        await daemon.StartContainerAsync(container.Id);
        daemon.Machine.End(container.Id, 6);
        Assert.Equal(6, (await await daemon.WaitAsync(container.Id, WaitCondition.NotRunning)).ExitCode);
    }

    [Fact]
    public async Task The_next_exit_is_not_the_last_one()
    {
        var daemon = await _host.StartDaemonAsync();
        var container = await daemon.RunAsync();
        daemon.Machine.End(container.Id, 1);
        var waiting = await daemon.WaitAsync(container.Id, WaitCondition.NextExit);
        Assert.False(waiting.IsCompleted);
        await daemon.StartContainerAsync(container.Id);
        daemon.Machine.End(container.Id, 2);
        Assert.Equal(2, (await waiting).ExitCode);
    }

    [Fact]
    public async Task A_removal_answers_everybody()
    {
        var daemon = await _host.StartDaemonAsync();
        var container = await daemon.CreateAsync();
        var exit = await daemon.WaitAsync(container.Id, WaitCondition.NextExit);
        var removed = await daemon.WaitAsync(container.Id, WaitCondition.Removed);
        await daemon.RemoveAsync(container.Id);
        await exit;
        await removed;
        await FailsAsync(ErrorCode.NotFound, async () => await daemon.WaitAsync(container.Id, WaitCondition.Removed));
    }

    [Fact]
    public async Task Many_waits_registered_before_their_start_miss_nothing()
    {
        var daemon = await _host.StartDaemonAsync();
        await Task.WhenAll(Enumerable.Range(0, 100).Select(i => Task.Run(async () =>
        {
            var container = await daemon.CreateAsync(Spec with { AutoRemove = i % 2 == 0 });
            var exit = await daemon.WaitAsync(container.Id, WaitCondition.NextExit);
            await daemon.StartContainerAsync(container.Id);
            await Task.Yield();
            daemon.Machine.End(container.Id, i);
            Assert.Equal(i, (await exit).ExitCode);
        })));
    }

    [Fact]
    public async Task A_wait_can_be_given_up()
    {
        var daemon = await _host.StartDaemonAsync();
        var container = await daemon.RunAsync();
        using var cancel = new CancellationTokenSource();
        var waiting = await daemon.Containers.WaitAsync(Alice, container.Id, WaitCondition.NextExit, cancel.Token);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
    }

    [Fact]
    public async Task Starts_and_removals_at_once_leave_no_remains()
    {
        var daemon = await _host.StartDaemonAsync();
        for (var round = 0; round < 20; round++)
        {
            var container = await daemon.CreateAsync(name: "contested");
            await Task.WhenAll(
            [
                .. Enumerable.Range(0, 3).Select(_ => Quietly(() => daemon.StartContainerAsync(container.Id))),
                Quietly(() => daemon.StopAsync(container.Id)),
                Quietly(() => daemon.KillAsync(container.Id)),
                Quietly(() => daemon.RemoveAsync(container.Id, force: true)),
                Quietly(() => daemon.RemoveAsync(container.Id, force: true)),
            ]).WaitAsync(Patience, TestContext.Current.CancellationToken);
            Assert.Empty(await daemon.ListAsync());
            Assert.Empty(_host.Machine.Runs);
            Assert.Empty(await _host.StoredKeysAsync());
        }

        static async Task Quietly(Func<Task> call)
        {
            try
            {
                await Task.Run(call);
            }
            catch (CandelaException e) when (e.Code is ErrorCode.NotFound or ErrorCode.Conflict or ErrorCode.NotModified)
            {
                // Another one was first.
            }
        }
    }
}

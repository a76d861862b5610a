using Candela.Controller.Tests.Fake;
using Candela.Model;
using static Candela.Controller.Tests.Fake.TestCalls;

namespace Candela.Controller.Tests;

public sealed class StateFailureTests : IAsyncDisposable
{
    private readonly TestHost _host = new();

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task A_store_that_fails_for_a_while_loses_nothing()
    {
        var daemon = await _host.StartDaemonAsync();
        var container = await daemon.RunAsync(name: "web");
        daemon.Store.Fails = true;
        await FailsAsync(ErrorCode.Unavailable, () => daemon.CreateAsync(name: "other"));
        daemon.Machine.End(container.Id, 4);
        await FailsAsync(ErrorCode.Unavailable, () => daemon.RemoveAsync("web"));
        Assert.Equal((ContainerState.Exited, 4), ((await daemon.StatusAsync("web")).State, (await daemon.StatusAsync("web")).ExitCode));
        daemon.Store.Fails = false;
        await daemon.CreateAsync(name: "other");
        await daemon.DisposeAsync();
        daemon = await _host.StartDaemonAsync();
        Assert.Equal((ContainerState.Exited, 4), ((await daemon.StatusAsync("web")).State, (await daemon.StatusAsync("web")).ExitCode));
        await using var events = daemon.ReadEvents(DateTimeOffset.UnixEpoch);
        Assert.Equal(["create", "start", "die"], await events.UntilAsync("die"));
    }

    [Fact]
    public async Task A_description_that_is_too_large_is_refused_alone()
    {
        var daemon = await _host.StartDaemonAsync();
        var labels = Enumerable.Range(0, 256).ToDictionary(i => $"l{i}", _ => new string('"', 60_000));
        var results = await Task.WhenAll(Enumerable.Range(0, 10).Select(i => Task.Run(async () =>
        {
            try
            {
                await daemon.CreateAsync(i == 5 ? Spec with { Labels = labels } : Spec, $"c{i}");
                return true;
            }
            catch (CandelaException e) when (e.Code == ErrorCode.InvalidArgument)
            {
                return false;
            }
        })));
        Assert.Equal(Enumerable.Range(0, 10).Select(i => i != 5), results);
        Assert.Equal(9, (await daemon.ListAsync()).Count);
    }
}

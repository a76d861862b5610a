using Candela.Controller.Tests.Fake;
using Candela.Model;
using static Candela.Controller.Tests.Fake.TestCalls;

namespace Candela.Controller.Tests;

public sealed class ForkTests : IAsyncDisposable
{
    private readonly TestHost _host = new();

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task Forks_run_under_the_next_free_names()
    {
        var daemon = await _host.StartDaemonAsync();
        var source = await daemon.RunAsync(name: "web");
        await daemon.CreateAsync(name: "web-2");
        var report = await ForkAsync(daemon, "web", 2);
        Assert.Equal(["web-1", "web-3"], report.Forks.Select(fork => fork.Name));
        Assert.Equal(3, report.SourcePauseMilliseconds);
        Assert.All(report.Forks, fork => Assert.Equal((ContainerState.Running, source.Id), (fork.Status.State, fork.ForkedFrom)));
        var fork = report.Forks[0];
        var waiting = await daemon.WaitAsync("web-1", WaitCondition.NotRunning);
        daemon.Machine.End(fork.Id, 8);
        Assert.Equal(8, (await waiting).ExitCode);
        Assert.Equal(ContainerState.Running, (await daemon.StatusAsync("web")).State);
    }

    [Fact]
    public async Task A_failure_removes_all_forks()
    {
        var daemon = await _host.StartDaemonAsync();
        await daemon.RunAsync(name: "web");
        daemon.Machine.Forking = static () => throw new CandelaException(ErrorCode.ResourceExhausted, "no memory");
        await FailsAsync(ErrorCode.ResourceExhausted, () => ForkAsync(daemon, "web", 3));
        Assert.Equal("web", Assert.Single(await daemon.ListAsync()).Name);
        Assert.Equal(2, (await _host.StoredKeysAsync()).Count);
        daemon.Machine.Forking = static () => Task.CompletedTask;
        await ForkAsync(daemon, "web", 3);
    }

    [Fact]
    public async Task What_cannot_be_forked_is_refused()
    {
        var daemon = await _host.StartDaemonAsync();
        await daemon.CreateAsync(name: "idle");
        await FailsAsync(ErrorCode.Conflict, () => ForkAsync(daemon, "idle", 1));
        await daemon.StartContainerAsync("idle");
        await FailsAsync(ErrorCode.InvalidArgument, () => ForkAsync(daemon, "idle", 0));
        await FailsAsync(ErrorCode.InvalidArgument, () => ForkAsync(daemon, "idle", 100_000));
        await FailsAsync(ErrorCode.InvalidArgument, () => ForkAsync(daemon, "idle", 2, "one"));
        await FailsAsync(ErrorCode.AlreadyExists, () => ForkAsync(daemon, "idle", 2, "same", "same"));
        await FailsAsync(ErrorCode.AlreadyExists, () => ForkAsync(daemon, "idle", 2, "free", "idle"));
        Assert.Equal(["free"], (await ForkAsync(daemon, "idle", 1, "free")).Forks.Select(fork => fork.Name));
    }

    private static Task<ForkReport> ForkAsync(TestDaemon daemon, string reference, int count, params string[] names) =>
        daemon.Containers.ForkAsync(Alice, reference, count, names.Length == 0 ? null : names, TestContext.Current.CancellationToken);
}

using Candela.Controller.Health;
using Candela.Controller.Tests.Fake;
using Candela.Model;
using static Candela.Controller.Tests.Fake.TestCalls;

namespace Candela.Controller.Tests;

/// <summary>Health checks on a clock that tests move.</summary>
public sealed class HealthTests : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly TestHost _host = new();
    private int _probes;

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task Enough_failures_in_a_row_make_a_container_unhealthy_and_one_success_healthy()
    {
        var daemon = await _host.StartDaemonAsync();
        var code = 1;
        daemon.Machine.Probe = _ => (code, "says " + ++_probes);
        await using var events = daemon.ReadEvents();
        var container = await daemon.RunAsync(Spec(new HealthCheck { Test = ["CMD-SHELL", "check me"], IntervalMilliseconds = 1000, Retries = 2 }));
        Assert.Equal(HealthState.Starting, (await daemon.StatusAsync(container.Id)).Health!.State);

        var health = await UntilAsync(daemon, container.Id, h => h.State == HealthState.Unhealthy);
        Assert.Equal((2, 2), (health.FailingStreak, health.Log.Count));
        Assert.Equal((1, "says 1"), (health.Log[0].ExitCode, health.Log[0].Output));
        Assert.Equal(["/bin/sh", "-c", "check me"], daemon.Machine.LastExec!.Arguments);

        code = 0;
        health = await UntilAsync(daemon, container.Id, h => h.State == HealthState.Healthy);
        Assert.Equal(0, health.FailingStreak);
        daemon.Machine.End(container.Id, 0);
        var seen = await events.UntilAsync("die");
        Assert.Equal(["health_status: unhealthy", "health_status: healthy"], seen.Where(action => action.StartsWith("health_status", StringComparison.Ordinal)));
        Assert.Contains("exec_die", seen);
        Assert.Equal(HealthState.Unhealthy, (await daemon.StatusAsync(container.Id)).Health!.State);
    }

    [Fact]
    public async Task Failures_in_the_start_period_do_not_count()
    {
        var daemon = await _host.StartDaemonAsync();
        daemon.Machine.Probe = _ => (1, "");
        var container = await daemon.RunAsync(Spec(new HealthCheck { Test = ["CMD", "check"], IntervalMilliseconds = 1000, StartPeriodMilliseconds = 3_600_000, StartIntervalMilliseconds = 1000, Retries = 1 }));

        var health = await UntilAsync(daemon, container.Id, h => h.Log.Count == 3);

        Assert.Equal((HealthState.Starting, 0), (health.State, health.FailingStreak));
        Assert.Equal(["check"], daemon.Machine.LastExec!.Arguments);
    }

    [Fact]
    public async Task A_probe_that_does_not_end_is_killed_and_has_failed()
    {
        var daemon = await _host.StartDaemonAsync();
        daemon.Machine.Probe = _ => (null, "hangs");
        var container = await daemon.RunAsync(Spec(new HealthCheck { Test = ["CMD", "check"], IntervalMilliseconds = 1000, TimeoutMilliseconds = 500, Retries = 1 }));

        var health = await UntilAsync(daemon, container.Id, h => h.State == HealthState.Unhealthy);

        Assert.Equal((-1, "Health check exceeded timeout (500ms)"), (health.Log[0].ExitCode, health.Log[0].Output));
    }

    [Fact]
    public void A_container_s_check_goes_before_its_image_s()
    {
        var image = new HealthCheck { Test = ["CMD", "a"], IntervalMilliseconds = 5, Retries = 7 };
        Assert.Equivalent(image, HealthCheckResolver.Resolve(null, image));
        var both = HealthCheckResolver.Resolve(new HealthCheck { IntervalMilliseconds = 9 }, image)!;
        Assert.Equal(("a", 9, 7), (both.Test[1], both.IntervalMilliseconds, both.Retries));
        Assert.Equal(["NONE"], HealthCheckResolver.Resolve(new HealthCheck { Test = ["NONE"] }, image)!.Test);
        Assert.Null(HealthCheckResolver.Resolve(null, null));
        Assert.Throws<CandelaException>(() => HealthCheckResolver.Resolve(new HealthCheck { Test = ["WHAT", "x"] }, null));
        Assert.Throws<CandelaException>(() => HealthCheckResolver.Resolve(new HealthCheck { Test = ["CMD"] }, null));
    }

    private static ContainerSpec Spec(HealthCheck check) => new() { Image = "base", HealthCheck = check };

    /// <summary>Moves the clock until the health is as wanted.</summary>
    private async Task<HealthStatus> UntilAsync(TestDaemon daemon, string id, Func<HealthStatus, bool> wanted)
    {
        using var limit = new CancellationTokenSource(Patience);
        while (true)
        {
            var health = (await daemon.StatusAsync(id)).Health!;
            if (wanted(health))
                return health;
            _host.Time.Advance(TimeSpan.FromMilliseconds(500));
            await Task.Delay(5, limit.Token);
        }
    }
}

using System.Text.Json.Serialization;
using Candela.Docker.Http;
using Candela.Docker.Json;
using Candela.Model;

namespace Candela.Docker.Containers;

/// <summary>A health check as configured; times in nanoseconds.</summary>
internal sealed record HealthcheckView(
    IReadOnlyList<string> Test,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] long Interval,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] long Timeout,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] long StartPeriod,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] long StartInterval,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] int Retries);

/// <summary>Health of a container.</summary>
internal sealed record HealthView(string Status, int FailingStreak, IReadOnlyList<HealthProbeView> Log);

/// <summary>A probe.</summary>
internal sealed record HealthProbeView(string Start, string End, int ExitCode, string Output);

/// <summary>Health checks between Docker's shapes and Candela's.</summary>
internal static class HealthTranslation
{
    private const long NanosecondsPerMillisecond = 1_000_000;

    public static HealthCheck? Translate(HealthcheckRequest? request)
    {
        if (request is null)
            return null;
        if (request.Retries < 0)
            throw DockerException.BadRequest("Retries in Healthcheck cannot be negative");
        return new HealthCheck
        {
            Test = request.Test is { Count: > 0 } test && test[0].Length > 0 ? test : [],
            IntervalMilliseconds = Milliseconds(request.Interval, "Interval"),
            TimeoutMilliseconds = Milliseconds(request.Timeout, "Timeout"),
            StartPeriodMilliseconds = Milliseconds(request.StartPeriod, "StartPeriod"),
            StartIntervalMilliseconds = Milliseconds(request.StartInterval, "StartInterval"),
            Retries = request.Retries ?? 0,
        };
    }

    public static HealthcheckView? View(HealthCheck? check) => check is null ? null : new HealthcheckView(
        check.Test, check.IntervalMilliseconds * NanosecondsPerMillisecond, check.TimeoutMilliseconds * NanosecondsPerMillisecond,
        check.StartPeriodMilliseconds * NanosecondsPerMillisecond, check.StartIntervalMilliseconds * NanosecondsPerMillisecond, check.Retries);

    public static HealthView? View(HealthStatus? health) => health is null ? null : new HealthView(
        Text(health.State), health.FailingStreak,
        [.. health.Log.Select(static probe => new HealthProbeView(DockerTime.Format(probe.StartedAt), DockerTime.Format(probe.EndedAt), probe.ExitCode, probe.Output))]);

    public static string Text(HealthState state) => state switch
    {
        HealthState.Healthy => "healthy",
        HealthState.Unhealthy => "unhealthy",
        _ => "starting",
    };

    private static long Milliseconds(long? nanoseconds, string name) => nanoseconds switch
    {
        null or 0 => 0,
        < NanosecondsPerMillisecond => throw DockerException.BadRequest($"{name} in Healthcheck cannot be less than 1ms"),
        var given => given.Value / NanosecondsPerMillisecond,
    };
}

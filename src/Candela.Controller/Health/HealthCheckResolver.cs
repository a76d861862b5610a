using Candela.Model;

namespace Candela.Controller.Health;

/// <summary>What a container's and its image's health checks amount to.</summary>
internal static class HealthCheckResolver
{
    private const int TestCount = 4096;

    /// <summary>The check, which may be that there is to be none (<c>NONE</c>); null: nothing is said of one.</summary>
    /// <exception cref="CandelaException">InvalidArgument.</exception>
    public static HealthCheck? Resolve(HealthCheck? own, HealthCheck? image)
    {
        if (own is null && image is null)
            return null;
        own ??= new HealthCheck();
        image ??= new HealthCheck();
        var check = new HealthCheck
        {
            Test = own.Test.Count > 0 ? own.Test : image.Test,
            IntervalMilliseconds = Or(own.IntervalMilliseconds, image.IntervalMilliseconds),
            TimeoutMilliseconds = Or(own.TimeoutMilliseconds, image.TimeoutMilliseconds),
            StartPeriodMilliseconds = Or(own.StartPeriodMilliseconds, image.StartPeriodMilliseconds),
            StartIntervalMilliseconds = Or(own.StartIntervalMilliseconds, image.StartIntervalMilliseconds),
            Retries = own.Retries != 0 ? own.Retries : image.Retries,
        };
        if (check.Test.Count == 0)
            return null;
        if (check.Test[0] is "NONE")
            return check;
        if (check.IntervalMilliseconds < 0 || check.TimeoutMilliseconds < 0 || check.StartPeriodMilliseconds < 0 || check.StartIntervalMilliseconds < 0 || check.Retries < 0)
            throw new CandelaException(ErrorCode.InvalidArgument, "a health check's times and retries cannot be negative");
        if (check.Test.Count is 1 or > TestCount || check.Test[0] is not ("CMD" or "CMD-SHELL"))
            throw new CandelaException(ErrorCode.InvalidArgument, $"Unknown healthcheck type '{check.Test[0]}' (expected 'CMD' or 'CMD-SHELL' with a command)");
        return check;
    }

    /// <summary>The check of a container that has one to make.</summary>
    public static HealthCheck? Active(Container container) => container.HealthCheck is { Test: ["CMD" or "CMD-SHELL", ..] } check ? check : null;

    /// <summary>Program and arguments of a probe.</summary>
    public static IReadOnlyList<string> Arguments(HealthCheck check) =>
        check.Test[0] == "CMD" ? [.. check.Test.Skip(1)] : ["/bin/sh", "-c", string.Join(' ', check.Test.Skip(1))];

    private static long Or(long own, long image) => own != 0 ? own : image;
}

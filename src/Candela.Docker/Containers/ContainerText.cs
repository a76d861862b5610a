using System.Globalization;
using Candela.Model;

namespace Candela.Docker.Containers;

/// <summary>How Docker words the state of a container.</summary>
internal static class ContainerText
{
    public static string State(ContainerState state) => state switch
    {
        ContainerState.Created => "created",
        ContainerState.Running => "running",
        ContainerState.Paused => "paused",
        ContainerState.Restarting => "restarting",
        ContainerState.Removing => "removing",
        ContainerState.Exited => "exited",
        _ => "dead",
    };

    /// <summary>As in the STATUS column of <c>docker ps</c>.</summary>
    public static string Status(ContainerStatus status, DateTimeOffset now)
    {
        var code = status.ExitCode.ToString(CultureInfo.InvariantCulture);
        return status.State switch
        {
            ContainerState.Created => "Created",
            ContainerState.Running => $"Up {Since(status.StartedAt, now)}{Health(status.Health)}",
            ContainerState.Paused => $"Up {Since(status.StartedAt, now)} (Paused)",
            ContainerState.Restarting => $"Restarting ({code}) {Since(status.FinishedAt, now)} ago",
            ContainerState.Removing => "Removal In Progress",
            ContainerState.Exited => $"Exited ({code}) {Since(status.FinishedAt, now)} ago",
            _ => "Dead",
        };
    }

    private static string Health(HealthStatus? health) => health switch
    {
        null => "",
        { State: HealthState.Starting } => " (health: starting)",
        _ => $" ({HealthTranslation.Text(health.State)})",
    };

    /// <summary>Program and arguments on one line; arguments with spaces in quotes.</summary>
    public static string Command(IReadOnlyList<string> arguments) =>
        string.Join(' ', arguments.Select(static argument => argument.Contains(' ', StringComparison.Ordinal) ? $"'{argument}'" : argument));

    private static string Since(DateTimeOffset? time, DateTimeOffset now) => time is { } known ? Duration(now - known) : Duration(TimeSpan.Zero);

    /// <summary>A duration for people.</summary>
    public static string Duration(TimeSpan duration)
    {
        var seconds = (long)duration.TotalSeconds;
        var hours = (long)Math.Round(duration.TotalHours, MidpointRounding.AwayFromZero);
        return seconds switch
        {
            < 1 => "Less than a second",
            1 => "1 second",
            < 60 => $"{seconds} seconds",
            < 120 => "About a minute",
            < 3600 => $"{seconds / 60} minutes",
            _ => hours switch
            {
                1 => "About an hour",
                < 48 => $"{hours} hours",
                < 24 * 7 * 2 => $"{hours / 24} days",
                < 24 * 30 * 2 => $"{hours / 24 / 7} weeks",
                < 24 * 365 * 2 => $"{hours / 24 / 30} months",
                _ => $"{hours / 24 / 365} years",
            },
        };
    }
}

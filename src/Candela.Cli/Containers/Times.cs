using System.Globalization;
using Candela.Cli.CommandLine;

namespace Candela.Cli.Containers;

/// <summary>Points in time as users write them.</summary>
internal static class Times
{
    /// <summary>The option's value as RFC 3339 in UTC; null when it is absent.</summary>
    public static string? Parse(Invocation invocation, string option) =>
        invocation.Value(option) is { } text
            ? (Parse(text, TimeProvider.System.GetUtcNow()) ?? throw new UsageException($"--{option} takes a time such as 2026-01-31T12:00:00Z, Unix seconds, or an age such as 90s, 10m or 2h, not '{text}'"))
                .ToString("yyyy-MM-ddTHH:mm:ss.fffffffZ", CultureInfo.InvariantCulture)
            : null;

    public static DateTimeOffset? Parse(string text, DateTimeOffset now)
    {
        if (ParseAge(text) is { } age)
            return now - age;
        if (decimal.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out decimal seconds) && seconds < 100_000_000_000)
            return DateTimeOffset.UnixEpoch.AddTicks((long)(seconds * TimeSpan.TicksPerSecond));
        return DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeLocal | DateTimeStyles.AdjustToUniversal, out var time) ? time : null;
    }

    /// <summary>Go's duration notation, as docker takes it: 1h30m, 90s, 500ms.</summary>
    private static TimeSpan? ParseAge(string text)
    {
        double total = 0;
        int at = 0;
        while (at < text.Length)
        {
            int begin = at;
            while (at < text.Length && (char.IsAsciiDigit(text[at]) || text[at] == '.'))
                at++;
            if (!double.TryParse(text.AsSpan(begin, at - begin), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double number))
                return null;
            begin = at;
            while (at < text.Length && char.IsAsciiLetter(text[at]))
                at++;
            double? unit = text[begin..at] switch { "ms" => 0.001, "s" => 1, "m" => 60, "h" => 3600, "d" => 86400, _ => null };
            if (unit is null)
                return null;
            total += number * unit.Value;
        }
        return text.Length > 0 && total < TimeSpan.MaxValue.TotalSeconds ? TimeSpan.FromSeconds(total) : null;
    }
}

using System.Globalization;

namespace Candela.Cli.Output;

/// <summary>Sizes, times and durations as people read them.</summary>
internal static class Human
{
    /// <summary>Decimal units, three digits: <c>4.26MB</c>, as docker shows images.</summary>
    public static string Size(long bytes) => Scale(bytes, 1000, ["B", "kB", "MB", "GB", "TB", "PB"]);

    /// <summary>Binary units: <c>16.4MiB</c>, as docker shows memory.</summary>
    public static string Memory(long bytes) => Scale(bytes, 1024, ["B", "KiB", "MiB", "GiB", "TiB", "PiB"]);

    public static string Ago(DateTimeOffset time, DateTimeOffset now) => Duration(now - time) + " ago";

    /// <summary>The largest unit that fits: <c>3 minutes</c>, <c>2 weeks</c>.</summary>
    public static string Duration(TimeSpan duration) => duration switch
    {
        { TotalSeconds: < 1 } => "Less than a second",
        { TotalSeconds: < 2 } => "1 second",
        { TotalSeconds: < 60 } => $"{(int)duration.TotalSeconds} seconds",
        { TotalMinutes: < 2 } => "About a minute",
        { TotalMinutes: < 60 } => $"{(int)duration.TotalMinutes} minutes",
        { TotalHours: < 2 } => "About an hour",
        { TotalHours: < 48 } => $"{(int)duration.TotalHours} hours",
        { TotalDays: < 14 } => $"{(int)duration.TotalDays} days",
        { TotalDays: < 60 } => $"{(int)(duration.TotalDays / 7)} weeks",
        { TotalDays: < 730 } => $"{(int)(duration.TotalDays / 30)} months",
        _ => $"{(int)(duration.TotalDays / 365)} years",
    };

    public static string Milliseconds(double milliseconds) => milliseconds.ToString("0.0", CultureInfo.InvariantCulture) + " ms";

    /// <summary>First 12 digits of an id, without its algorithm.</summary>
    public static string ShortId(string id)
    {
        int colon = id.IndexOf(':', StringComparison.Ordinal);
        string digits = colon < 0 ? id : id[(colon + 1)..];
        return digits.Length > 12 ? digits[..12] : digits;
    }

    private static string Scale(double value, int step, string[] units)
    {
        int unit = 0;
        while (value >= step && unit < units.Length - 1)
        {
            value /= step;
            unit++;
        }
        string format = unit == 0 || value >= 100 ? "0" : value >= 10 ? "0.#" : "0.##";
        return value.ToString(format, CultureInfo.InvariantCulture) + units[unit];
    }
}

using System.Globalization;

namespace Candela.Docker.Json;

/// <summary>Go's RFC 3339 with nanoseconds, as the Engine API writes times.</summary>
internal static class DockerTime
{
    /// <summary>Go's zero time.</summary>
    public const string Zero = "0001-01-01T00:00:00Z";

    /// <summary>RFC3339Nano: without trailing zeros.</summary>
    public static string Format(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'", CultureInfo.InvariantCulture);

    /// <summary>RFC 3339 without a fraction.</summary>
    public static string FormatSeconds(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    public static string Format(DateTimeOffset? time) => time is { } known ? Format(known) : Zero;

    public static long UnixNanoseconds(DateTimeOffset time) => (time.UtcTicks - DateTimeOffset.UnixEpoch.UtcTicks) * 100;

    /// <summary>The fixed form of log lines: always nine decimals, 30 bytes.</summary>
    public static int FormatFixed(long unixNanoseconds, Span<byte> destination)
    {
        var seconds = Math.DivRem(unixNanoseconds, 1_000_000_000, out var nanoseconds);
        if (nanoseconds < 0)
            (seconds, nanoseconds) = (seconds - 1, nanoseconds + 1_000_000_000);
        var time = DateTimeOffset.FromUnixTimeSeconds(seconds);
        time.TryFormat(destination, out var length, "yyyy-MM-dd'T'HH:mm:ss'.'", CultureInfo.InvariantCulture);
        nanoseconds.TryFormat(destination[length..], out var digits, "D9", CultureInfo.InvariantCulture);
        length += digits;
        destination[length++] = (byte)'Z';
        return length;
    }
}

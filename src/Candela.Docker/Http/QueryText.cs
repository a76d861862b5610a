using System.Globalization;
using Microsoft.AspNetCore.Http;

namespace Candela.Docker.Http;

/// <summary>Query values as the Engine API reads them.</summary>
internal static class QueryText
{
    /// <summary>Docker's booleans: anything but empty, 0, no, false and none is true.</summary>
    public static bool Flag(this IQueryCollection query, string name, bool absent = false)
    {
        if (!query.TryGetValue(name, out var values))
            return absent;
        var text = values.ToString().Trim().ToLowerInvariant();
        return text is not ("" or "0" or "no" or "false" or "none");
    }

    public static string? Text(this IQueryCollection query, string name) =>
        query.TryGetValue(name, out var values) && values.Count > 0 && !string.IsNullOrEmpty(values[0]) ? values[0] : null;

    /// <summary>A whole number, or null when absent.</summary>
    public static int? Number(this IQueryCollection query, string name)
    {
        if (query.Text(name) is not { } text)
            return null;
        return int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value)
            ? value
            : throw DockerException.BadRequest($"invalid value for {name}: \"{Shorten(text)}\" is not a whole number");
    }

    /// <summary>A point in time as seconds since the Unix epoch with up to nine decimals, or RFC 3339; null when absent or 0.</summary>
    public static DateTimeOffset? Time(this IQueryCollection query, string name) =>
        query.Text(name) is { } text ? ParseTime(text, name) : null;

    public static DateTimeOffset? ParseTime(string text, string name)
    {
        var point = text.IndexOf('.', StringComparison.Ordinal);
        var seconds = point < 0 ? text : text[..point];
        if (long.TryParse(seconds, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var whole))
        {
            long nanoseconds = 0;
            if (point >= 0)
            {
                var digits = text[(point + 1)..];
                if (digits.Length > 9 || !long.TryParse(digits.PadRight(9, '0'), NumberStyles.None, CultureInfo.InvariantCulture, out nanoseconds))
                    throw Invalid();
            }

            if (whole is < -62135596800 or > 253402300799)
                throw Invalid();
            return whole == 0 && nanoseconds == 0 ? null : DateTimeOffset.FromUnixTimeSeconds(whole).AddTicks(nanoseconds / 100);
        }

        if (text.Contains('T', StringComparison.Ordinal)
            && DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time))
            return time;
        throw Invalid();

        DockerException Invalid() => DockerException.BadRequest($"invalid value for {name}: \"{Shorten(text)}\" is not a time");
    }

    private static string Shorten(string text) => text.Length <= 64 ? text : text[..64] + "…";
}

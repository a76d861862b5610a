using System.Buffers;
using System.Globalization;
using Candela.Docker.Http;

namespace Candela.Docker.Filters;

/// <summary>The <c>until</c> filter of prune: a time, or a Go duration before now such as <c>24h</c> or <c>1h30m</c>.</summary>
internal static class PruneTime
{
    private static readonly SearchValues<char> NumberCharacters = SearchValues.Create("0123456789.");

    public static DateTimeOffset Parse(string text, DateTimeOffset now)
    {
        if (TryParseDuration(text, out var duration))
            return now - duration;
        return QueryText.ParseTime(text, "until") ?? throw DockerException.BadRequest("invalid value for until");
    }

    private static bool TryParseDuration(string text, out TimeSpan duration)
    {
        duration = TimeSpan.Zero;
        var rest = text.AsSpan();
        if (rest.IsEmpty)
            return false;
        while (!rest.IsEmpty)
        {
            var digits = rest.IndexOfAnyExcept(NumberCharacters);
            if (digits <= 0 || !double.TryParse(rest[..digits], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number))
                return false;
            rest = rest[digits..];
            var unitLength = rest.IndexOfAny(NumberCharacters);
            var unit = unitLength < 0 ? rest : rest[..unitLength];
            double? seconds = unit switch { "h" => 3600, "m" => 60, "s" => 1, "ms" => 1e-3, "us" or "µs" => 1e-6, "ns" => 1e-9, _ => null };
            if (seconds is null || number * seconds > 1e10)
                return false;
            duration += TimeSpan.FromSeconds(number * seconds.Value);
            rest = rest[unit.Length..];
        }

        return true;
    }
}

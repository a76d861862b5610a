using System.Globalization;

namespace Candela.Identity.Ldap.Schema;

/// <summary>Times as LDAP writes them (RFC 4517, 3.3.13).</summary>
internal static class GeneralizedTime
{
    private const string Seconds = "yyyyMMddHHmmss";

    /// <summary>A time to the second, in UTC.</summary>
    public static string Format(DateTimeOffset time) => time.UtcDateTime.ToString(Seconds + "'Z'", CultureInfo.InvariantCulture);

    /// <summary>Reads a time: at least its hour, any fraction, with a zone.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out DateTimeOffset time)
    {
        time = default;
        int digits = text.IndexOfAnyExceptInRange('0', '9');
        if (digits is not (10 or 12 or 14))
            return false;
        Span<char> whole = stackalloc char[Seconds.Length];
        whole.Fill('0');
        text[..digits].CopyTo(whole);
        var rest = text[digits..];
        double fraction = 0;
        if (rest[0] is '.' or ',')
        {
            rest = rest[1..];
            int count = rest.IndexOfAnyExceptInRange('0', '9');
            if (count is < 1 or > 15)
                return false;
            fraction = double.Parse(rest[..count], CultureInfo.InvariantCulture) / Math.Pow(10, count);
            rest = rest[count..];
        }

        // A leap second is the next one's beginning.
        bool leap = whole[12..].SequenceEqual("60");
        if (leap)
            "59".CopyTo(whole[12..]);
        if (!TryZone(rest, out var zone) || !DateTime.TryParseExact(whole, Seconds, CultureInfo.InvariantCulture, DateTimeStyles.None, out var local))
            return false;
        double unit = digits switch { 10 => TimeSpan.TicksPerHour, 12 => TimeSpan.TicksPerMinute, _ => TimeSpan.TicksPerSecond };
        long ticks = local.Ticks + (long)(fraction * unit) + (leap ? TimeSpan.TicksPerSecond : 0) - zone.Ticks;
        if (ticks < 0 || ticks > DateTime.MaxValue.Ticks)
            return false;
        time = new DateTimeOffset(ticks, TimeSpan.Zero);
        return true;
    }

    private static bool TryZone(ReadOnlySpan<char> text, out TimeSpan zone)
    {
        zone = default;
        if (text is "Z")
            return true;
        if (text.Length is not (3 or 5) || text[0] is not ('+' or '-') || text[1..].ContainsAnyExceptInRange('0', '9'))
            return false;
        int hours = int.Parse(text[1..3], CultureInfo.InvariantCulture), minutes = text.Length == 5 ? int.Parse(text[3..], CultureInfo.InvariantCulture) : 0;
        zone = new TimeSpan(hours, minutes, 0) * (text[0] == '-' ? -1 : 1);
        return hours < 24 && minutes < 60;
    }
}

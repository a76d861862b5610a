using System.Globalization;
using Candela.Model;

namespace Candela.Controller.Volumes;

/// <summary>Driver options of a volume.</summary>
internal static class VolumeOptions
{
    private const string Units = "bkmgt";

    /// <summary>The size that is asked for, bytes; 0: none.</summary>
    /// <exception cref="CandelaException">InvalidArgument; NotSupported for options that the local driver of Docker has and a disk has not.</exception>
    public static long SizeBytes(IReadOnlyDictionary<string, string> options)
    {
        foreach (var name in options.Keys)
        {
            if (name != "size")
                throw new CandelaException(ErrorCode.NotSupported, $"the volume option {name} is not supported: a volume is a disk of its own, and has the option size");
        }

        return options.TryGetValue("size", out var text) ? Parse(text) : 0;
    }

    private static long Parse(string text)
    {
        var digits = text.AsSpan().TrimEnd();
        var shift = 0;
        if (digits.Length > 0 && Units.IndexOf(char.ToLowerInvariant(digits[^1]), StringComparison.Ordinal) is var unit and >= 0)
        {
            shift = 10 * unit;
            digits = digits[..^1];
        }

        return long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0 && number <= long.MaxValue >> shift
            ? number << shift
            : throw new CandelaException(ErrorCode.InvalidArgument, $"invalid size: '{text}': a number of bytes, or one with k, m, g or t");
    }
}

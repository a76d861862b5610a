using System.Text;

namespace Candela.Identity.Certificates.Names;

/// <summary>
/// Decodes the ASCII form of international labels (RFC 3492). <see cref="System.Globalization.IdnMapping"/> takes what RFC 5891 forbids
/// (upper case, forms that another label encodes); here only the one canonical form of a label passes.
/// </summary>
internal static class Punycode
{
    private const int Base = 36, MinimumThreshold = 1, MaximumThreshold = 26, Skew = 38, Damp = 700, InitialBias = 72, InitialCode = 0x80;
    private const int LabelLength = 63;

    /// <summary>The label's characters; null when it is not the canonical form of any.</summary>
    /// <param name="encoded">Without <c>xn--</c>, in lower case.</param>
    public static string? TryDecode(string encoded)
    {
        if (encoded.Length is 0 or > LabelLength)
            return null;
        var delimiter = encoded.LastIndexOf('-');
        var output = new List<Rune>();
        foreach (var c in encoded.AsSpan(0, Math.Max(delimiter, 0)))
            output.Add(new Rune(c));
        int code = InitialCode, bias = InitialBias, position = 0;
        var at = delimiter < 0 ? 0 : delimiter + 1;
        if (at == encoded.Length)
            return null;
        while (at < encoded.Length)
        {
            long index = position, weight = 1;
            for (var k = Base; ; k += Base)
            {
                if (at == encoded.Length || DigitOf(encoded[at++]) is not { } digit)
                    return null;
                index += digit * weight;
                var threshold = Math.Clamp(k - bias, MinimumThreshold, MaximumThreshold);
                if (digit < threshold)
                    break;
                weight *= Base - threshold;
                if (index > int.MaxValue || weight > int.MaxValue)
                    return null;
            }

            var count = output.Count + 1;
            bias = Adapt(index - position, count, position == 0 && output.Count == Math.Max(delimiter, 0));
            if (index / count > 0x10ffff - code)
                return null;
            code += (int)(index / count);
            position = (int)(index % count);
            if (!Rune.IsValid(code))
                return null;
            output.Insert(position++, new Rune(code));
        }

        var text = string.Concat(output);
        return Encode(output) == encoded ? text : null;
    }

    private static string Encode(List<Rune> input)
    {
        var output = new StringBuilder();
        foreach (var rune in input.Where(r => r.IsAscii))
            output.Append((char)rune.Value);
        int basic = output.Length, handled = basic, code = InitialCode, bias = InitialBias;
        long delta = 0;
        if (basic > 0)
            output.Append('-');
        while (handled < input.Count)
        {
            var next = input.Where(r => r.Value >= code).Min(r => r.Value);
            delta += (long)(next - code) * (handled + 1);
            code = next;
            foreach (var rune in input)
            {
                if (rune.Value < code)
                    delta++;
                if (rune.Value != code)
                    continue;
                var rest = delta;
                for (var k = Base; ; k += Base)
                {
                    var threshold = Math.Clamp(k - bias, MinimumThreshold, MaximumThreshold);
                    if (rest < threshold)
                        break;
                    output.Append(CharacterOf(threshold + (rest - threshold) % (Base - threshold)));
                    rest = (rest - threshold) / (Base - threshold);
                }

                output.Append(CharacterOf(rest));
                bias = Adapt(delta, handled + 1, handled == basic);
                delta = 0;
                handled++;
            }

            delta++;
            code++;
        }

        return output.ToString();
    }

    private static int Adapt(long delta, int count, bool first)
    {
        delta = first ? delta / Damp : delta / 2;
        delta += delta / count;
        var k = 0;
        for (; delta > (Base - MinimumThreshold) * MaximumThreshold / 2; k += Base)
            delta /= Base - MinimumThreshold;
        return k + (int)((Base - MinimumThreshold + 1) * delta / (delta + Skew));
    }

    private static int? DigitOf(char c) => c switch
    {
        >= 'a' and <= 'z' => c - 'a',
        >= '0' and <= '9' => c - '0' + 26,
        _ => null,
    };

    private static char CharacterOf(long digit) => (char)(digit < 26 ? 'a' + digit : '0' + digit - 26);
}

namespace Candela.Identity.Authentication;

/// <summary>Base32 without padding (RFC 4648, 6).</summary>
internal static class Base32
{
    private const string Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

    public static string Encode(ReadOnlySpan<byte> bytes)
    {
        var text = new char[(bytes.Length * 8 + 4) / 5];
        int waiting = 0, bits = 0, at = 0;
        foreach (byte b in bytes)
        {
            waiting = (waiting << 8) | b;
            for (bits += 8; bits >= 5; bits -= 5)
                text[at++] = Alphabet[(waiting >> (bits - 5)) & 31];
        }

        if (bits > 0)
            text[at] = Alphabet[(waiting << (5 - bits)) & 31];
        return new string(text);
    }
}

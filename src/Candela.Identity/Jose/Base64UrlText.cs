using System.Buffers;
using System.Buffers.Text;
using System.Text;

namespace Candela.Identity.Jose;

/// <summary>base64url without padding (RFC 7515, section 2); strictly: one value has one spelling.</summary>
internal static class Base64UrlText
{
    private static readonly SearchValues<char> Alphabet = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");

    public static string Encode(ReadOnlySpan<byte> value) => Base64Url.EncodeToString(value);

    public static string Encode(string text) => Encode(Encoding.UTF8.GetBytes(text));

    /// <summary>Null: not base64url, or not in its one form.</summary>
    public static byte[]? TryDecode(ReadOnlySpan<char> text)
    {
        var rest = text.Length % 4;
        if (text.ContainsAnyExcept(Alphabet) || rest == 1)
            return null;
        // Bits of the last character that belong to no byte must be zero; the decoder throws otherwise.
        var spare = rest switch { 2 => 0b1111, 3 => 0b11, _ => 0 };
        return spare != 0 && (SextetOf(text[^1]) & spare) != 0 ? null : Base64Url.DecodeFromChars(text);
    }

    private static int SextetOf(char c) => c switch
    {
        >= 'A' and <= 'Z' => c - 'A',
        >= 'a' and <= 'z' => c - 'a' + 26,
        >= '0' and <= '9' => c - '0' + 52,
        '-' => 62,
        _ => 63,
    };
}

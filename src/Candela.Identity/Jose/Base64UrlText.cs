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
        if (text.ContainsAnyExcept(Alphabet) || text.Length % 4 == 1)
            return null;
        var value = Base64Url.DecodeFromChars(text);
        // Bits that belong to no byte must be zero.
        return text.Length % 4 == 0 || Base64Url.EncodeToString(value).AsSpan().SequenceEqual(text) ? value : null;
    }
}

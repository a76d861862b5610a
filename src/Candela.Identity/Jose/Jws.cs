using System.Buffers.Text;
using System.Text;

namespace Candela.Identity.Jose;

/// <summary>Makes signed tokens in compact form (RFC 7515, section 3.1).</summary>
internal static class Jws
{
    /// <summary>A token signed with the present key, by the keys' algorithm.</summary>
    /// <param name="keys">Keys.</param>
    /// <param name="type">Its <c>typ</c>.</param>
    /// <param name="claims">JSON object.</param>
    public static string Sign(JwtSigningKeys keys, string type, ReadOnlySpan<byte> claims)
    {
        var (id, key) = keys.Current();
        var header = Encoding.ASCII.GetBytes($$"""{"alg":"{{keys.Algorithm.Name}}","kid":"{{id}}","typ":"{{type}}"}""");
        var headerLength = Base64Url.GetEncodedLength(header.Length);
        var input = new byte[headerLength + 1 + Base64Url.GetEncodedLength(claims.Length)];
        Base64Url.EncodeToUtf8(header, input);
        input[headerLength] = (byte)'.';
        Base64Url.EncodeToUtf8(claims, input.AsSpan(headerLength + 1));
        return $"{Encoding.ASCII.GetString(input)}.{Base64UrlText.Encode(key.Sign(input))}";
    }
}

using System.Text;
using System.Text.Json;

namespace Candela.Identity.Jose;

/// <summary>A signed message in compact form (RFC 7515, section 3.1), read but not yet verified.</summary>
internal sealed record CompactJws(JsonElement Header, JsonElement Payload, byte[] Input, byte[] Signature)
{
    /// <summary>Longest message, characters.</summary>
    public const int Length = 16 * 1024;

    /// <exception cref="JoseException">Not such a message, or its payload not a JSON object.</exception>
    public static CompactJws Read(string text)
    {
        if (text.Length > Length)
            throw new JoseException($"the token has more than {Length} characters");
        var parts = text.Split('.');
        if (parts.Length != 3)
            throw new JoseException("the token has not three parts");
        if (Base64UrlText.TryDecode(parts[0]) is not { } header || Base64UrlText.TryDecode(parts[1]) is not { } payload || Base64UrlText.TryDecode(parts[2]) is not { } signature)
            throw new JoseException("a part of the token is not base64url");
        return new CompactJws(
            StrictJson.ReadObject(header, "the token's header"),
            StrictJson.ReadObject(payload, "the token's payload"),
            Encoding.ASCII.GetBytes($"{parts[0]}.{parts[1]}"),
            signature);
    }
}

using System.Text;
using System.Text.Json;

namespace Candela.Identity.Jose;

/// <summary>
/// A signed message in flattened JSON form (RFC 7515, section 7.2.2) as ACME uses it (RFC 8555, section 6.2): all headers protected. Read but
/// not yet verified.
/// </summary>
/// <param name="Header">Protected header.</param>
/// <param name="Payload">Payload; empty in a POST-as-GET.</param>
/// <param name="Input">What is signed.</param>
/// <param name="Signature">Signature.</param>
internal sealed record FlattenedJws(JsonElement Header, byte[] Payload, byte[] Input, byte[] Signature)
{
    /// <summary>Largest message, bytes.</summary>
    public const int Bytes = 64 * 1024;

    private static readonly string[] Members = ["protected", "payload", "signature"];

    /// <exception cref="JoseException">Not such a message.</exception>
    public static FlattenedJws Read(ReadOnlyMemory<byte> json)
    {
        if (json.Length > Bytes)
            throw new JoseException($"the message has more than {Bytes} bytes");
        return Read(StrictJson.ReadObject(json, "the message"));
    }

    /// <exception cref="JoseException">Not such a message.</exception>
    public static FlattenedJws Read(JsonElement message)
    {
        if (message.ValueKind != JsonValueKind.Object || message.EnumerateObject().FirstOrDefault(m => !Members.Contains(m.Name)) is { Value.ValueKind: not JsonValueKind.Undefined })
            throw new JoseException("the message has members besides protected, payload and signature");
        if (message.Text("protected") is not { } header || message.Text("payload") is not { } payload || message.Text("signature") is not { } signature ||
            Base64UrlText.TryDecode(header) is not { } headerBytes || Base64UrlText.TryDecode(payload) is not { } payloadBytes || Base64UrlText.TryDecode(signature) is not { } signatureBytes)
            throw new JoseException("protected, payload or signature is missing or not base64url");
        var read = StrictJson.ReadObject(headerBytes, "the protected header");
        if (read.TryGetProperty("crit", out _) || read.TryGetProperty("b64", out _))
            throw new JoseException("the extensions crit and b64 are not known here");
        return new FlattenedJws(read, payloadBytes, Encoding.ASCII.GetBytes($"{header}.{payload}"), signatureBytes);
    }
}

using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Candela.Identity.Certificates;
using Candela.Identity.Certificates.Requests;
using Candela.Model;

namespace Candela.Identity.Jose;

/// <summary>A public key in JSON (RFC 7517): EC on P-256 or P-384, or RSA of 2048 to 4096 bits. A key that holds a private part is refused.</summary>
internal sealed class JsonWebKey
{
    private static readonly string[] PrivateMembers = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

    private JsonWebKey(PublicKeyInfo key, string thumbprintInput)
    {
        Key = key;
        ThumbprintInput = thumbprintInput;
        Thumbprint = Base64UrlText.Encode(SHA256.HashData(Encoding.UTF8.GetBytes(thumbprintInput)));
    }

    public PublicKeyInfo Key { get; }

    /// <summary>SHA-256 thumbprint (RFC 7638), base64url.</summary>
    public string Thumbprint { get; }

    /// <summary>The key with its required members only, in the order of their names: canonical.</summary>
    public string ThumbprintInput { get; }

    /// <exception cref="JoseException">Not such a key.</exception>
    public static JsonWebKey Read(JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.Object)
            throw new JoseException("the key is not a JSON object");
        if (PrivateMembers.Any(name => value.TryGetProperty(name, out _)))
            throw new JoseException("the key holds a private part: it is to be considered stolen");
        return value.Text("kty") switch
        {
            "EC" => ReadEc(value),
            "RSA" => ReadRsa(value),
            _ => throw new JoseException("the key's type (kty) is neither EC nor RSA"),
        };
    }

    /// <param name="spki">SubjectPublicKeyInfo of such a key.</param>
    public static JsonWebKey Of(PublicKeyInfo spki)
    {
        var key = new AsnReader(spki.Der, AsnEncodingRules.DER).ReadSequence();
        key.ReadSequence();
        var content = key.ReadBitString(out _);
        if (spki.Type != CertificateKeyType.Rsa)
        {
            var half = (content.Length - 1) / 2;
            return new JsonWebKey(spki, EcText(spki.Type == CertificateKeyType.EcdsaP256 ? "P-256" : "P-384", content.AsSpan(1, half), content.AsSpan(1 + half)));
        }

        var numbers = new AsnReader(content, AsnEncodingRules.DER).ReadSequence();
        var modulus = numbers.ReadIntegerBytes().Span.TrimStart((byte)0);
        return new JsonWebKey(spki, RsaText(numbers.ReadIntegerBytes().Span.TrimStart((byte)0), modulus));
    }

    /// <summary>The members as JSON, to which others may be added.</summary>
    public void WriteMembers(Utf8JsonWriter writer)
    {
        foreach (var member in StrictJson.ReadObject(Encoding.UTF8.GetBytes(ThumbprintInput), "the key").EnumerateObject())
            member.WriteTo(writer);
    }

    private static JsonWebKey ReadEc(JsonElement value)
    {
        var (curve, length, oid) = value.Text("crv") switch
        {
            "P-256" => ("P-256", 32, "1.2.840.10045.3.1.7"),
            "P-384" => ("P-384", 48, "1.3.132.0.34"),
            _ => throw new JoseException("the key's curve (crv) is neither P-256 nor P-384"),
        };
        byte[] x = Bytes(value, "x"), y = Bytes(value, "y");
        if (x.Length != length || y.Length != length)
            throw new JoseException($"a coordinate of a key on {curve} has {length} bytes");
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            using (writer.PushSequence())
            {
                writer.WriteObjectIdentifier("1.2.840.10045.2.1");
                writer.WriteObjectIdentifier(oid);
            }

            writer.WriteBitString([4, .. x, .. y]);
        }

        return new JsonWebKey(ReadKey(writer.Encode()), EcText(curve, x, y));
    }

    private static JsonWebKey ReadRsa(JsonElement value)
    {
        byte[] modulus = Bytes(value, "n"), exponent = Bytes(value, "e");
        if (modulus.Length is 0 or > PublicKeyInfo.RsaBitsMaximum / 8 || exponent.Length is 0 or > 8 || modulus[0] == 0 || exponent[0] == 0)
            throw new JoseException("the RSA key's modulus or exponent is too long, or begins with a zero byte");
        var numbers = new AsnWriter(AsnEncodingRules.DER);
        using (numbers.PushSequence())
        {
            numbers.WriteIntegerUnsigned(modulus);
            numbers.WriteIntegerUnsigned(exponent);
        }

        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            using (writer.PushSequence())
            {
                writer.WriteObjectIdentifier("1.2.840.113549.1.1.1");
                writer.WriteNull();
            }

            writer.WriteBitString(numbers.Encode());
        }

        return new JsonWebKey(ReadKey(writer.Encode()), RsaText(exponent, modulus));
    }

    private static PublicKeyInfo ReadKey(byte[] spki)
    {
        try
        {
            return PublicKeyInfo.Read(spki);
        }
        catch (CandelaException e)
        {
            throw new JoseException(e.Message, e);
        }
    }

    private static byte[] Bytes(JsonElement value, string name) =>
        value.Text(name) is { } text && Base64UrlText.TryDecode(text) is { } bytes ? bytes : throw new JoseException($"the key's member {name} is missing or not base64url");

    private static string EcText(string curve, ReadOnlySpan<byte> x, ReadOnlySpan<byte> y) =>
        $$"""{"crv":"{{curve}}","kty":"EC","x":"{{Base64UrlText.Encode(x)}}","y":"{{Base64UrlText.Encode(y)}}"}""";

    private static string RsaText(ReadOnlySpan<byte> exponent, ReadOnlySpan<byte> modulus) =>
        $$"""{"e":"{{Base64UrlText.Encode(exponent)}}","kty":"RSA","n":"{{Base64UrlText.Encode(modulus)}}"}""";
}

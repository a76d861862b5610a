using System.Security.Cryptography;
using System.Text;
using Candela.Identity.Jose;

namespace Candela.Identity.OpenIdConnect.Grants;

/// <summary>Random values that are given out, and the digests that are kept of them.</summary>
internal static class Digest
{
    private const int ValueBytes = 32;

    /// <summary>256 random bits, base64url.</summary>
    public static string NewValue() => Base64UrlText.Encode(RandomNumberGenerator.GetBytes(ValueBytes));

    /// <summary>SHA-256, base64url.</summary>
    public static string Of(string value) => Base64UrlText.Encode(SHA256.HashData(Encoding.UTF8.GetBytes(value)));
}

using System.Security.Cryptography;
using Candela.Identity.Jose;
using Candela.Model;

namespace Candela.Identity.Machines;

/// <summary>
/// A one-time token by which a machine joins: <c>candela1.ID.SECRET.PIN</c>. The pin is the SHA-256 of the root's certificate, so that the
/// machine knows the controller before it trusts it with the secret.
/// </summary>
/// <param name="Id">Names the token; no secret.</param>
/// <param name="Secret">256 random bits; kept only as their hash.</param>
/// <param name="RootSha256">SHA-256 of the root's certificate in DER.</param>
public sealed record JoinToken(string Id, ReadOnlyMemory<byte> Secret, ReadOnlyMemory<byte> RootSha256)
{
    private const string Prefix = "candela1";
    private const int IdBytes = 16;
    private const int SecretBytes = 32;

    /// <summary>Reads a token.</summary>
    /// <exception cref="CandelaException">Unauthenticated: not a token.</exception>
    public static JoinToken Parse(string text) =>
        text.Length <= 256 && text.Split('.') is [Prefix, var id, var secret, var pin] && Base64UrlText.TryDecode(id) is { Length: IdBytes } &&
        Base64UrlText.TryDecode(secret) is { Length: SecretBytes } secretBytes && Base64UrlText.TryDecode(pin) is { Length: SHA256.HashSizeInBytes } pinBytes
            ? new JoinToken(id, secretBytes, pinBytes)
            : throw new CandelaException(ErrorCode.Unauthenticated, "this is not a join token: it begins with candela1.");

    /// <summary>The token as text: a secret.</summary>
    public string ToText() => $"{Prefix}.{Id}.{Base64UrlText.Encode(Secret.Span)}.{Base64UrlText.Encode(RootSha256.Span)}";

    /// <summary>Says nothing of the secret.</summary>
    public override string ToString() => $"join token {Id}";

    internal static JoinToken New(ReadOnlySpan<byte> root) =>
        new(Base64UrlText.Encode(RandomNumberGenerator.GetBytes(IdBytes)), RandomNumberGenerator.GetBytes(SecretBytes), SHA256.HashData(root));
}

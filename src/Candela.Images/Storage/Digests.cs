using System.Buffers;
using System.Security.Cryptography;
using System.Text;
using Candela.Model;

namespace Candela.Images.Storage;

/// <summary>Digests of the form <c>sha256:HEX</c>, the only algorithm supported.</summary>
internal static class Digests
{
    private const string Prefix = "sha256:";
    private const int HexLength = 64;
    private const int ShortLength = 12;

    private static readonly SearchValues<char> _hexDigits = SearchValues.Create("0123456789abcdef");

    /// <summary>Whether the text is a well-formed digest.</summary>
    public static bool IsValid(string? text) =>
        text is not null && text.Length == Prefix.Length + HexLength && text.StartsWith(Prefix, StringComparison.Ordinal) && IsHex(text.AsSpan(Prefix.Length));

    /// <summary>Whether all characters are lower-case hexadecimal digits.</summary>
    public static bool IsHex(ReadOnlySpan<char> text) => !text.ContainsAnyExcept(_hexDigits);

    /// <summary>The digits of a well-formed digest.</summary>
    /// <exception cref="CandelaException">ImageInvalid when it is none: it must never reach a path.</exception>
    public static string Hex(string digest) =>
        IsValid(digest) ? digest[Prefix.Length..] : throw new CandelaException(ErrorCode.ImageInvalid, $"unsupported digest '{digest}': only sha256 is supported");

    /// <summary>The first digits, as in Docker's output.</summary>
    public static string Short(string digest) => Hex(digest)[..ShortLength];

    /// <summary>A finished hash as a digest.</summary>
    public static string Format(ReadOnlySpan<byte> hash) => Prefix + Convert.ToHexStringLower(hash);

    /// <summary>Digest of bytes.</summary>
    public static string Of(ReadOnlySpan<byte> content) => Format(SHA256.HashData(content));

    /// <summary>Chain id of layers (OCI image-spec, config.md): names the file system that they become.</summary>
    public static string ChainId(IReadOnlyList<string> diffIds)
    {
        if (diffIds.Count == 0)
            return Of([]);
        string chain = diffIds[0];
        for (int i = 1; i < diffIds.Count; i++)
            chain = Of(Encoding.UTF8.GetBytes($"{chain} {diffIds[i]}"));
        return chain;
    }
}

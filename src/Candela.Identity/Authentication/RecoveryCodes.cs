using System.Security.Cryptography;
using System.Text;

namespace Candela.Identity.Authentication;

/// <summary>Codes for who has lost the authenticator: 80 random bits each, so a plain digest is kept of them.</summary>
internal static class RecoveryCodes
{
    /// <summary>How many an account gets.</summary>
    public const int Count = 10;

    private const int SecretBytes = 10;
    private const int GroupLength = 4;

    /// <summary>Codes to show and the digests to keep.</summary>
    public static (string[] Codes, byte[][] Digests) Make()
    {
        var codes = new string[Count];
        for (int i = 0; i < Count; i++)
            codes[i] = string.Join('-', Base32.Encode(RandomNumberGenerator.GetBytes(SecretBytes)).Chunk(GroupLength).Select(group => new string(group)));
        return (codes, [.. codes.Select(Digest)]);
    }

    /// <summary>Index of a code's digest; -1: none.</summary>
    public static int Find(byte[][] digests, string code)
    {
        int found = -1;
        var digest = Digest(code);
        for (int i = 0; i < digests.Length; i++)
        {
            if (CryptographicOperations.FixedTimeEquals(digests[i], digest))
                found = i;
        }

        return found;
    }

    private static byte[] Digest(string code) =>
        SHA256.HashData(Encoding.UTF8.GetBytes(code.Replace("-", "", StringComparison.Ordinal).Replace(" ", "", StringComparison.Ordinal).ToUpperInvariant()));
}

using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using Candela.Identity.Authentication.Native;

namespace Candela.Identity.Authentication;

/// <summary>Cost of an Argon2id hash (RFC 9106).</summary>
/// <param name="MemoryKibibytes">Memory, KiB; 8 to 1 GiB.</param>
/// <param name="Passes">Passes over it; 1 to 64.</param>
/// <param name="Lanes">Threads; 1 to 16.</param>
public readonly record struct PasswordCost(uint MemoryKibibytes, uint Passes, uint Lanes)
{
    /// <summary>
    /// What OWASP's Password Storage Cheat Sheet asks for: tens of milliseconds of a core. One lane, since the memory bandwidth and the cores
    /// are shared with containers.
    /// </summary>
    public static readonly PasswordCost Default = new(19 * 1024, 2, 1);

    internal bool IsValid => MemoryKibibytes is >= 8 and <= 1 << 20 && Passes is >= 1 and <= 64 && Lanes is >= 1 and <= 16 && MemoryKibibytes >= 8 * Lanes;
}

/// <summary>
/// Salted slow hash of a password as text, with its parameters:
/// <c>$argon2id$v=19$m=KIB,t=PASSES,p=LANES$SALT$TAG</c>, base64 without padding (the PHC string format).
/// </summary>
internal static class PasswordHash
{
    private const string Prefix = "$argon2id$v=19$";
    private const int SaltBytes = 16;
    private const int TagBytes = 32;

    /// <summary>Hashes with a new salt.</summary>
    public static string Make(string password, PasswordCost cost)
    {
        Span<byte> salt = stackalloc byte[SaltBytes];
        RandomNumberGenerator.Fill(salt);
        Span<byte> tag = stackalloc byte[TagBytes];
        Compute(password, cost, salt, tag);
        return string.Create(CultureInfo.InvariantCulture, $"{Prefix}m={cost.MemoryKibibytes},t={cost.Passes},p={cost.Lanes}${Text(salt)}${Text(tag)}");
    }

    /// <summary>The password is the one that was hashed. Takes the same time whether it is or not.</summary>
    /// <exception cref="CryptographicException">The hash is damaged, or of a format that this version does not know.</exception>
    public static bool Verify(string password, string hash)
    {
        var (cost, salt, expected) = Parse(hash) ?? throw new CryptographicException("A stored password hash is damaged, or of a format that this version does not know.");
        Span<byte> tag = stackalloc byte[TagBytes];
        Compute(password, cost, salt, tag);
        return CryptographicOperations.FixedTimeEquals(tag, expected);
    }

    /// <summary>The hash was made with another cost and should be made anew.</summary>
    public static bool IsOutdated(string hash, PasswordCost cost) => Parse(hash)?.Cost != cost;

    /// <summary>The text is a hash of this format, with a bearable cost.</summary>
    public static bool IsValid(string hash) => Parse(hash) is not null;

    private static (PasswordCost Cost, byte[] Salt, byte[] Tag)? Parse(string hash)
    {
        if (hash.Length > 512 || !hash.StartsWith(Prefix, StringComparison.Ordinal))
            return null;
        var parts = hash[Prefix.Length..].Split('$');
        if (parts.Length != 3 || parts[0].Split(',') is not [['m', '=', .. var m], ['t', '=', .. var t], ['p', '=', .. var p]])
            return null;
        if (!Number(m, out uint memory) || !Number(t, out uint passes) || !Number(p, out uint lanes))
            return null;
        var cost = new PasswordCost(memory, passes, lanes);
        return cost.IsValid && Bytes(parts[1]) is { Length: >= 8 and <= 64 } salt && Bytes(parts[2]) is { Length: TagBytes } tag ? (cost, salt, tag) : null;
    }

    private static unsafe void Compute(string password, PasswordCost cost, ReadOnlySpan<byte> salt, Span<byte> tag)
    {
        var bytes = Encoding.UTF8.GetBytes(password);
        try
        {
            fixed (byte* pwd = bytes, saltStart = salt, tagStart = tag)
            {
                int error = Argon2.argon2id_hash_raw(
                    cost.Passes, cost.MemoryKibibytes, cost.Lanes, pwd, (nuint)bytes.Length, saltStart, (nuint)salt.Length, tagStart, (nuint)tag.Length);
                if (error != Argon2.ARGON2_OK)
                    throw new CryptographicException($"Cannot hash a password: {Marshal.PtrToStringUTF8(Argon2.argon2_error_message(error))}");
            }
        }
        finally
        {
            CryptographicOperations.ZeroMemory(bytes);
        }
    }

    private static bool Number(string text, out uint value) => uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value);

    private static string Text(ReadOnlySpan<byte> bytes) => Convert.ToBase64String(bytes).TrimEnd('=');

    private static byte[]? Bytes(string text)
    {
        var padded = text.PadRight((text.Length + 3) & ~3, '=');
        var bytes = new byte[padded.Length];
        return Convert.TryFromBase64String(padded, bytes, out int length) ? bytes[..length] : null;
    }
}

using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Candela.Identity.Authentication;

/// <summary>Time-based one-time codes (RFC 6238) as authenticator programs take them: HMAC-SHA1, six digits, 30 seconds.</summary>
internal static class Totp
{
    /// <summary>Bytes of a key: the length of the HMAC's output (RFC 4226, 4, R6).</summary>
    public const int SecretBytes = 20;

    /// <summary>Digits of a code.</summary>
    public const int DigitCount = 6;

    /// <summary>Seconds that a code is shown.</summary>
    public const int StepSeconds = 30;

    /// <summary>Steps before and after the present one that are taken, for clocks that differ and people that type (RFC 6238, 5.2).</summary>
    private const int SkewCount = 1;

    /// <summary>The step of a time.</summary>
    public static long StepOf(DateTimeOffset time) => time.ToUnixTimeSeconds() / StepSeconds;

    /// <summary>The code of a step (RFC 4226, 5.3).</summary>
    public static string Code(ReadOnlySpan<byte> secret, long step)
    {
        Span<byte> counter = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64BigEndian(counter, step);
        Span<byte> mac = stackalloc byte[HMACSHA1.HashSizeInBytes];
#pragma warning disable CA5350 // HMAC-SHA1 is what RFC 6238 and all authenticator programs use; it is not weak as a MAC.
        HMACSHA1.HashData(secret, counter, mac);
#pragma warning restore CA5350
        uint number = BinaryPrimitives.ReadUInt32BigEndian(mac[(mac[^1] & 0xf)..]) & 0x7fff_ffff;
        return (number % 1_000_000).ToString("D6", CultureInfo.InvariantCulture);
    }

    /// <summary>The step whose code it is, later than the last one used; null: none.</summary>
    public static long? Match(ReadOnlySpan<byte> secret, string code, DateTimeOffset now, long lastStep)
    {
        if (code.Length != DigitCount)
            return null;
        long? found = null;
        var given = Encoding.UTF8.GetBytes(code);
        for (long step = StepOf(now) - SkewCount; step <= StepOf(now) + SkewCount; step++)
        {
            // Every step is looked at: how long it takes says nothing.
            if (CryptographicOperations.FixedTimeEquals(given, Encoding.ASCII.GetBytes(Code(secret, step))) && step > lastStep)
                found = step;
        }

        return found;
    }

    /// <summary>Address that authenticator programs take in (https://github.com/google/google-authenticator/wiki/Key-Uri-Format).</summary>
    public static string Uri(string secret, string account) =>
        string.Create(CultureInfo.InvariantCulture, $"otpauth://totp/Candela:{System.Uri.EscapeDataString(account)}?secret={secret}&issuer=Candela&algorithm=SHA1&digits={DigitCount}&period={StepSeconds}");
}

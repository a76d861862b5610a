using System.Security.Cryptography;

namespace Candela.Identity.Certificates;

/// <summary>Serial numbers: 128 random bits (RFC 5280, section 4.1.2.2 allows 20 bytes), never with a leading zero byte, so that all are of one length.</summary>
internal static class SerialNumber
{
    /// <summary>Bytes.</summary>
    public const int Bytes = 16;

    public static byte[] New()
    {
        var serial = RandomNumberGenerator.GetBytes(Bytes);
        while (serial[0] == 0)
            RandomNumberGenerator.Fill(serial.AsSpan(0, 1));
        return serial;
    }

    public static string TextOf(ReadOnlySpan<byte> serial) => Convert.ToHexString(serial);
}

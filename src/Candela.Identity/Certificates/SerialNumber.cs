using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

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

    /// <summary>A certificate's, without the zero byte that keeps its number positive.</summary>
    public static string TextOf(X509Certificate2 certificate) => TextOf(certificate.SerialNumberBytes.Span.TrimStart((byte)0));

    public static string TextOf(ReadOnlySpan<byte> serial) => Convert.ToHexString(serial);

    /// <summary>As an ASN.1 INTEGER's content: a zero byte before a number that would be negative.</summary>
    public static byte[] Signed(string text) => Convert.FromHexString(text) is var serial && serial[0] >= 0x80 ? [0, .. serial] : serial;
}

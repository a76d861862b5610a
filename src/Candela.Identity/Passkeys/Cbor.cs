using System.Formats.Cbor;
using System.Security.Cryptography;

namespace Candela.Identity.Passkeys;

/// <summary>Reads CBOR (RFC 8949) from strangers: no duplicate keys, and every failure is one.</summary>
internal static class Cbor
{
    /// <summary>Largest CBOR that is looked at, bytes.</summary>
    public const int Bytes = 16 * 1024;

    /// <summary>Reads one value, and what follows it.</summary>
    /// <exception cref="PasskeyException">It is malformed, or too large.</exception>
    public static (T Value, ReadOnlyMemory<byte> Remainder) Read<T>(ReadOnlyMemory<byte> data, Func<CborReader, T> read)
    {
        if (data.Length > Bytes)
            throw new PasskeyException($"the CBOR has more than {Bytes} bytes");
        var reader = new CborReader(data, CborConformanceMode.Strict, allowMultipleRootLevelValues: true);
        try
        {
            var value = read(reader);
            return (value, data[^reader.BytesRemaining..]);
        }
        catch (Exception e) when (e is CborContentException or InvalidOperationException or OverflowException or CryptographicException)
        {
            throw new PasskeyException("the CBOR is malformed", e);
        }
    }
}

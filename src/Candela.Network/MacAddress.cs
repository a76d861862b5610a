using System.Globalization;
using System.Net;

namespace Candela.Network;

/// <summary>An Ethernet address of 48 bits (IEEE 802).</summary>
/// <param name="Value">The address as a number, first octet most significant.</param>
public readonly record struct MacAddress(ulong Value)
{
    /// <summary>Length on the wire, bytes.</summary>
    public const int Length = 6;

    /// <summary>The link-local IPv6 address that a kernel derives from it (RFC 4291, appendix A).</summary>
    public IPAddress LinkLocal
    {
        get
        {
            Span<byte> address = stackalloc byte[16];
            address.Clear();
            (address[0], address[1], address[11], address[12]) = (0xfe, 0x80, 0xff, 0xfe);
            Span<byte> octets = stackalloc byte[Length];
            Write(octets);
            octets[0] ^= 2;
            octets[..3].CopyTo(address[8..]);
            octets[3..].CopyTo(address[13..]);
            return new IPAddress(address);
        }
    }

    /// <summary>Reads six octets.</summary>
    public static MacAddress Read(ReadOnlySpan<byte> octets)
    {
        ulong value = 0;
        for (int i = 0; i < Length; i++)
            value = (value << 8) | octets[i];
        return new MacAddress(value);
    }

    /// <summary>Reads the colon form, e.g. <c>02:cd:00:00:00:01</c>.</summary>
    /// <exception cref="FormatException">It is another form.</exception>
    public static MacAddress Parse(string text) =>
        TryParse(text, out MacAddress address) ? address : throw new FormatException($"'{text}' is no MAC address like 02:cd:00:00:00:01");

    /// <summary>Reads the colon form, e.g. <c>02:cd:00:00:00:01</c>.</summary>
    public static bool TryParse(string text, out MacAddress address)
    {
        address = default;
        string[] parts = text.Split(':');
        if (parts.Length != Length)
            return false;
        ulong value = 0;
        foreach (string part in parts)
        {
            if (part.Length != 2 || !byte.TryParse(part, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out byte octet))
                return false;
            value = (value << 8) | octet;
        }

        address = new MacAddress(value);
        return true;
    }

    /// <summary>Writes six octets.</summary>
    public void Write(Span<byte> octets)
    {
        for (int i = 0; i < Length; i++)
            octets[i] = (byte)(Value >> (8 * (Length - 1 - i)));
    }

    /// <inheritdoc/>
    public override string ToString()
    {
        Span<byte> octets = stackalloc byte[Length];
        Write(octets);
        return $"{octets[0]:x2}:{octets[1]:x2}:{octets[2]:x2}:{octets[3]:x2}:{octets[4]:x2}:{octets[5]:x2}";
    }
}

using System.Buffers.Binary;
using System.Text;

namespace Candela.Vmm.Acpi;

/// <summary>The few AML terms that the DSDT needs (ACPI 6.4, chapter 20; resource descriptors, section 6.4).</summary>
internal static class Aml
{
    private const byte NameOp = 0x08, BytePrefix = 0x0a, DWordPrefix = 0x0c, StringPrefix = 0x0d, ScopeOp = 0x10, BufferOp = 0x11, ExtOpPrefix = 0x5b, DeviceOp = 0x82;

    /// <summary>DefScope (20.2.5.1).</summary>
    public static byte[] Scope(string path, params byte[][] terms) => [ScopeOp, .. Package([.. Encoding.ASCII.GetBytes(path), .. terms.SelectMany(term => term)])];

    /// <summary>DefDevice (20.2.5.2); the name has four characters.</summary>
    public static byte[] Device(string name, params byte[][] terms) => [ExtOpPrefix, DeviceOp, .. Package([.. Encoding.ASCII.GetBytes(name), .. terms.SelectMany(term => term)])];

    /// <summary>DefName (20.2.5.1).</summary>
    public static byte[] Name(string name, byte[] value) => [NameOp, .. Encoding.ASCII.GetBytes(name), .. value];

    /// <summary>String (20.2.3).</summary>
    public static byte[] Text(string value) => [StringPrefix, .. Encoding.ASCII.GetBytes(value), 0];

    /// <summary>ByteConst (20.2.3).</summary>
    public static byte[] Byte(byte value) => [BytePrefix, value];

    /// <summary>DWordConst (20.2.3).</summary>
    public static byte[] DWord(uint value)
    {
        byte[] term = [DWordPrefix, 0, 0, 0, 0];
        BinaryPrimitives.WriteUInt32LittleEndian(term.AsSpan(1), value);
        return term;
    }

    /// <summary>An EISA id as EISAID() encodes it (19.3.4), for example PNP0501.</summary>
    public static byte[] EisaId(string id)
    {
        uint maker = (uint)((id[0] - '@') << 10 | (id[1] - '@') << 5 | (id[2] - '@'));
        uint product = Convert.ToUInt32(id[3..], 16);
        return DWord(BinaryPrimitives.ReverseEndianness(maker << 16 | product));
    }

    /// <summary>A buffer of resource descriptors with its end tag (6.4.2.9).</summary>
    public static byte[] Resources(params byte[][] descriptors)
    {
        byte[] content = [.. descriptors.SelectMany(descriptor => descriptor), 0x79, 0];
        return [BufferOp, .. Package([.. Byte((byte)content.Length), .. content])];
    }

    /// <summary>32-bit fixed memory range, writable (6.4.3.4).</summary>
    public static byte[] Memory32Fixed(uint address, uint lengthBytes)
    {
        byte[] descriptor = [0x86, 9, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0];
        BinaryPrimitives.WriteUInt32LittleEndian(descriptor.AsSpan(4), address);
        BinaryPrimitives.WriteUInt32LittleEndian(descriptor.AsSpan(8), lengthBytes);
        return descriptor;
    }

    /// <summary>I/O ports, 16-bit decoded (6.4.2.5).</summary>
    public static byte[] Ports(ushort start, byte count) => [0x47, 1, (byte)start, (byte)(start >> 8), (byte)start, (byte)(start >> 8), 1, count];

    /// <summary>Extended interrupt: consumer, edge-triggered, active high, exclusive (6.4.3.6).</summary>
    public static byte[] Interrupt(int gsi)
    {
        byte[] descriptor = [0x89, 6, 0, 0b0011, 1, 0, 0, 0, 0];
        BinaryPrimitives.WriteUInt32LittleEndian(descriptor.AsSpan(5), (uint)gsi);
        return descriptor;
    }

    // PkgLength counts itself (20.2.4).
    private static byte[] Package(byte[] content)
    {
        int length = content.Length + 1;
        if (length < 1 << 6)
            return [(byte)length, .. content];
        length++;
        if (length < 1 << 12)
            return [(byte)(0x40 | (length & 0xf)), (byte)(length >> 4), .. content];
        length++;
        return [(byte)(0x80 | (length & 0xf)), (byte)(length >> 4), (byte)(length >> 12), .. content];
    }
}

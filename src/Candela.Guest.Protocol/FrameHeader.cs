using System.Buffers.Binary;

namespace Candela.Guest.Protocol;

/// <summary>
/// The 24 bytes before each payload, little endian: u16 magic, u8 type, u8 flags, u32 payload length, u32 process,
/// u32 request, u64 position. One trailer byte follows the payload: a frame that was cut off and filled with zero
/// bytes lacks it and is dropped. Zero bytes between frames are skipped.
/// </summary>
internal readonly record struct FrameHeader(FrameType Type, byte Flags, int Length, uint Process, uint Request, ulong Position)
{
    public const int SizeBytes = 24;
    public const ushort Magic = 0xCA4D;
    public const byte Trailer = 0x5C;

    /// <summary>Largest whole frame: header, payload, trailer.</summary>
    public const int FrameMaxBytes = SizeBytes + ProtocolLimits.DataFrameBytes + 1;

    /// <summary>Another part of the same message follows.</summary>
    public const byte MoreFlag = 0x80;

    public bool More => (Flags & MoreFlag) != 0;

    public void Write(Span<byte> target)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(target, Magic);
        target[2] = (byte)Type;
        target[3] = Flags;
        BinaryPrimitives.WriteInt32LittleEndian(target[4..], Length);
        BinaryPrimitives.WriteUInt32LittleEndian(target[8..], Process);
        BinaryPrimitives.WriteUInt32LittleEndian(target[12..], Request);
        BinaryPrimitives.WriteUInt64LittleEndian(target[16..], Position);
    }

    /// <summary>False: no frame starts here, or its length is out of bounds.</summary>
    public static bool TryRead(ReadOnlySpan<byte> source, out FrameHeader header)
    {
        header = default;
        if (BinaryPrimitives.ReadUInt16LittleEndian(source) != Magic)
            return false;
        var length = BinaryPrimitives.ReadUInt32LittleEndian(source[4..]);
        if (length > ProtocolLimits.DataFrameBytes)
            return false;
        header = new FrameHeader(
            (FrameType)source[2],
            source[3],
            (int)length,
            BinaryPrimitives.ReadUInt32LittleEndian(source[8..]),
            BinaryPrimitives.ReadUInt32LittleEndian(source[12..]),
            BinaryPrimitives.ReadUInt64LittleEndian(source[16..]));
        return true;
    }
}

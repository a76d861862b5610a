using System.Buffers.Binary;

namespace Candela.Vmm.State;

/// <summary>Collects device state: little-endian numbers and counted bytes, in the order in which <see cref="StateReader"/> takes them out.</summary>
internal sealed class StateWriter
{
    private byte[] _bytes = new byte[4096];

    /// <summary>What was written.</summary>
    public ReadOnlySpan<byte> Written => _bytes.AsSpan(0, Length);

    /// <summary>How many bytes that is.</summary>
    public int Length { get; private set; }

    /// <summary>Adds a number.</summary>
    public void U8(byte value) => Take(1)[0] = value;

    /// <inheritdoc cref="U8"/>
    public void U16(ushort value) => BinaryPrimitives.WriteUInt16LittleEndian(Take(2), value);

    /// <inheritdoc cref="U8"/>
    public void U32(uint value) => BinaryPrimitives.WriteUInt32LittleEndian(Take(4), value);

    /// <inheritdoc cref="U8"/>
    public void U64(ulong value) => BinaryPrimitives.WriteUInt64LittleEndian(Take(8), value);

    /// <summary>Adds a truth value.</summary>
    public void Flag(bool value) => U8(value ? (byte)1 : (byte)0);

    /// <summary>Adds bytes and, before them, their count.</summary>
    public void Bytes(ReadOnlySpan<byte> value)
    {
        U32((uint)value.Length);
        value.CopyTo(Take(value.Length));
    }

    private Span<byte> Take(int count)
    {
        if (_bytes.Length - Length < count)
            Array.Resize(ref _bytes, Math.Max(_bytes.Length * 2, Length + count));
        Length += count;
        return _bytes.AsSpan(Length - count, count);
    }
}

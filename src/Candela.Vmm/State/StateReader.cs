using System.Buffers.Binary;

namespace Candela.Vmm.State;

/// <summary>Takes device state out again. It may be damaged or made by an enemy: nothing is read beyond its end.</summary>
internal ref struct StateReader(ReadOnlySpan<byte> bytes)
{
    private ReadOnlySpan<byte> _rest = bytes;

    /// <summary>Bytes that were not taken yet.</summary>
    public readonly int Remaining => _rest.Length;

    /// <summary>Takes a number.</summary>
    /// <exception cref="StateException">The state ends before.</exception>
    public byte U8() => Take(1)[0];

    /// <inheritdoc cref="U8"/>
    public ushort U16() => BinaryPrimitives.ReadUInt16LittleEndian(Take(2));

    /// <inheritdoc cref="U8"/>
    public uint U32() => BinaryPrimitives.ReadUInt32LittleEndian(Take(4));

    /// <inheritdoc cref="U8"/>
    public ulong U64() => BinaryPrimitives.ReadUInt64LittleEndian(Take(8));

    /// <summary>Takes a truth value.</summary>
    /// <exception cref="StateException">It is neither 0 nor 1, or the state ends before.</exception>
    public bool Flag() => U8() switch { 0 => false, 1 => true, _ => throw new StateException("a truth value is neither 0 nor 1") };

    /// <summary>Takes counted bytes.</summary>
    /// <exception cref="StateException">There are more than so many, or the state ends before.</exception>
    public ReadOnlySpan<byte> Bytes(int most)
    {
        uint count = U32();
        if (count > (uint)most)
            throw new StateException($"{count} bytes where at most {most} belong");
        return Take((int)count);
    }

    private ReadOnlySpan<byte> Take(int count)
    {
        if (count > _rest.Length)
            throw new StateException("it ends too early");
        ReadOnlySpan<byte> taken = _rest[..count];
        _rest = _rest[count..];
        return taken;
    }
}

using System.Buffers.Binary;
using System.Text;

namespace Candela.Guest.Protocol;

/// <summary>Appends values, little endian, to a buffer that grows up to <see cref="ProtocolLimits.MessageBytes"/>.</summary>
internal sealed class MessageWriter(int capacityBytes = 512)
{
    private byte[] _buffer = new byte[capacityBytes];
    private int _length;

    public ReadOnlySpan<byte> Written => _buffer.AsSpan(0, _length);

    public ReadOnlyMemory<byte> WrittenMemory => _buffer.AsMemory(0, _length);

    public void Clear() => _length = 0;

    public void U8(byte value) => Take(1)[0] = value;

    public void Bool(bool value) => U8(value ? (byte)1 : (byte)0);

    public void U16(ushort value) => BinaryPrimitives.WriteUInt16LittleEndian(Take(2), value);

    public void U32(uint value) => BinaryPrimitives.WriteUInt32LittleEndian(Take(4), value);

    public void I32(int value) => BinaryPrimitives.WriteInt32LittleEndian(Take(4), value);

    public void U64(ulong value) => BinaryPrimitives.WriteUInt64LittleEndian(Take(8), value);

    public void I64(long value) => BinaryPrimitives.WriteInt64LittleEndian(Take(8), value);

    public void Bytes(ReadOnlySpan<byte> value)
    {
        I32(value.Length);
        value.CopyTo(Take(value.Length));
    }

    public void Raw(ReadOnlySpan<byte> value) => value.CopyTo(Take(value.Length));

    public void Text(string value)
    {
        var length = Encoding.UTF8.GetByteCount(value);
        I32(length);
        Encoding.UTF8.GetBytes(value, Take(length));
    }

    public void Texts(IReadOnlyList<string> values)
    {
        I32(values.Count);
        for (var i = 0; i < values.Count; i++)
            Text(values[i]);
    }

    public void Pairs(IReadOnlyList<KeyValuePair<string, string>> values)
    {
        I32(values.Count);
        for (var i = 0; i < values.Count; i++)
        {
            Text(values[i].Key);
            Text(values[i].Value);
        }
    }

    private Span<byte> Take(int count)
    {
        var end = _length + count;
        if (end > ProtocolLimits.MessageBytes)
            throw new ArgumentException($"The message is larger than {ProtocolLimits.MessageBytes} bytes.");
        if (end > _buffer.Length)
            Array.Resize(ref _buffer, Math.Min(Math.Max(end, _buffer.Length * 2), ProtocolLimits.MessageBytes));
        var span = _buffer.AsSpan(_length, count);
        _length = end;
        return span;
    }
}

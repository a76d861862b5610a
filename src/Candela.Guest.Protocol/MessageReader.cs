using System.Buffers.Binary;
using System.Text;

namespace Candela.Guest.Protocol;

/// <summary>A message that cannot be read: cut off, or a count or length out of bounds.</summary>
internal sealed class MalformedMessageException(string message) : Exception(message);

/// <summary>Reads what <see cref="MessageWriter"/> wrote; never trusts a length or count.</summary>
internal ref struct MessageReader(ReadOnlySpan<byte> source)
{
    private ReadOnlySpan<byte> _rest = source;

    public readonly int Remaining => _rest.Length;

    public byte U8() => Take(1)[0];

    public bool Bool() => U8() switch
    {
        0 => false,
        1 => true,
        _ => throw new MalformedMessageException("A truth value is neither 0 nor 1."),
    };

    public ushort U16() => BinaryPrimitives.ReadUInt16LittleEndian(Take(2));

    public uint U32() => BinaryPrimitives.ReadUInt32LittleEndian(Take(4));

    public int I32() => BinaryPrimitives.ReadInt32LittleEndian(Take(4));

    public ulong U64() => BinaryPrimitives.ReadUInt64LittleEndian(Take(8));

    public long I64() => BinaryPrimitives.ReadInt64LittleEndian(Take(8));

    public ReadOnlySpan<byte> Bytes() => Take(I32());

    public string Text() => Encoding.UTF8.GetString(Bytes());

    /// <summary>A count of elements of at least <paramref name="elementBytes"/> each.</summary>
    public int Count(int elementBytes)
    {
        var count = I32();
        if (count < 0 || count > _rest.Length / elementBytes)
            throw new MalformedMessageException("A count is larger than the message.");
        return count;
    }

    public string[] Texts()
    {
        var values = new string[Count(4)];
        for (var i = 0; i < values.Length; i++)
            values[i] = Text();
        return values;
    }

    public KeyValuePair<string, string>[] Pairs()
    {
        var values = new KeyValuePair<string, string>[Count(8)];
        for (var i = 0; i < values.Length; i++)
        {
            var key = Text();
            values[i] = new KeyValuePair<string, string>(key, Text());
        }
        return values;
    }

    /// <summary>Nothing may be left over.</summary>
    public readonly void End()
    {
        if (_rest.Length != 0)
            throw new MalformedMessageException("Bytes are left over behind a message.");
    }

    private ReadOnlySpan<byte> Take(int count)
    {
        if (count < 0 || count > _rest.Length)
            throw new MalformedMessageException("A message is cut off.");
        var taken = _rest[..count];
        _rest = _rest[count..];
        return taken;
    }
}

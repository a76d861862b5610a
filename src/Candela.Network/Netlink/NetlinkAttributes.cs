using System.Buffers.Binary;
using System.Text;

namespace Candela.Network.Netlink;

/// <summary>Reads the attributes of a message, one after the other. Malformed ones end the reading.</summary>
internal ref struct NetlinkAttributes(ReadOnlySpan<byte> bytes)
{
    private ReadOnlySpan<byte> _rest = bytes;

    public ushort Type { get; private set; }

    public ReadOnlySpan<byte> Value { get; private set; }

    public readonly uint U32 => Value.Length >= 4 ? BinaryPrimitives.ReadUInt32LittleEndian(Value) : 0;

    public readonly uint U32BigEndian => Value.Length >= 4 ? BinaryPrimitives.ReadUInt32BigEndian(Value) : 0;

    public readonly ulong U64BigEndian => Value.Length >= 8 ? BinaryPrimitives.ReadUInt64BigEndian(Value) : 0;

    public readonly ushort U16 => Value.Length >= 2 ? BinaryPrimitives.ReadUInt16LittleEndian(Value) : (ushort)0;

    public readonly byte U8 => Value.IsEmpty ? (byte)0 : Value[0];

    public readonly string Text => Encoding.UTF8.GetString(Value.TrimEnd((byte)0));

    public readonly NetlinkAttributes Nested => new(Value);

    public bool Next()
    {
        if (_rest.Length < 4)
            return false;
        int length = BinaryPrimitives.ReadUInt16LittleEndian(_rest);
        if (length < 4 || length > _rest.Length)
            return false;
        Type = (ushort)(BinaryPrimitives.ReadUInt16LittleEndian(_rest[2..]) & 0x3fff);
        Value = _rest[4..length];
        _rest = _rest[Math.Min(NetlinkBatch.Align(length), _rest.Length)..];
        return true;
    }
}

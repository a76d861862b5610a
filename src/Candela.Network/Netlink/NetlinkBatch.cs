using System.Buffers.Binary;
using System.Net;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;

namespace Candela.Network.Netlink;

/// <summary>
/// Netlink messages in one buffer (netlink(7)): each with a header, a fixed part and attributes, which may nest. Integers are in the
/// byte order of the host unless a method says otherwise.
/// </summary>
internal sealed class NetlinkBatch
{
    public const ushort Request = 1, Ack = 4, Replace = 0x100, Excl = 0x200, Create = 0x400, Append = 0x800, Dump = 0x300;
    private const int HeaderBytes = 16;
    private const ushort Nested = 0x8000;

    private readonly List<Message> _messages = [];
    private byte[] _buffer = new byte[4096];
    private int _length, _start;

    /// <summary>What each message wants, for errors, and which errors are fine.</summary>
    public readonly record struct Message(string What, int[] Tolerated, ushort Type);

    public IReadOnlyList<Message> Messages => _messages;

    public ReadOnlySpan<byte> Bytes => _buffer.AsSpan(0, _length);

    public Span<byte> MutableBytes => _buffer.AsSpan(0, _length);

    public bool IsEmpty => _messages.Count == 0;

    /// <summary>Starts a message. <paramref name="tolerated"/> are errnos that count as success, e.g. EEXIST.</summary>
    public void Begin(ushort type, ushort flags, string what, params int[] tolerated)
    {
        _start = _length;
        Span<byte> header = Take(HeaderBytes);
        BinaryPrimitives.WriteUInt16LittleEndian(header[4..], type);
        BinaryPrimitives.WriteUInt16LittleEndian(header[6..], (ushort)(flags | Request));
        _messages.Add(new Message(what, tolerated, type));
    }

    /// <summary>Ends the message; the socket fills in sequence numbers.</summary>
    public void End() => BinaryPrimitives.WriteInt32LittleEndian(_buffer.AsSpan(_start), _length - _start);

    /// <summary>Appends the fixed part of a message.</summary>
    public void Fixed<T>(in T value)
        where T : unmanaged => MemoryMarshal.Write(Take(Align(Unsafe.SizeOf<T>())), value);

    public void Raw(ushort attribute, ReadOnlySpan<byte> value)
    {
        Span<byte> space = Take(Align(4 + value.Length));
        BinaryPrimitives.WriteUInt16LittleEndian(space, checked((ushort)(4 + value.Length)));
        BinaryPrimitives.WriteUInt16LittleEndian(space[2..], attribute);
        value.CopyTo(space[4..]);
    }

    public void U8(ushort attribute, byte value) => Raw(attribute, [value]);

    public void U16(ushort attribute, ushort value) => Raw(attribute, MemoryMarshal.AsBytes(new ReadOnlySpan<ushort>(in value)));

    public void U32(ushort attribute, uint value) => Raw(attribute, MemoryMarshal.AsBytes(new ReadOnlySpan<uint>(in value)));

    public void U16BigEndian(ushort attribute, ushort value) => U16(attribute, BinaryPrimitives.ReverseEndianness(value));

    public void U32BigEndian(ushort attribute, uint value) => U32(attribute, BinaryPrimitives.ReverseEndianness(value));

    public void U64BigEndian(ushort attribute, ulong value)
    {
        Span<byte> bytes = stackalloc byte[8];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, value);
        Raw(attribute, bytes);
    }

    /// <summary>A string with the terminating zero.</summary>
    public void Text(ushort attribute, string value)
    {
        Span<byte> bytes = stackalloc byte[Encoding.UTF8.GetMaxByteCount(value.Length) + 1];
        int count = Encoding.UTF8.GetBytes(value, bytes);
        bytes[count] = 0;
        Raw(attribute, bytes[..(count + 1)]);
    }

    public void Address(ushort attribute, IPAddress value)
    {
        Span<byte> bytes = stackalloc byte[16];
        value.TryWriteBytes(bytes, out int count);
        Raw(attribute, bytes[..count]);
    }

    public void Flag(ushort attribute) => Raw(attribute, default);

    /// <summary>Starts an attribute made of attributes.</summary>
    /// <returns>What <see cref="EndNest"/> wants.</returns>
    public int BeginNest(ushort attribute)
    {
        int start = _length;
        BinaryPrimitives.WriteUInt16LittleEndian(Take(4)[2..], (ushort)(attribute | Nested));
        return start;
    }

    public void EndNest(int start) => BinaryPrimitives.WriteUInt16LittleEndian(_buffer.AsSpan(start), checked((ushort)(_length - start)));

    /// <summary>Bytes of an open nest so far: an attribute holds at most 65,535.</summary>
    public int NestBytes(int start) => _length - start;

    internal static int Align(int length) => (length + 3) & ~3;

    private Span<byte> Take(int count)
    {
        if (_length + count > _buffer.Length)
            Array.Resize(ref _buffer, Math.Max(_buffer.Length * 2, _length + count));
        Span<byte> space = _buffer.AsSpan(_length, count);
        space.Clear();
        _length += count;
        return space;
    }
}

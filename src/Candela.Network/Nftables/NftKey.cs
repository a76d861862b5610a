using System.Buffers.Binary;
using System.Net;
using System.Text;

namespace Candela.Network.Nftables;

/// <summary>Builds keys and values of sets as they lie in registers: each field in network order (marks and names excepted), filled up to four bytes.</summary>
internal ref struct NftKey
{
    private Space _space;
    private int _length;

    [System.Runtime.CompilerServices.InlineArray(48)]
    private struct Space
    {
        private byte _first;
    }

    public byte[] Build() => ((ReadOnlySpan<byte>)_space)[.._length].ToArray();

    public static byte[] Of(uint mark) => new NftKey().Mark(mark).Build();

    public static byte[] Of(IPAddress address) => new NftKey().Address(address).Build();

    public static byte[] Of(string first, string second) => new NftKey().Name(first).Name(second).Build();

    public static byte[] Of(uint first, uint second) => new NftKey().Mark(first).Mark(second).Build();

    public NftKey Mark(uint value)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(Take(4), value);
        return this;
    }

    public NftKey Address(IPAddress address)
    {
        address.TryWriteBytes(Take(address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork ? 4 : 16), out _);
        return this;
    }

    public NftKey Mac(MacAddress mac)
    {
        mac.Write(Take(8));
        return this;
    }

    /// <summary>Name of a link.</summary>
    public NftKey Name(string name)
    {
        Encoding.UTF8.GetBytes(name, Take(16));
        return this;
    }

    public NftKey Protocol(byte protocol)
    {
        Take(4)[0] = protocol;
        return this;
    }

    public NftKey Port(ushort port)
    {
        BinaryPrimitives.WriteUInt16BigEndian(Take(4), port);
        return this;
    }

    private Span<byte> Take(int count)
    {
        Span<byte> all = _space;
        Span<byte> space = System.Runtime.InteropServices.MemoryMarshal.CreateSpan(ref System.Runtime.InteropServices.MemoryMarshal.GetReference(all), all.Length).Slice(_length, count);
        _length += count;
        return space;
    }
}

using System.Buffers.Binary;
using System.Text;
using Candela.Network.Netlink;

namespace Candela.Network.Nftables;

/// <summary>
/// A rule: expressions that the kernel runs in order until one does not match. Registers are numbered in units of four bytes
/// (NFT_REG32_00 on), of which there are sixteen. Names of constants are those of linux/netfilter/nf_tables.h.
/// </summary>
internal sealed class NftRule
{
    public const int LinkHeader = 0, NetworkHeader = 1, TransportHeader = 2;
    public const uint MetaMark = 3, MetaIifName = 6, MetaOifName = 7, MetaNfProto = 15, MetaL4Proto = 16, MetaPacketType = 19;
    public const uint CtState = 0, CtDirection = 1, CtStatus = 2, CtMark = 3;
    public const uint StateInvalid = 1, StateEstablished = 2, StateRelated = 4, StateNew = 8, StateUntracked = 64;
    public const byte Version4 = 2, Version6 = 10;
    private const uint FirstRegister = 8; // NFT_REG32_00
    private const ushort NFTA_LIST_ELEM = 1, NFTA_EXPR_NAME = 1, NFTA_EXPR_DATA = 2, NFTA_DATA_VALUE = 1;
    private const uint NFT_CMP_EQ = 0, NFT_CMP_NEQ = 1;

    private readonly List<Action<NetlinkBatch>> _expressions = [];

    /// <summary>Loads a piece of the packet's description (NFT_META_*).</summary>
    public NftRule Meta(uint key, int register = 0) => Add("meta", b =>
    {
        b.U32BigEndian(2, key);
        b.U32BigEndian(1, FirstRegister + (uint)register);
    });

    /// <summary>Stores a register as a piece of the packet's description.</summary>
    public NftRule SetMeta(uint key, int register = 0) => Add("meta", b =>
    {
        b.U32BigEndian(2, key);
        b.U32BigEndian(3, FirstRegister + (uint)register);
    });

    /// <summary>Loads a piece of the connection's state (NFT_CT_*).</summary>
    public NftRule Ct(uint key, int register = 0) => Add("ct", b =>
    {
        b.U32BigEndian(2, key);
        b.U32BigEndian(1, FirstRegister + (uint)register);
    });

    /// <summary>Stores a register as a piece of the connection's state.</summary>
    public NftRule SetCt(uint key, int register = 0) => Add("ct", b =>
    {
        b.U32BigEndian(2, key);
        b.U32BigEndian(4, FirstRegister + (uint)register);
    });

    /// <summary>Loads bytes of a header.</summary>
    public NftRule Payload(int header, int offset, int length, int register = 0) => Add("payload", b =>
    {
        b.U32BigEndian(1, FirstRegister + (uint)register);
        b.U32BigEndian(2, (uint)header);
        b.U32BigEndian(3, (uint)offset);
        b.U32BigEndian(4, (uint)length);
    });

    /// <summary>Goes on only if the register is (or is not) equal to bytes.</summary>
    public NftRule Equal(ReadOnlySpan<byte> value, int register = 0, bool not = false)
    {
        byte[] copy = value.ToArray();
        return Add("cmp", b =>
        {
            b.U32BigEndian(1, FirstRegister + (uint)register);
            b.U32BigEndian(2, not ? NFT_CMP_NEQ : NFT_CMP_EQ);
            Data(b, 3, copy);
        });
    }

    /// <summary>Goes on only if the register lies in a range, ends included.</summary>
    public NftRule InRange(ReadOnlySpan<byte> first, ReadOnlySpan<byte> last, int register = 0)
    {
        byte[] from = first.ToArray(), to = last.ToArray();
        return Add("range", b =>
        {
            b.U32BigEndian(1, FirstRegister + (uint)register);
            b.U32BigEndian(2, 0);
            Data(b, 3, from);
            Data(b, 4, to);
        });
    }

    /// <summary>Goes on only if any of the bits of a word of the register are set (in the host's byte order).</summary>
    public NftRule AnyBit(uint mask, int register = 0)
    {
        byte[] bits = NftKey.Of(mask), none = new byte[4];
        Add("bitwise", b =>
        {
            b.U32BigEndian(1, FirstRegister + (uint)register);
            b.U32BigEndian(2, FirstRegister + (uint)register);
            b.U32BigEndian(3, 4);
            Data(b, 4, bits);
            Data(b, 5, none);
        });
        return Equal(none, register, not: true);
    }

    /// <summary>Puts a constant into a register.</summary>
    public NftRule Constant(byte[] value, int register = 0) => Add("immediate", b =>
    {
        b.U32BigEndian(1, FirstRegister + (uint)register);
        Data(b, 2, value);
    });

    /// <summary>Goes on only if the key in the register is (or is not) in a set.</summary>
    public NftRule InSet(NftSet set, int register = 0, bool not = false) => Add("lookup", b =>
    {
        b.Text(1, set.Name);
        b.U32BigEndian(2, FirstRegister + (uint)register);
        if (not)
            b.U32BigEndian(5, 1);
    });

    /// <summary>Loads a map's value for the key in the register; goes on only if there is one.</summary>
    public NftRule Look(NftSet map, int register, int target) => Add("lookup", b =>
    {
        b.Text(1, map.Name);
        b.U32BigEndian(2, FirstRegister + (uint)register);
        b.U32BigEndian(3, FirstRegister + (uint)target);
    });

    /// <summary>Does what the verdict map says for the key in the register, if anything.</summary>
    public NftRule VerdictFrom(NftSet map, int register = 0) => Add("lookup", b =>
    {
        b.Text(1, map.Name);
        b.U32BigEndian(2, FirstRegister + (uint)register);
        b.U32BigEndian(3, 0);
    });

    /// <summary>Ends with a verdict.</summary>
    public NftRule Verdict(NftVerdict verdict) => Add("immediate", b =>
    {
        b.U32BigEndian(1, 0);
        int data = b.BeginNest(2);
        WriteVerdict(b, verdict);
        b.EndNest(data);
    });

    /// <summary>Counts in a named counter.</summary>
    public NftRule Count(string counter) => Add("objref", b =>
    {
        b.U32BigEndian(1, NftObjects.CounterType);
        b.Text(2, counter);
    });

    /// <summary>Applies the limit that a map has for the key in the register, if any; goes on only when it is exceeded.</summary>
    public NftRule ApplyLimit(NftSet map, int register = 0) => Add("objref", b =>
    {
        b.U32BigEndian(3, FirstRegister + (uint)register);
        b.Text(4, map.Name);
    });

    /// <summary>Goes on only so often a second.</summary>
    public NftRule AtMost(ulong perSecond, uint burst) => Add("limit", b =>
    {
        b.U64BigEndian(1, perSecond);
        b.U64BigEndian(2, 1);
        b.U32BigEndian(3, burst);
        b.U32BigEndian(4, 0);
    });

    /// <summary>Goes on for one packet of so many, at random.</summary>
    public NftRule OneOf(uint count) => count <= 1 ? this : Add("numgen", b =>
    {
        b.U32BigEndian(1, FirstRegister);
        b.U32BigEndian(2, count);
        b.U32BigEndian(3, 1);
    }).Equal(NftKey.Of(0u));

    /// <summary>Hands the start of the packet to the listener of a group (nfnetlink_log).</summary>
    public NftRule Log(ushort group, string prefix, uint snapBytes) => Add("log", b =>
    {
        b.U16BigEndian(1, group);
        b.Text(2, prefix);
        b.U32BigEndian(3, snapBytes);
        b.U16BigEndian(4, 1);
    });

    /// <summary>Translates the destination to the address in a register and the port in another.</summary>
    public NftRule TranslateDestination(byte family, int address, int port) => Nat(1, family, address, port);

    /// <summary>Translates the source to the address in a register.</summary>
    public NftRule TranslateSource(byte family, int address) => Nat(0, family, address, null);

    /// <summary>Translates the source to the address of the link that the packet leaves by.</summary>
    public NftRule Masquerade() => Add("masq", _ => { });

    /// <summary>Loads the kind of the destination address (RTN_*): 2 is one of this host's.</summary>
    public NftRule DestinationKind(int register = 0) => Add("fib", b =>
    {
        b.U32BigEndian(1, FirstRegister + (uint)register);
        b.U32BigEndian(2, 3);
        b.U32BigEndian(3, 2);
    });

    /// <summary>Goes on only for packets that come in by a link of this name; a trailing * stands for anything.</summary>
    public NftRule FromLink(string name, bool not = false) => Meta(MetaIifName).Equal(LinkName(name), not: not);

    /// <summary>Goes on only for packets that go out by a link of this name; a trailing * stands for anything.</summary>
    public NftRule ToLink(string name, bool not = false) => Meta(MetaOifName).Equal(LinkName(name), not: not);

    /// <summary>Goes on only for this IP version.</summary>
    public NftRule Family(byte family) => Meta(MetaNfProto).Equal([family]);

    /// <summary>Goes on only for this protocol.</summary>
    public NftRule L4(byte protocol) => Meta(MetaL4Proto).Equal([protocol]);

    /// <summary>Goes on only for connections in one of these states.</summary>
    public NftRule State(uint states) => Ct(CtState).AnyBit(states);

    internal static void WriteVerdict(NetlinkBatch batch, NftVerdict verdict)
    {
        int nest = batch.BeginNest(2);
        batch.U32BigEndian(1, (uint)verdict.Code);
        if (verdict.Chain is { } chain)
            batch.Text(2, chain);
        batch.EndNest(nest);
    }

    internal static void Data(NetlinkBatch batch, ushort attribute, ReadOnlySpan<byte> value)
    {
        int nest = batch.BeginNest(attribute);
        batch.Raw(NFTA_DATA_VALUE, value);
        batch.EndNest(nest);
    }

    internal void Write(NetlinkBatch batch, ushort attribute)
    {
        int list = batch.BeginNest(attribute);
        foreach (Action<NetlinkBatch> expression in _expressions)
            expression(batch);
        batch.EndNest(list);
    }

    internal static byte[] BigEndian(ushort value)
    {
        byte[] bytes = new byte[2];
        BinaryPrimitives.WriteUInt16BigEndian(bytes, value);
        return bytes;
    }

    private static byte[] LinkName(string name)
    {
        bool isPrefix = name.EndsWith('*');
        byte[] bytes = new byte[isPrefix ? name.Length - 1 : 16];
        Encoding.UTF8.GetBytes(isPrefix ? name[..^1] : name, bytes);
        return bytes;
    }

    private NftRule Nat(uint type, byte family, int address, int? port) => Add("nat", b =>
    {
        b.U32BigEndian(1, type);
        b.U32BigEndian(2, family);
        b.U32BigEndian(3, FirstRegister + (uint)address);
        if (port is { } register)
            b.U32BigEndian(5, FirstRegister + (uint)register);
    });

    private NftRule Add(string name, Action<NetlinkBatch> write)
    {
        _expressions.Add(b =>
        {
            int element = b.BeginNest(NFTA_LIST_ELEM);
            b.Text(NFTA_EXPR_NAME, name);
            int data = b.BeginNest(NFTA_EXPR_DATA);
            write(b);
            b.EndNest(data);
            b.EndNest(element);
        });
        return this;
    }
}

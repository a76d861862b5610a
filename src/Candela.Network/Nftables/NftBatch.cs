using System.Buffers.Binary;
using Candela.Network.Netlink;

namespace Candela.Network.Nftables;

/// <summary>Kinds of stateful objects (NFT_OBJECT_*).</summary>
internal static class NftObjects
{
    public const uint CounterType = 1, LimitType = 4;
}

/// <summary>
/// A transaction of nf_tables: all of it takes effect at once, or nothing. Attributes and messages are those of
/// linux/netfilter/nf_tables.h.
/// </summary>
internal sealed class NftBatch
{
    private const ushort Subsystem = 10 << 8; // NFNL_SUBSYS_NFTABLES
    private const ushort NFNL_MSG_BATCH_BEGIN = 0x10, NFNL_MSG_BATCH_END = 0x11;
    private const ushort NFT_MSG_NEWTABLE = 0, NFT_MSG_DELTABLE = 2, NFT_MSG_NEWCHAIN = 3, NFT_MSG_DELCHAIN = 5, NFT_MSG_NEWRULE = 6, NFT_MSG_DELRULE = 8,
        NFT_MSG_NEWSET = 9, NFT_MSG_DELSET = 11, NFT_MSG_NEWSETELEM = 12, NFT_MSG_DELSETELEM = 14, NFT_MSG_NEWOBJ = 18, NFT_MSG_DELOBJ = 20;
    private const uint NFT_SET_INTERVAL = 4, NFT_SET_MAP = 8, NFT_SET_OBJECT = 0x40, NFT_SET_CONCAT = 0x80;
    private const uint NFT_DATA_VERDICT = 0xffffff00;
    private const int ElementListBytes = 60_000; // an attribute holds 65,535 bytes

    private uint _setId;

    public NftBatch() => Mark(NFNL_MSG_BATCH_BEGIN);

    internal NetlinkBatch Batch { get; } = new();

    /// <summary>Nothing was added yet.</summary>
    public bool IsEmpty => Batch.Messages.Count <= 1;

    /// <summary>Adds a table; an existing one is fine.</summary>
    public void AddTable(NftTable table)
    {
        Begin(NFT_MSG_NEWTABLE, NetlinkBatch.Create, table, $"add table {table.Name}");
        Batch.Text(1, table.Name);
        Batch.End();
    }

    /// <summary>Deletes a table with everything in it.</summary>
    public void DeleteTable(NftTable table)
    {
        // Added first, since to delete what is not there fails.
        AddTable(table);
        Begin(NFT_MSG_DELTABLE, 0, table, $"delete table {table.Name}");
        Batch.Text(1, table.Name);
        Batch.End();
    }

    /// <summary>Adds a chain, bound to a hook if it is a base chain.</summary>
    public void AddChain(NftTable table, string name, NftBaseChain? hook = null)
    {
        Begin(NFT_MSG_NEWCHAIN, NetlinkBatch.Create, table, $"add chain {name}");
        Batch.Text(1, table.Name);
        Batch.Text(3, name);
        if (hook is { } bound)
        {
            int nest = Batch.BeginNest(4);
            Batch.U32BigEndian(1, (uint)bound.Hook);
            Batch.U32BigEndian(2, (uint)bound.Priority);
            Batch.EndNest(nest);
            Batch.U32BigEndian(5, (uint)bound.Policy.Code);
            Batch.Text(7, bound.Type);
        }

        Batch.End();
    }

    /// <summary>Deletes a chain that nothing refers to any more, with its rules.</summary>
    public void DeleteChain(NftTable table, string name)
    {
        Begin(NFT_MSG_DELRULE, 0, table, $"empty chain {name}");
        Batch.Text(1, table.Name);
        Batch.Text(2, name);
        Batch.End();
        Begin(NFT_MSG_DELCHAIN, 0, table, $"delete chain {name}");
        Batch.Text(1, table.Name);
        Batch.Text(3, name);
        Batch.End();
    }

    /// <summary>Appends a rule.</summary>
    public void AddRule(NftTable table, string chain, NftRule rule)
    {
        Begin(NFT_MSG_NEWRULE, NetlinkBatch.Create | NetlinkBatch.Append, table, $"add rule to chain {chain}");
        Batch.Text(1, table.Name);
        Batch.Text(2, chain);
        rule.Write(Batch, 4);
        Batch.End();
    }

    /// <summary>Adds a set or map.</summary>
    public void AddSet(NftSet set)
    {
        bool isMap = set.Value is not null || set.IsVerdictMap;
        uint flags = (set.Kind == NftSetKind.Interval ? NFT_SET_INTERVAL : 0) | (isMap ? NFT_SET_MAP : 0) | (set.IsLimitMap ? NFT_SET_OBJECT : 0);
        if (set.Key.Length > 1)
            flags |= NFT_SET_CONCAT;
        Begin(NFT_MSG_NEWSET, NetlinkBatch.Create, set.Table, $"add set {set.Name}");
        Batch.Text(1, set.Table.Name);
        Batch.Text(2, set.Name);
        Batch.U32BigEndian(3, flags);
        Batch.U32BigEndian(4, TypeNumber(set.Key));
        Batch.U32BigEndian(5, (uint)set.KeyBytes);
        if (set.IsVerdictMap)
        {
            Batch.U32BigEndian(6, NFT_DATA_VERDICT);
        }
        else if (set.Value is { } value)
        {
            Batch.U32BigEndian(6, TypeNumber(value));
            Batch.U32BigEndian(7, (uint)value.Sum(f => f.RegisterBytes));
        }

        if (set.IsLimitMap)
            Batch.U32BigEndian(15, NftObjects.LimitType);
        if (set.Key.Length > 1)
        {
            int description = Batch.BeginNest(9);
            int fields = Batch.BeginNest(2);
            foreach (NftType field in set.Key)
            {
                int element = Batch.BeginNest(1);
                Batch.U32BigEndian(1, field.Bytes);
                Batch.EndNest(element);
            }

            Batch.EndNest(fields);
            Batch.EndNest(description);
        }

        Batch.U32BigEndian(10, ++_setId);
        Batch.Raw(13, UserData(set));
        Batch.End();
    }

    /// <summary>Deletes a set that no rule refers to any more.</summary>
    public void DeleteSet(NftSet set)
    {
        Begin(NFT_MSG_DELSET, 0, set.Table, $"delete set {set.Name}");
        Batch.Text(1, set.Table.Name);
        Batch.Text(2, set.Name);
        Batch.End();
    }

    /// <summary>Adds elements.</summary>
    public void AddElements(NftSet set, IEnumerable<NftElement> elements) =>
        Elements(NFT_MSG_NEWSETELEM, NetlinkBatch.Create | NetlinkBatch.Excl, set, elements, $"add elements to {set.Name}");

    /// <summary>Deletes elements, all of which must be there.</summary>
    public void DeleteElements(NftSet set, IEnumerable<NftElement> elements) =>
        Elements(NFT_MSG_DELSETELEM, 0, set, elements, $"delete elements of {set.Name}");

    /// <summary>Adds a named counter with starting values.</summary>
    public void AddCounter(NftTable table, string name, ulong packets = 0, ulong bytes = 0)
    {
        Begin(NFT_MSG_NEWOBJ, NetlinkBatch.Create, table, $"add counter {name}");
        Batch.Text(1, table.Name);
        Batch.Text(2, name);
        Batch.U32BigEndian(3, NftObjects.CounterType);
        int data = Batch.BeginNest(4);
        Batch.U64BigEndian(1, bytes);
        Batch.U64BigEndian(2, packets);
        Batch.EndNest(data);
        Batch.End();
    }

    /// <summary>Adds a named limit that matches what exceeds it.</summary>
    public void AddLimit(NftTable table, string name, ulong bytesPerSecond, uint burstBytes)
    {
        Begin(NFT_MSG_NEWOBJ, NetlinkBatch.Create, table, $"add limit {name}");
        Batch.Text(1, table.Name);
        Batch.Text(2, name);
        Batch.U32BigEndian(3, NftObjects.LimitType);
        int data = Batch.BeginNest(4);
        Batch.U64BigEndian(1, bytesPerSecond);
        Batch.U64BigEndian(2, 1);
        Batch.U32BigEndian(3, burstBytes);
        Batch.U32BigEndian(4, 1); // NFT_LIMIT_PKT_BYTES
        Batch.U32BigEndian(5, 1); // NFT_LIMIT_F_INV
        Batch.EndNest(data);
        Batch.End();
    }

    /// <summary>Deletes a counter or limit that nothing refers to any more.</summary>
    public void DeleteObject(NftTable table, uint type, string name)
    {
        Begin(NFT_MSG_DELOBJ, 0, table, $"delete {name}");
        Batch.Text(1, table.Name);
        Batch.Text(2, name);
        Batch.U32BigEndian(3, type);
        Batch.End();
    }

    internal void Finish() => Mark(NFNL_MSG_BATCH_END);

    private static uint TypeNumber(NftType[] fields) => fields.Aggregate(0u, (number, f) => (number << 6) | f.Number);

    // What nft(8) wants to know to print a set (libnftnl's udata: type, length, value).
    private static byte[] UserData(NftSet set)
    {
        List<byte> data = [.. Entry(0, set.Key)];
        if (set.Value is { } value)
            data.AddRange(Entry(1, value));
        return [.. data];

        static byte[] Entry(byte type, NftType[] fields)
        {
            byte[] entry = [type, 4, 0, 0, 0, 0];
            BinaryPrimitives.WriteUInt32LittleEndian(entry.AsSpan(2), fields is [{ IsHostOrder: true }] ? 1u : 2u);
            return entry;
        }
    }

    private static byte[]? After(byte[] key)
    {
        byte[] next = [.. key];
        for (int i = next.Length - 1; i >= 0; i--)
        {
            if (++next[i] != 0)
                return next;
        }

        return null;
    }

    private void Elements(ushort type, ushort flags, NftSet set, IEnumerable<NftElement> elements, string what)
    {
        int list = -1;
        foreach (NftElement element in elements)
        {
            if (list >= 0 && Batch.NestBytes(list) > ElementListBytes)
                Close();
            if (list < 0)
            {
                Begin(type, flags, set.Table, what);
                Batch.Text(1, set.Table.Name);
                Batch.Text(2, set.Name);
                list = Batch.BeginNest(3);
            }

            Element(element.Key, 0, element);
            // A range in a tree of intervals is two elements: where it starts and where it has ended.
            if (element.Last is { } last && After(last) is { } end)
                Element(end, 1, null);
        }

        Close();

        void Close()
        {
            if (list < 0)
                return;
            Batch.EndNest(list);
            Batch.End();
            list = -1;
        }
    }

    private void Element(byte[] key, uint flags, NftElement? element)
    {
        int nest = Batch.BeginNest(1);
        NftRule.Data(Batch, 1, key);
        if (flags != 0)
            Batch.U32BigEndian(3, flags);
        if (element?.Value is { } value)
        {
            NftRule.Data(Batch, 2, value);
        }
        else if (element?.Verdict is { } verdict)
        {
            int data = Batch.BeginNest(2);
            NftRule.WriteVerdict(Batch, verdict);
            Batch.EndNest(data);
        }

        if (element?.Limit is { } limit)
            Batch.Text(9, limit);
        Batch.EndNest(nest);
    }

    private void Begin(ushort message, ushort flags, NftTable table, string what)
    {
        Batch.Begin((ushort)(Subsystem | message), flags, what);
        Batch.Fixed(new Header { Family = (byte)table.Family });
    }

    private void Mark(ushort type)
    {
        Batch.Begin(type, 0, "change the firewall (is the kernel's nf_tables there, and CAP_NET_ADMIN?)");
        Batch.Fixed(new Header { Resource = BinaryPrimitives.ReverseEndianness((ushort)10) });
        Batch.End();
    }

    internal struct Header // struct nfgenmsg
    {
        public byte Family, Version;
        public ushort Resource;
    }
}

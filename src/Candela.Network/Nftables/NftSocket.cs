using Candela.Network.Namespaces;
using Candela.Network.Netlink;

namespace Candela.Network.Nftables;

/// <summary>Packets and bytes that a counter saw.</summary>
public readonly record struct Traffic(ulong Packets, ulong Bytes)
{
    /// <summary>The sum.</summary>
    public static Traffic operator +(Traffic a, Traffic b) => a.Add(b);

    /// <summary>The sum.</summary>
    public Traffic Add(Traffic other) => new(Packets + other.Packets, Bytes + other.Bytes);
}

/// <summary>The nf_tables of one namespace.</summary>
internal sealed class NftSocket(NetworkNamespace space) : IDisposable
{
    private const ushort NFT_MSG_GETTABLE = (10 << 8) | 1, NFT_MSG_GETOBJ = (10 << 8) | 19, NFT_MSG_GETSETELEM = (10 << 8) | 13;
    private readonly NetlinkSocket _socket = new(space, NetlinkSocket.Netfilter);

    /// <summary>Executes a transaction: all or nothing.</summary>
    /// <exception cref="NetlinkException">What the kernel refused; nothing took effect.</exception>
    public void Execute(NftBatch batch)
    {
        if (batch.IsEmpty)
            return;
        batch.Finish();
        _socket.ExecuteTransaction(batch.Batch);
    }

    /// <summary>Executes a transaction: all or nothing.</summary>
    /// <exception cref="NetlinkException">What the kernel refused; nothing took effect.</exception>
    public void Execute(Action<NftBatch> fill)
    {
        var batch = new NftBatch();
        fill(batch);
        Execute(batch);
    }

    /// <summary>Whether a table is there.</summary>
    public bool HasTable(NftTable table)
    {
        var batch = new NetlinkBatch();
        batch.Begin(NFT_MSG_GETTABLE, NetlinkBatch.Ack, $"get table {table.Name}", Native.Libc.ENOENT);
        batch.Fixed(new NftBatch.Header { Family = (byte)table.Family });
        batch.Text(1, table.Name);
        batch.End();
        bool found = false;
        _socket.Query(batch, (_, _) => found = true);
        return found;
    }

    /// <summary>All named counters of a table.</summary>
    public Dictionary<string, Traffic> Counters(NftTable table)
    {
        var batch = new NetlinkBatch();
        batch.Begin(NFT_MSG_GETOBJ, NetlinkBatch.Dump, $"read the counters of {table.Name}");
        batch.Fixed(new NftBatch.Header { Family = (byte)table.Family });
        batch.Text(1, table.Name);
        batch.U32BigEndian(3, NftObjects.CounterType);
        batch.End();
        Dictionary<string, Traffic> counters = [];
        _socket.Query(batch, (_, body) =>
        {
            string name = "";
            Traffic traffic = default;
            var attributes = new NetlinkAttributes(body[4..]);
            while (attributes.Next())
            {
                if (attributes.Type == 2)
                    name = attributes.Text;
                if (attributes.Type != 4)
                    continue;
                NetlinkAttributes data = attributes.Nested;
                while (data.Next())
                    traffic = data.Type == 1 ? traffic with { Bytes = data.U64BigEndian } : data.Type == 2 ? traffic with { Packets = data.U64BigEndian } : traffic;
            }

            counters[name] = traffic;
        });
        return counters;
    }

    /// <summary>Keys of a set's elements, as in registers.</summary>
    public List<byte[]> Keys(NftSet set)
    {
        var batch = new NetlinkBatch();
        batch.Begin(NFT_MSG_GETSETELEM, NetlinkBatch.Dump, $"list elements of {set.Name}");
        batch.Fixed(new NftBatch.Header { Family = (byte)set.Table.Family });
        batch.Text(1, set.Table.Name);
        batch.Text(2, set.Name);
        batch.End();
        List<byte[]> keys = [];
        _socket.Query(batch, (_, body) =>
        {
            var attributes = new NetlinkAttributes(body[4..]);
            while (attributes.Next())
            {
                if (attributes.Type != 3)
                    continue;
                NetlinkAttributes elements = attributes.Nested;
                while (elements.Next())
                {
                    NetlinkAttributes element = elements.Nested;
                    while (element.Next())
                    {
                        if (element.Type != 1)
                            continue;
                        NetlinkAttributes value = element.Nested;
                        if (value.Next())
                            keys.Add(value.Value.ToArray());
                    }
                }
            }
        });
        return keys;
    }

    /// <inheritdoc/>
    public void Dispose() => _socket.Dispose();
}

using System.Buffers.Binary;
using System.Net;
using Candela.Network.Namespaces;
using Candela.Network.Netlink;
using Candela.Network.Nftables;
using Candela.Network.Plan;

namespace Candela.Network.Flows;

/// <summary>
/// The connections that the kernel follows in a namespace (nf_conntrack). Answers pass by virtue of their connection, so that one
/// that may no longer be has to be ended. Names of constants are those of linux/netfilter/nfnetlink_conntrack.h.
/// </summary>
internal sealed class ConnectionTable(NetworkNamespace space) : IDisposable
{
    private const ushort Subsystem = 1 << 8; // NFNL_SUBSYS_CTNETLINK
    private const ushort IPCTNL_MSG_CT_GET = 1, IPCTNL_MSG_CT_DELETE = 2;
    private const ushort CTA_TUPLE_ORIG = 1, CTA_TUPLE_REPLY = 2, CTA_STATUS = 3, CTA_ID = 12;
    private const ushort CTA_TUPLE_IP = 1, CTA_TUPLE_PROTO = 2, CTA_IP_V4_SRC = 1, CTA_IP_V4_DST = 2, CTA_IP_V6_SRC = 3, CTA_IP_V6_DST = 4;
    private const ushort CTA_PROTO_NUM = 1, CTA_PROTO_SRC_PORT = 2, CTA_PROTO_DST_PORT = 3, CTA_PROTO_ICMP_TYPE = 5, CTA_PROTO_ICMPV6_TYPE = 8;
    private const uint IPS_DST_NAT = 32;
    private const byte AnyFamily = 0, Version4 = 2, Version6 = 10;

    private readonly NetlinkSocket _socket = new(space, NetlinkSocket.Netfilter);

    private readonly record struct Entry(FlowTuple Flow, byte[] Tuple, byte[] Id, bool IsIpv6);

    private ref struct Side
    {
        public IPAddress? Source, Destination;
        public byte Protocol, IcmpType;
        public ushort SourcePort, DestinationPort;
    }

    /// <summary>Ends connections.</summary>
    /// <returns>How many.</returns>
    public int End(Func<FlowTuple, bool> which)
    {
        List<Entry> entries = [];
        var query = new NetlinkBatch();
        query.Begin(Subsystem | IPCTNL_MSG_CT_GET, NetlinkBatch.Dump, "list connections");
        query.Fixed(new NftBatch.Header { Family = AnyFamily });
        query.End();
        _socket.Query(query, (_, body) =>
        {
            if (Read(body) is { } entry && which(entry.Flow))
                entries.Add(entry);
        });
        foreach (Entry[] some in entries.Chunk(200))
        {
            var batch = new NetlinkBatch();
            foreach (Entry entry in some)
            {
                // Gone by itself meanwhile is fine.
                batch.Begin(Subsystem | IPCTNL_MSG_CT_DELETE, NetlinkBatch.Ack, "end a connection", Native.Libc.ENOENT);
                batch.Fixed(new NftBatch.Header { Family = entry.IsIpv6 ? Version6 : Version4 });
                batch.Raw(CTA_TUPLE_ORIG | 0x8000, entry.Tuple);
                batch.Raw(CTA_ID, entry.Id);
                batch.End();
            }

            _socket.Execute(batch);
        }

        return entries.Count;
    }

    public void Dispose() => _socket.Dispose();

    private static Entry? Read(ReadOnlySpan<byte> body)
    {
        Side original = default, reply = default;
        byte[] tuple = [], id = [];
        uint status = 0;
        var attributes = new NetlinkAttributes(body[4..]);
        while (attributes.Next())
        {
            switch (attributes.Type)
            {
                case CTA_TUPLE_ORIG:
                    original = ReadSide(attributes.Nested);
                    tuple = attributes.Value.ToArray();
                    break;
                case CTA_TUPLE_REPLY: reply = ReadSide(attributes.Nested); break;
                case CTA_STATUS: status = attributes.U32BigEndian; break;
                case CTA_ID: id = attributes.Value.ToArray(); break;
            }
        }

        if (original.Source is null || reply.Source is null)
            return null;
        // Who answers is who it went to.
        ushort destinationPort = original.DestinationPort == 0 ? (ushort)0 : reply.SourcePort;
        var flow = new FlowTuple(original.Source, reply.Source, (Protocol)original.Protocol, original.SourcePort, destinationPort, original.IcmpType, (status & IPS_DST_NAT) != 0);
        return new Entry(flow, tuple, id, body[0] == Version6);
    }

    private static Side ReadSide(NetlinkAttributes attributes)
    {
        Side side = default;
        while (attributes.Next())
        {
            NetlinkAttributes part = attributes.Nested;
            while (part.Next())
            {
                switch ((attributes.Type, part.Type))
                {
                    case (CTA_TUPLE_IP, CTA_IP_V4_SRC or CTA_IP_V6_SRC): side.Source = new IPAddress(part.Value); break;
                    case (CTA_TUPLE_IP, CTA_IP_V4_DST or CTA_IP_V6_DST): side.Destination = new IPAddress(part.Value); break;
                    case (CTA_TUPLE_PROTO, CTA_PROTO_NUM): side.Protocol = part.U8; break;
                    case (CTA_TUPLE_PROTO, CTA_PROTO_SRC_PORT): side.SourcePort = BinaryPrimitives.ReadUInt16BigEndian(part.Value); break;
                    case (CTA_TUPLE_PROTO, CTA_PROTO_DST_PORT): side.DestinationPort = BinaryPrimitives.ReadUInt16BigEndian(part.Value); break;
                    case (CTA_TUPLE_PROTO, CTA_PROTO_ICMP_TYPE or CTA_PROTO_ICMPV6_TYPE): side.IcmpType = part.U8; break;
                }
            }
        }

        return side;
    }
}

using System.Buffers.Binary;
using System.Net;
using System.Text;

namespace Candela.Network.Dns;

/// <summary>Types of records (RFC 1035, 3.2.2; RFC 3596).</summary>
internal enum DnsType : ushort
{
    A = 1,
    Cname = 5,
    Ptr = 12,
    Aaaa = 28,
    Opt = 41,
    Any = 255,
}

/// <summary>Outcomes (RFC 1035, 4.1.1).</summary>
internal enum DnsCode : byte
{
    NoError = 0,
    FormatError = 1,
    ServerFailure = 2,
    NameError = 3,
    NotImplemented = 4,
    Refused = 5,
}

/// <summary>A question (RFC 1035, 4.1): one name, one type, class Internet.</summary>
/// <param name="Id">Set by who asks.</param>
/// <param name="IsRecursionDesired">Copied into the answer.</param>
/// <param name="Name">In lower case, without the final dot.</param>
/// <param name="Type">What is asked for.</param>
/// <param name="QuestionBytes">The question as asked, for the answer.</param>
/// <param name="UdpBytes">Longest answer over UDP that the asker takes (RFC 6891), 512 without EDNS.</param>
/// <param name="HasEdns">The asker speaks EDNS.</param>
internal sealed record DnsQuery(ushort Id, bool IsRecursionDesired, string Name, DnsType Type, byte[] QuestionBytes, int UdpBytes, bool HasEdns);

/// <summary>Reads and writes messages of the Domain Name System (RFC 1035). Reads are bounded; what is malformed is refused as a whole.</summary>
internal static class DnsMessage
{
    public const int HeaderBytes = 12, SmallestUdp = 512, LargestUdp = 4096, LargestTcp = 65_535;
    private const int NameBytes = 255, LabelBytes = 63, MostRecords = 200, MostPointers = 32;
    private const ushort Internet = 1;
    private const ushort Response = 0x8000, OpcodeMask = 0x7800, Authoritative = 0x0400, RecursionDesired = 0x0100, RecursionAvailable = 0x0080, Truncated = 0x0200;
    private const ushort PointerToQuestion = 0xc00c;
    private const ushort EdnsUdpBytes = 1232; // the size that passes everywhere without fragments (DNS flag day 2020)

    /// <summary>Reads a question.</summary>
    /// <returns>Null with a code to answer; null and null when there is nothing to answer to.</returns>
    public static DnsQuery? ReadQuery(ReadOnlySpan<byte> message, out DnsCode? refusal)
    {
        refusal = null;
        if (message.Length < HeaderBytes)
            return null;
        ushort id = BinaryPrimitives.ReadUInt16BigEndian(message), flags = BinaryPrimitives.ReadUInt16BigEndian(message[2..]);
        if ((flags & Response) != 0)
            return null;
        refusal = DnsCode.NotImplemented;
        if ((flags & OpcodeMask) != 0)
            return null;
        refusal = DnsCode.FormatError;
        int at = HeaderBytes;
        if (BinaryPrimitives.ReadUInt16BigEndian(message[4..]) != 1 || !TryReadName(message, ref at, out string name) || at + 4 > message.Length)
            return null;
        var type = (DnsType)BinaryPrimitives.ReadUInt16BigEndian(message[at..]);
        ushort kind = BinaryPrimitives.ReadUInt16BigEndian(message[(at + 2)..]);
        at += 4;
        byte[] question = message[HeaderBytes..at].ToArray();
        int udpBytes = SmallestUdp;
        bool hasEdns = false;
        int records = BinaryPrimitives.ReadUInt16BigEndian(message[6..]) + BinaryPrimitives.ReadUInt16BigEndian(message[8..]) + BinaryPrimitives.ReadUInt16BigEndian(message[10..]);
        for (int i = 0; i < records; i++)
        {
            if (i >= MostRecords || !TryReadRecord(message, ref at, out Record record))
                return null;
            if (record.Type != DnsType.Opt)
                continue;
            hasEdns = true;
            udpBytes = Math.Clamp((int)record.Class, SmallestUdp, LargestUdp);
        }

        refusal = kind == Internet ? null : DnsCode.Refused;
        return refusal is null ? new DnsQuery(id, (flags & RecursionDesired) != 0, name, type, question, udpBytes, hasEdns) : null;
    }

    /// <summary>Writes an answer with addresses.</summary>
    public static byte[] Answer(DnsQuery query, IReadOnlyList<IPAddress> addresses, uint ttlSeconds) =>
        Write(query, DnsCode.NoError, addresses.Count, addresses.Select(a => Resource(query.Type, ttlSeconds, a.GetAddressBytes())));

    /// <summary>Writes an answer with a name.</summary>
    public static byte[] Answer(DnsQuery query, string name, uint ttlSeconds) => Write(query, DnsCode.NoError, 1, [Resource(DnsType.Ptr, ttlSeconds, EncodeName(name))]);

    /// <summary>Writes an answer without records.</summary>
    public static byte[] Empty(DnsQuery query, DnsCode code) => Write(query, code, 0, []);

    /// <summary>Writes a refusal of a message that could not be read.</summary>
    public static byte[] Refusal(ReadOnlySpan<byte> message, DnsCode code)
    {
        byte[] answer = new byte[HeaderBytes];
        message[..2].CopyTo(answer);
        BinaryPrimitives.WriteUInt16BigEndian(answer.AsSpan(2), (ushort)(Response | (byte)code));
        return answer;
    }

    /// <summary>Says that an answer is too long for UDP, so that the asker comes again over TCP.</summary>
    public static byte[] Truncate(DnsQuery query)
    {
        byte[] answer = Empty(query, DnsCode.NoError);
        answer[2] |= Truncated >> 8;
        return answer;
    }

    /// <summary>Writes the question anew, to ask somebody else.</summary>
    public static byte[] Forward(DnsQuery query, ushort id)
    {
        byte[] message = [.. new byte[HeaderBytes], .. query.QuestionBytes, .. query.HasEdns ? Opt() : []];
        BinaryPrimitives.WriteUInt16BigEndian(message, id);
        BinaryPrimitives.WriteUInt16BigEndian(message.AsSpan(2), RecursionDesired);
        message[5] = 1;
        message[11] = (byte)(query.HasEdns ? 1 : 0);
        return message;
    }

    /// <summary>Whether a message is the answer to what was forwarded; its id is then replaced by the asker's.</summary>
    public static bool IsAnswer(Span<byte> message, DnsQuery query, ushort id)
    {
        if (message.Length < HeaderBytes + query.QuestionBytes.Length || BinaryPrimitives.ReadUInt16BigEndian(message) != id ||
            (message[2] & (Response >> 8)) == 0 || BinaryPrimitives.ReadUInt16BigEndian(message[4..]) != 1)
            return false;
        if (!message.Slice(HeaderBytes, query.QuestionBytes.Length).SequenceEqual(query.QuestionBytes))
            return false;
        BinaryPrimitives.WriteUInt16BigEndian(message, query.Id);
        return true;
    }

    /// <summary>The outcome that an answer tells.</summary>
    public static DnsCode CodeOf(ReadOnlySpan<byte> message) => (DnsCode)(message[3] & 15);

    /// <summary>Addresses in an answer, and how long the shortest-lived is good for.</summary>
    public static List<IPAddress> AddressesOf(ReadOnlySpan<byte> message, out uint ttlSeconds)
    {
        List<IPAddress> addresses = [];
        ttlSeconds = uint.MaxValue;
        int at = HeaderBytes;
        if (!TryReadName(message, ref at, out _))
            return addresses;
        at += 4;
        int records = BinaryPrimitives.ReadUInt16BigEndian(message[6..]);
        for (int i = 0; i < Math.Min(records, MostRecords) && at <= message.Length && TryReadRecord(message, ref at, out Record record); i++)
        {
            bool isAddress = (record.Type == DnsType.A && record.Data.Length == 4) || (record.Type == DnsType.Aaaa && record.Data.Length == 16);
            if (!isAddress)
                continue;
            addresses.Add(new IPAddress(record.Data));
            ttlSeconds = Math.Min(ttlSeconds, record.TtlSeconds);
        }

        return addresses;
    }

    private readonly ref struct Record(DnsType type, ushort @class, uint ttlSeconds, ReadOnlySpan<byte> data)
    {
        public DnsType Type { get; } = type;

        public ushort Class { get; } = @class;

        public uint TtlSeconds { get; } = ttlSeconds;

        public ReadOnlySpan<byte> Data { get; } = data;
    }

    private static bool TryReadRecord(ReadOnlySpan<byte> message, ref int at, out Record record)
    {
        record = default;
        if (!TryReadName(message, ref at, out _) || at + 10 > message.Length)
            return false;
        int length = BinaryPrimitives.ReadUInt16BigEndian(message[(at + 8)..]);
        if (at + 10 + length > message.Length)
            return false;
        record = new Record((DnsType)BinaryPrimitives.ReadUInt16BigEndian(message[at..]), BinaryPrimitives.ReadUInt16BigEndian(message[(at + 2)..]),
            BinaryPrimitives.ReadUInt32BigEndian(message[(at + 4)..]), message.Slice(at + 10, length));
        at += 10 + length;
        return true;
    }

    private static bool TryReadName(ReadOnlySpan<byte> message, ref int at, out string name)
    {
        name = "";
        var text = new StringBuilder();
        int position = at, end = -1, pointers = 0;
        while (position < message.Length)
        {
            int length = message[position];
            if (length == 0)
            {
                at = end >= 0 ? end : position + 1;
                name = text.ToString();
                return true;
            }

            if ((length & 0xc0) == 0xc0)
            {
                if (position + 1 >= message.Length || ++pointers > MostPointers)
                    return false;
                end = end >= 0 ? end : position + 2;
                position = ((length & 0x3f) << 8) | message[position + 1];
                continue;
            }

            if (length > LabelBytes || position + 1 + length > message.Length || text.Length + length + 1 > NameBytes)
                return false;
            if (text.Length > 0)
                text.Append('.');
            foreach (byte octet in message.Slice(position + 1, length))
            {
                // A dot inside of a label would make two names look the same.
                if (octet is (byte)'.' or < 33 or > 126)
                    return false;
                text.Append((char)(octet is >= (byte)'A' and <= (byte)'Z' ? octet | 0x20 : octet));
            }

            position += 1 + length;
        }

        return false;
    }

    private static byte[] Write(DnsQuery query, DnsCode code, int count, IEnumerable<byte[]> records)
    {
        byte[] message = [.. new byte[HeaderBytes], .. query.QuestionBytes, .. records.SelectMany(r => r), .. query.HasEdns ? Opt() : []];
        BinaryPrimitives.WriteUInt16BigEndian(message, query.Id);
        BinaryPrimitives.WriteUInt16BigEndian(message.AsSpan(2), (ushort)(Response | Authoritative | RecursionAvailable | (query.IsRecursionDesired ? RecursionDesired : 0) | (byte)code));
        message[5] = 1;
        BinaryPrimitives.WriteUInt16BigEndian(message.AsSpan(6), (ushort)count);
        message[11] = (byte)(query.HasEdns ? 1 : 0);
        return message;
    }

    private static byte[] Resource(DnsType type, uint ttlSeconds, byte[] data)
    {
        byte[] record = new byte[12 + data.Length];
        BinaryPrimitives.WriteUInt16BigEndian(record, PointerToQuestion);
        BinaryPrimitives.WriteUInt16BigEndian(record.AsSpan(2), (ushort)type);
        BinaryPrimitives.WriteUInt16BigEndian(record.AsSpan(4), Internet);
        BinaryPrimitives.WriteUInt32BigEndian(record.AsSpan(6), ttlSeconds);
        BinaryPrimitives.WriteUInt16BigEndian(record.AsSpan(10), (ushort)data.Length);
        data.CopyTo(record, 12);
        return record;
    }

    private static byte[] Opt()
    {
        byte[] record = new byte[11]; // the root's name, OPT, our UDP size, no flags, no options
        BinaryPrimitives.WriteUInt16BigEndian(record.AsSpan(1), (ushort)DnsType.Opt);
        BinaryPrimitives.WriteUInt16BigEndian(record.AsSpan(3), EdnsUdpBytes);
        return record;
    }

    private static byte[] EncodeName(string name)
    {
        List<byte> bytes = [];
        foreach (string label in name.Split('.'))
        {
            bytes.Add((byte)Math.Min(label.Length, LabelBytes));
            bytes.AddRange(Encoding.ASCII.GetBytes(label).Take(LabelBytes));
        }

        bytes.Add(0);
        return [.. bytes];
    }
}

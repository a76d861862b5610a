using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using Candela.Network.Plan;

namespace Candela.Network.Tests.Lab;

/// <summary>Builds Ethernet frames by hand, so that they may lie.</summary>
internal static class Frames
{
    public const int EthernetBytes = 14;
    public const byte Syn = 2, Ack = 16;
    public static readonly MacAddress Broadcast = new(0xffff_ffff_ffff);

    public static byte[] Ethernet(MacAddress source, MacAddress destination, ushort type, ReadOnlySpan<byte> payload)
    {
        byte[] frame = new byte[Math.Max(60, EthernetBytes + payload.Length)];
        destination.Write(frame);
        source.Write(frame.AsSpan(6));
        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(12), type);
        payload.CopyTo(frame.AsSpan(EthernetBytes));
        return frame;
    }

    public static byte[] Ip(MacAddress sourceMac, MacAddress destinationMac, IPAddress source, IPAddress destination, Protocol protocol, ReadOnlySpan<byte> payload, byte hopLimit = 64)
    {
        payload = WithChecksum(source, destination, protocol, payload.ToArray());
        if (source.AddressFamily == AddressFamily.InterNetworkV6)
        {
            byte[] packet6 = new byte[40 + payload.Length];
            packet6[0] = 0x60;
            BinaryPrimitives.WriteUInt16BigEndian(packet6.AsSpan(4), (ushort)payload.Length);
            packet6[6] = (byte)protocol;
            packet6[7] = hopLimit;
            source.TryWriteBytes(packet6.AsSpan(8), out _);
            destination.TryWriteBytes(packet6.AsSpan(24), out _);
            payload.CopyTo(packet6.AsSpan(40));
            return Ethernet(sourceMac, destinationMac, 0x86dd, packet6);
        }

        byte[] packet = new byte[20 + payload.Length];
        packet[0] = 0x45;
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(2), (ushort)packet.Length);
        packet[8] = hopLimit;
        packet[9] = (byte)protocol;
        source.TryWriteBytes(packet.AsSpan(12), out _);
        destination.TryWriteBytes(packet.AsSpan(16), out _);
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(10), Checksum(packet.AsSpan(0, 20)));
        payload.CopyTo(packet.AsSpan(20));
        return Ethernet(sourceMac, destinationMac, 0x0800, packet);
    }

    public static byte[] Tcp(ushort sourcePort, ushort destinationPort, byte flags, uint sequence = 1000, uint acknowledgement = 0)
    {
        byte[] header = new byte[20];
        BinaryPrimitives.WriteUInt16BigEndian(header, sourcePort);
        BinaryPrimitives.WriteUInt16BigEndian(header.AsSpan(2), destinationPort);
        BinaryPrimitives.WriteUInt32BigEndian(header.AsSpan(4), sequence);
        BinaryPrimitives.WriteUInt32BigEndian(header.AsSpan(8), acknowledgement);
        header[12] = 5 << 4;
        header[13] = flags;
        BinaryPrimitives.WriteUInt16BigEndian(header.AsSpan(14), 65000);
        return header;
    }

    public static byte[] Udp(ushort sourcePort, ushort destinationPort, ReadOnlySpan<byte> payload)
    {
        byte[] header = new byte[8 + payload.Length];
        BinaryPrimitives.WriteUInt16BigEndian(header, sourcePort);
        BinaryPrimitives.WriteUInt16BigEndian(header.AsSpan(2), destinationPort);
        BinaryPrimitives.WriteUInt16BigEndian(header.AsSpan(4), (ushort)header.Length);
        payload.CopyTo(header.AsSpan(8));
        return header;
    }

    public static byte[] Icmp(byte type, byte code, ushort id, ReadOnlySpan<byte> payload = default)
    {
        byte[] header = new byte[8 + payload.Length];
        header[0] = type;
        header[1] = code;
        BinaryPrimitives.WriteUInt16BigEndian(header.AsSpan(4), id);
        payload.CopyTo(header.AsSpan(8));
        return header;
    }

    public static byte[] Arp(MacAddress source, MacAddress destination, ushort operation, MacAddress senderMac, IPAddress sender, IPAddress target)
    {
        byte[] packet = [0, 1, 8, 0, 6, 4, 0, (byte)operation, .. new byte[20]];
        senderMac.Write(packet.AsSpan(8));
        sender.TryWriteBytes(packet.AsSpan(14), out _);
        target.TryWriteBytes(packet.AsSpan(24), out _);
        return Ethernet(source, destination, 0x0806, packet);
    }

    /// <summary>A neighbour solicitation or advertisement (RFC 4861) with one link-layer address option, or none.</summary>
    public static byte[] NeighbourDiscovery(byte type, IPAddress target, MacAddress? option)
    {
        byte[] message = new byte[option is null ? 24 : 32];
        message[0] = type;
        target.TryWriteBytes(message.AsSpan(8), out _);
        if (option is { } mac)
        {
            message[24] = type == 135 ? (byte)1 : (byte)2;
            message[25] = 1;
            mac.Write(message.AsSpan(26));
        }

        return message;
    }

    // RFC 1071, with the pseudo header of RFC 9293 or RFC 8200 (ICMP for IPv4 has none).
    private static byte[] WithChecksum(IPAddress source, IPAddress destination, Protocol protocol, byte[] payload)
    {
        int at = protocol switch
        {
            Protocol.Tcp => 16,
            Protocol.Udp => 6,
            Protocol.Icmp or Protocol.Icmp6 => 2,
            _ => -1,
        };
        if (at < 0)
            return payload;
        byte[] pseudo = protocol == Protocol.Icmp ? [] : [.. source.GetAddressBytes(), .. destination.GetAddressBytes(), 0, (byte)protocol, (byte)(payload.Length >> 8), (byte)payload.Length];
        payload[at] = payload[at + 1] = 0;
        BinaryPrimitives.WriteUInt16BigEndian(payload.AsSpan(at), Checksum([.. pseudo, .. payload]));
        return payload;
    }

    private static ushort Checksum(ReadOnlySpan<byte> bytes)
    {
        uint sum = 0;
        for (int i = 0; i + 1 < bytes.Length; i += 2)
            sum += BinaryPrimitives.ReadUInt16BigEndian(bytes[i..]);
        if (bytes.Length % 2 == 1)
            sum += (uint)bytes[^1] << 8;
        while (sum >> 16 != 0)
            sum = (sum & 0xffff) + (sum >> 16);
        return (ushort)~sum;
    }
}

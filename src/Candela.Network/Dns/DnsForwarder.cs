using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Candela.Network.Namespaces;

namespace Candela.Network.Dns;

/// <summary>
/// Asks the host's resolvers on behalf of containers, from the host's namespace. Each question has a socket (and so a port) and an id
/// of its own at random, and only an answer from the asked server to the same question counts (RFC 5452).
/// </summary>
internal sealed class DnsForwarder(NetworkNamespace host, Func<IReadOnlyList<IPEndPoint>> servers)
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(2); // for each server

    /// <summary>Asks server after server.</summary>
    /// <returns>The answer with the asker's id; null when no server gave one.</returns>
    public async Task<byte[]?> AskAsync(DnsQuery query, bool overTcp, CancellationToken cancellationToken)
    {
        foreach (IPEndPoint server in servers())
        {
            using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            deadline.CancelAfter(s_patience);
            try
            {
                byte[] answer = overTcp ? await AskTcpAsync(query, server, deadline.Token) : await AskUdpAsync(query, server, deadline.Token);
                if (DnsMessage.CodeOf(answer) is not (DnsCode.ServerFailure or DnsCode.Refused))
                    return answer;
            }
            catch (Exception exception) when (exception is SocketException or IOException or InvalidDataException or OperationCanceledException)
            {
                // The next server may know.
                cancellationToken.ThrowIfCancellationRequested();
            }
        }

        return null;
    }

    private async Task<byte[]> AskUdpAsync(DnsQuery query, IPEndPoint server, CancellationToken cancellationToken)
    {
        ushort id = NewId();
        using Socket socket = host.Run(() => new Socket(server.AddressFamily, SocketType.Dgram, ProtocolType.Udp));
        await socket.ConnectAsync(server, cancellationToken);
        await socket.SendAsync(DnsMessage.Forward(query, id), cancellationToken);
        byte[] buffer = new byte[DnsMessage.LargestUdp];
        while (true)
        {
            int count = await socket.ReceiveAsync(buffer, cancellationToken);
            if (DnsMessage.IsAnswer(buffer.AsSpan(0, count), query, id))
                return buffer[..count];
        }
    }

    private async Task<byte[]> AskTcpAsync(DnsQuery query, IPEndPoint server, CancellationToken cancellationToken)
    {
        ushort id = NewId();
        using Socket socket = host.Run(() => new Socket(server.AddressFamily, SocketType.Stream, ProtocolType.Tcp));
        await socket.ConnectAsync(server, cancellationToken);
        await using var stream = new NetworkStream(socket);
        await DnsStream.WriteAsync(stream, DnsMessage.Forward(query, id), cancellationToken);
        byte[] answer = await DnsStream.ReadAsync(stream, DnsMessage.LargestTcp, cancellationToken) ?? throw new EndOfStreamException();
        return DnsMessage.IsAnswer(answer, query, id) ? answer : throw new InvalidDataException("the answer is to another question");
    }

    private static ushort NewId()
    {
        Span<byte> bytes = stackalloc byte[2];
        RandomNumberGenerator.Fill(bytes);
        return BinaryPrimitives.ReadUInt16LittleEndian(bytes);
    }
}

/// <summary>Messages over TCP: each preceded by its length (RFC 1035, 4.2.2).</summary>
internal static class DnsStream
{
    public static async Task<byte[]?> ReadAsync(Stream stream, int mostBytes, CancellationToken cancellationToken)
    {
        byte[] length = new byte[2];
        if (await stream.ReadAtLeastAsync(length, 2, throwOnEndOfStream: false, cancellationToken) < 2)
            return null;
        int count = BinaryPrimitives.ReadUInt16BigEndian(length);
        if (count > mostBytes)
            return null;
        byte[] message = new byte[count];
        return await stream.ReadAtLeastAsync(message, count, throwOnEndOfStream: false, cancellationToken) < count ? null : message;
    }

    public static async Task WriteAsync(Stream stream, byte[] message, CancellationToken cancellationToken)
    {
        byte[] framed = [(byte)(message.Length >> 8), (byte)message.Length, .. message];
        await stream.WriteAsync(framed, cancellationToken);
    }
}

using System.Net;
using System.Net.Sockets;
using System.Text;
using Candela.Network.Namespaces;
using Candela.Network.Plan;

namespace Candela.Network.Dns;

/// <summary>
/// The DNS server of one segment, on its gateway's addresses: the names that the asker may know, all others from the host's resolvers
/// (not for who is on internal segments only). Bounded: so many questions at once, so many connections, each for so long.
/// </summary>
internal sealed class SegmentDns : IDisposable
{
    /// <summary>How long an answer from the zone is good for, seconds: not longer than an address rests.</summary>
    public const uint TtlSeconds = 5;

    private const int Port = 53, MostForwarded = 256, MostConnections = 64, MostQueryBytes = 4096;
    private const int SolSocket = 1, SoBindToDevice = 25;
    private static readonly TimeSpan s_idle = TimeSpan.FromSeconds(10);

    private readonly DnsForwarder _forwarder;
    private readonly Action<string, IReadOnlyList<IPAddress>, uint> _learn;
    private readonly CancellationTokenSource _stop = new();
    private readonly SemaphoreSlim _forwarded = new(MostForwarded), _connections = new(MostConnections);
    private readonly List<Socket> _sockets = [];
    private volatile SegmentNames _names;

    /// <param name="space">The project's namespace, in which the gateway's addresses are.</param>
    /// <param name="segment">The segment.</param>
    /// <param name="names">Who may know what.</param>
    /// <param name="forwarder">For all other names.</param>
    /// <param name="learn">Is told of addresses from outside, before the container is.</param>
    public SegmentDns(NetworkNamespace space, SegmentSpec segment, SegmentNames names, DnsForwarder forwarder, Action<string, IReadOnlyList<IPAddress>, uint> learn)
    {
        (_names, _forwarder, _learn) = (names, forwarder, learn);
        byte[] link = Encoding.UTF8.GetBytes(LinkNames.Bridge(segment.Id) + '\0');
        try
        {
            foreach (IPAddress address in new[] { segment.Gateway4, segment.Gateway6 }.OfType<IPAddress>())
            {
                Socket udp = Open(space, address, SocketType.Dgram, ProtocolType.Udp, link);
                _ = ServeUdpAsync(udp, address, _stop.Token);
                Socket tcp = Open(space, address, SocketType.Stream, ProtocolType.Tcp, link);
                tcp.Listen(MostConnections);
                _ = ServeTcpAsync(tcp, _stop.Token);
            }
        }
        catch
        {
            foreach (Socket socket in _sockets)
                socket.Dispose();
            throw;
        }
    }

    /// <summary>Takes other names from now on.</summary>
    public void Change(SegmentNames names) => _names = names;

    /// <summary>Closes the sockets; what is under way ends by itself.</summary>
    public void Dispose()
    {
        _stop.Cancel();
        foreach (Socket socket in _sockets)
            socket.Dispose();
        _stop.Dispose();
    }

    private Socket Open(NetworkNamespace space, IPAddress address, SocketType type, ProtocolType protocol, byte[] link)
    {
        Socket socket = space.Run(() => new Socket(address.AddressFamily, type, protocol));
        _sockets.Add(socket);
        // Only this segment's containers are heard, whatever address they ask.
        socket.SetRawSocketOption(SolSocket, SoBindToDevice, link);
        socket.Bind(new IPEndPoint(address, Port));
        return socket;
    }

    private async Task ServeUdpAsync(Socket socket, IPAddress address, CancellationToken stop)
    {
        byte[] buffer = new byte[MostQueryBytes];
        var anyone = new IPEndPoint(address.AddressFamily == AddressFamily.InterNetwork ? IPAddress.Any : IPAddress.IPv6Any, 0);
        while (!stop.IsCancellationRequested)
        {
            try
            {
                SocketReceiveFromResult received = await socket.ReceiveFromAsync(buffer, anyone, stop);
                byte[]? answer = AnswerAtOnce(buffer.AsSpan(0, received.ReceivedBytes), received.RemoteEndPoint, out DnsQuery? query);
                if (answer is not null)
                    await socket.SendToAsync(Fitting(query, answer), received.RemoteEndPoint, stop);
                else if (query is not null && _forwarded.Wait(0, CancellationToken.None))
                    _ = ForwardUdpAsync(socket, query, received.RemoteEndPoint, stop);
                else if (query is not null)
                    await socket.SendToAsync(DnsMessage.Empty(query, DnsCode.ServerFailure), received.RemoteEndPoint, stop);
            }
            catch (SocketException)
            {
                // The asker's port is closed by now, or the like: the next question is another matter.
            }
            catch (Exception exception) when (exception is OperationCanceledException or ObjectDisposedException)
            {
                return;
            }
        }
    }

    private async Task ForwardUdpAsync(Socket socket, DnsQuery query, EndPoint asker, CancellationToken stop)
    {
        try
        {
            byte[] answer = await ForwardAsync(query, overTcp: false, stop);
            await socket.SendToAsync(Fitting(query, answer), asker, stop);
        }
        catch (Exception exception) when (exception is OperationCanceledException or ObjectDisposedException or SocketException)
        {
            // The server ends, or the asker is gone.
        }
        finally
        {
            _forwarded.Release();
        }
    }

    private async Task ServeTcpAsync(Socket listener, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                await _connections.WaitAsync(stop);
                Socket connection = await listener.AcceptAsync(stop);
                _ = ServeConnectionAsync(connection, stop);
            }
            catch (SocketException)
            {
                _connections.Release(); // the asker gave up
            }
            catch (Exception exception) when (exception is OperationCanceledException or ObjectDisposedException)
            {
                return;
            }
        }
    }

    private async Task ServeConnectionAsync(Socket connection, CancellationToken stop)
    {
        try
        {
            await using var stream = new NetworkStream(connection, ownsSocket: true);
            while (true)
            {
                using var deadline = CancellationTokenSource.CreateLinkedTokenSource(stop);
                deadline.CancelAfter(s_idle);
                byte[]? message = await DnsStream.ReadAsync(stream, MostQueryBytes, deadline.Token);
                if (message is null)
                    return;
                byte[]? answer = AnswerAtOnce(message, connection.RemoteEndPoint!, out DnsQuery? query);
                if (answer is null && query is null)
                    return;
                await DnsStream.WriteAsync(stream, answer ?? await ForwardAsync(query!, overTcp: true, stop), deadline.Token);
            }
        }
        catch (Exception exception) when (exception is OperationCanceledException or IOException or ObjectDisposedException or SocketException)
        {
            // Too slow, gone, or the server ends.
        }
        finally
        {
            _connections.Release();
        }
    }

    private byte[]? AnswerAtOnce(ReadOnlySpan<byte> message, EndPoint asker, out DnsQuery? query)
    {
        query = DnsMessage.ReadQuery(message, out DnsCode? refusal);
        if (query is null)
            return refusal is { } code ? DnsMessage.Refusal(message, code) : null;
        if (query.Type == DnsType.Any)
            return DnsMessage.Empty(query, DnsCode.NotImplemented); // RFC 8482
        return _names.Answer(query, ((IPEndPoint)asker).Address, TtlSeconds);
    }

    private async Task<byte[]> ForwardAsync(DnsQuery query, bool overTcp, CancellationToken stop)
    {
        byte[]? answer = await _forwarder.AskAsync(query, overTcp, stop);
        if (answer is null)
            return DnsMessage.Empty(query, DnsCode.ServerFailure);
        if (query.Type is DnsType.A or DnsType.Aaaa && DnsMessage.AddressesOf(answer, out uint ttlSeconds) is { Count: > 0 } addresses)
            _learn(query.Name, addresses, ttlSeconds);
        return answer;
    }

    private static byte[] Fitting(DnsQuery? query, byte[] answer) => query is null || answer.Length <= query.UdpBytes ? answer : DnsMessage.Truncate(query);
}

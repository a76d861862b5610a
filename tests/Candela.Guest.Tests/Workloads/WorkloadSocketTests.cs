using System.Net.Sockets;
using Candela.Guest.Channel;
using Candela.Guest.Loop;
using Candela.Guest.Native;
using Candela.Guest.Protocol;
using Candela.Guest.Tests.Channel;
using Candela.Guest.Workloads;

namespace Candela.Guest.Tests.Workloads;

public sealed class WorkloadSocketTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("ws-").FullName;
    private readonly EventLoop _loop = new();
    private readonly FrameSender _sender = new();
    private readonly WorkloadSocket _socket;

    public WorkloadSocketTests()
    {
        _ = Libc.signal(Linux.SIGPIPE, 1);
        _socket = new WorkloadSocket(_loop, _sender, _folder);
        _socket.Listen();
        _socket.Resume();
    }

    public void Dispose()
    {
        _socket.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public void Passes_bytes_both_ways_and_ends_as_the_client_ends()
    {
        using var client = Connect();
        var number = Opened();
        client.Send("hello"u8);
        Assert.Equal("hello"u8, Single(FrameType.ConnectionSent).Payload);
        _socket.Find(number)!.Take("answer"u8);
        Assert.Equal("answer", Receive(client, 6));
        Assert.Equal(6UL, Single(FrameType.ConnectionTaken).Header.Position);
        client.Shutdown(SocketShutdown.Send);
        Assert.Empty(Single(FrameType.ConnectionSent).Payload);
        // The host may still answer what it was asked.
        _socket.Find(number)!.Take("last"u8);
        _socket.Find(number)!.Close();
        Assert.Equal("last", Receive(client, 4));
        Assert.Equal(0, client.Receive(new byte[1]));
        Assert.Null(_socket.Find(number));
    }

    [Fact]
    public void Sends_no_more_than_it_is_granted()
    {
        using var client = Connect();
        var number = Opened();
        client.Blocking = false;
        var rest = new byte[3 * ProtocolLimits.ConnectionWindowBytes].AsSpan();
        Random.Shared.NextBytes(rest);
        var all = rest.ToArray();
        var received = new List<byte>();
        var granted = ProtocolLimits.ConnectionWindowBytes;
        while (received.Count < all.Length)
        {
            if (rest.Length > 0)
            {
                var sent = client.Send(rest, SocketFlags.None, out var error);
                Assert.True(error is SocketError.Success or SocketError.WouldBlock);
                rest = rest[Math.Max(sent, 0)..];
            }
            var before = received.Count;
            foreach (var (header, payload) in Turn())
                received.AddRange(header.Type == FrameType.ConnectionSent ? payload : []);
            Assert.InRange(received.Count, 0, granted);
            if (received.Count == granted && received.Count == before)
            {
                _socket.Find(number)!.Grant(1000);
                granted += 1000;
            }
        }
        Assert.Equal(all, received);
    }

    [Fact]
    public void Drops_what_the_host_sends_beyond_the_window_and_holds_the_rest()
    {
        using var client = Connect();
        var number = Opened();
        for (var i = 0; i < 1000 && Turn().Any(f => f.Header.Type == FrameType.ConnectionTaken) | i == 0; i++)
            _socket.Find(number)!.Take(new byte[4096]);
        _socket.Find(number)!.Take(new byte[ProtocolLimits.ConnectionWindowBytes + 1]);
        Assert.NotNull(_socket.Find(number));
    }

    [Fact]
    public void Tells_the_host_of_a_client_that_is_gone()
    {
        var client = Connect();
        var number = Opened();
        _socket.Find(number)!.Grant(0);
        client.Dispose();
        Assert.Empty(Single(FrameType.ConnectionSent).Payload);
        _socket.Find(number)!.Take("nobody reads"u8);
        Assert.Equal(FrameType.ConnectionClosed, Assert.Single(Sent()).Header.Type);
        Assert.Null(_socket.Find(number));
    }

    [Fact]
    public void Ends_connections_with_the_host_and_lets_new_ones_wait_for_the_next()
    {
        using var former = Connect();
        var number = Opened();
        _socket.Halt();
        Assert.Equal(0, former.Receive(new byte[1]));
        using var next = Connect();
        Assert.Empty(Turn());
        _socket.Resume();
        Assert.NotEqual(number, Opened());
    }

    [Fact]
    public void Takes_no_more_connections_than_the_limit()
    {
        var clients = Enumerable.Range(0, ProtocolLimits.ConnectionCount + 1).Select(_ => Connect()).ToList();
        var numbers = new List<uint>();
        for (var i = 0; i < 2 * clients.Count; i++)
            numbers.AddRange(Turn().Where(f => f.Header.Type == FrameType.ConnectionOpened).Select(f => f.Header.Process));
        Assert.Equal(ProtocolLimits.ConnectionCount, numbers.Count);
        _socket.Find(numbers[0])!.Close();
        Opened();
        clients.ForEach(c => c.Dispose());
    }

    [Fact]
    public void Is_made_anew_in_place_of_the_former()
    {
        _socket.Listen();
        using var client = Connect();
        Opened();
    }

    private Socket Connect()
    {
        var client = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        client.Connect(new UnixDomainSocketEndPoint(_folder + "/workload.sock"));
        return client;
    }

    private uint Opened() => Single(FrameType.ConnectionOpened).Header.Process;

    private (FrameHeader Header, byte[] Payload) Single(FrameType type)
    {
        var frame = Assert.Single(Turn());
        Assert.Equal(type, frame.Header.Type);
        return frame;
    }

    private List<(FrameHeader Header, byte[] Payload)> Turn()
    {
        _loop.Turn(0);
        return Sent();
    }

    private List<(FrameHeader Header, byte[] Payload)> Sent() => Frames.Of(_sender);

    private static string Receive(Socket client, int count)
    {
        var buffer = new byte[count];
        Assert.Equal(count, client.Receive(buffer));
        return System.Text.Encoding.ASCII.GetString(buffer);
    }
}

using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;
using Candela.Guest.Protocol.Host;

namespace Candela.Guest.Protocol.Tests;

/// <summary>The guest's end of an agent channel, and what the host's end told its listener.</summary>
internal sealed class GuestEnd : IAgentEvents, IAsyncDisposable
{
    private readonly byte[] _buffer = new byte[4 * FrameHeader.FrameMaxBytes];
    private readonly Socket _socket;
    private int _start;
    private int _end;

    private GuestEnd(Socket socket, Stream host)
    {
        _socket = socket;
        Host = host;
    }

    /// <summary>For the connection under test.</summary>
    public Stream Host { get; }

    public List<(uint Process, OutputStream Stream, ulong Position, byte[] Data)> Output { get; } = [];

    public TaskCompletionSource<(uint Process, ProcessExit Exit)> Exit { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Channel<IDuplexPipe> Connections { get; } = Channel.CreateUnbounded<IDuplexPipe>();

    public void OnConnected(IDuplexPipe connection) => Connections.Writer.TryWrite(connection);

    public static async Task<GuestEnd> CreateAsync()
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        var host = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await host.ConnectAsync(listener.LocalEndPoint!);
        return new GuestEnd(await listener.AcceptAsync(), new NetworkStream(host, ownsSocket: true));
    }

    /// <summary>A connection that has been greeted.</summary>
    public async Task<AgentConnection> GreetAsync()
    {
        var connecting = AgentConnection.ConnectAsync(Host, this, mayBeTorn: false, TestContext.Current.CancellationToken);
        var (hello, _) = await NextAsync();
        await SendAsync(Frame.Bytes(FrameType.HelloReply, position: hello.Position, payload: [(byte)ProtocolLimits.Version, 0]));
        return await connecting;
    }

    public async Task SendAsync(ReadOnlyMemory<byte> bytes) => await _socket.SendAsync(bytes, TestContext.Current.CancellationToken);

    /// <summary>The next frame of the host.</summary>
    public async Task<(FrameHeader Header, byte[] Payload)> NextAsync()
    {
        while (true)
        {
            var result = FrameScan.Next(_buffer.AsSpan(_start, _end - _start), out var header, out var consumed);
            var at = _start;
            _start += consumed;
            if (result == FrameScanResult.Frame)
                return (header, _buffer.AsSpan(at + FrameHeader.SizeBytes, header.Length).ToArray());
            Assert.NotEqual(FrameScanResult.Garbage, result);
            if (result != FrameScanResult.Incomplete)
                continue;
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            (_start, _end) = (0, _end - _start);
            var read = await _socket.ReceiveAsync(_buffer.AsMemory(_end), TestContext.Current.CancellationToken);
            Assert.NotEqual(0, read);
            _end += read;
        }
    }

    public ValueTask OnOutputAsync(uint process, OutputStream stream, ulong position, ReadOnlyMemory<byte> data)
    {
        Output.Add((process, stream, position, data.ToArray()));
        return ValueTask.CompletedTask;
    }

    public ValueTask OnExitAsync(uint process, ProcessExit exit)
    {
        Exit.TrySetResult((process, exit));
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        _socket.Dispose();
        await Host.DisposeAsync();
    }
}

using System.Buffers;
using System.IO.Pipelines;
using Candela.Guest.Protocol.Host;

namespace Candela.Guest.Protocol.Tests;

public class GuestConnectionTests
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Carries_bytes_both_ways_until_both_ends_have_ended()
    {
        await using var guest = await GuestEnd.CreateAsync();
        await using var agent = await guest.GreetAsync();
        var connection = await OpenAsync(guest, 3);
        await guest.SendAsync(Frame.Bytes(FrameType.ConnectionSent, process: 3, payload: "ask"u8));
        Assert.Equal("ask"u8.ToArray(), await ReadAsync(connection, 3));
        var (credit, _) = await guest.NextAsync();
        Assert.Equal((FrameType.ConnectionCredit, 3u, 3UL), (credit.Type, credit.Process, credit.Position));
        await connection.Output.WriteAsync("answer"u8.ToArray(), Cancelled);
        var (data, payload) = await guest.NextAsync();
        Assert.Equal((FrameType.ConnectionData, 3u), (data.Type, data.Process));
        Assert.Equal("answer"u8, payload);
        await guest.SendAsync(Frame.Bytes(FrameType.ConnectionSent, process: 3));
        Assert.True((await connection.Input.ReadAsync(Cancelled)).IsCompleted);
        await connection.Input.CompleteAsync();
        await connection.Output.CompleteAsync();
        Assert.Equal(FrameType.ConnectionClose, (await guest.NextAsync()).Header.Type);
        // What was under way is dropped, and the number is free again.
        await guest.SendAsync(Frame.Bytes(FrameType.ConnectionClosed, process: 3));
        await OpenAsync(guest, 3);
    }

    [Fact]
    public async Task Sends_no_more_than_the_guest_grants()
    {
        await using var guest = await GuestEnd.CreateAsync();
        await using var agent = await guest.GreetAsync();
        var connection = await OpenAsync(guest, 1);
        var writing = connection.Output.WriteAsync(new byte[2 * ProtocolLimits.ConnectionWindowBytes], Cancelled).AsTask();
        for (var got = 0; got < ProtocolLimits.ConnectionWindowBytes;)
            got += (await guest.NextAsync()).Header.Length;
        Assert.False(writing.IsCompleted);
        await guest.SendAsync(Frame.Bytes(FrameType.ConnectionTaken, process: 1, position: 7));
        Assert.Equal(7, (await guest.NextAsync()).Header.Length);
        await guest.SendAsync(Frame.Bytes(FrameType.ConnectionClosed, process: 1));
        Assert.True((await writing).IsCompleted);
    }

    [Theory]
    [InlineData((byte)FrameType.ConnectionSent)]
    [InlineData((byte)FrameType.ConnectionTaken)]
    [InlineData((byte)FrameType.ConnectionOpened)]
    public async Task A_guest_that_breaks_the_rules_loses_its_channel(byte type)
    {
        await using var guest = await GuestEnd.CreateAsync();
        await using var agent = await guest.GreetAsync();
        var connection = await OpenAsync(guest, 1);
        // Nobody reads: the second window is one too many, as is credit that was never used, and a number that is in use.
        var broken = Frame.Bytes((FrameType)type, process: 1, position: 1, payload: type == (byte)FrameType.ConnectionSent ? new byte[ProtocolLimits.ConnectionWindowBytes] : []);
        for (var i = 0; i < 3 && !agent.Closed.IsCompleted; i++)
            await TrySendAsync(guest, broken);
        await agent.Closed.WaitAsync(Cancelled);
        await Assert.ThrowsAsync<AgentProtocolException>(() => agent.ListAsync(Cancelled));
        await Assert.ThrowsAnyAsync<Exception>(async () =>
        {
            while (!(await connection.Input.ReadAsync(Cancelled)).IsCompleted)
                connection.Input.AdvanceTo((await connection.Input.ReadAsync(Cancelled)).Buffer.End);
        });
    }

    [Fact]
    public async Task No_guest_has_more_connections_than_the_limit()
    {
        await using var guest = await GuestEnd.CreateAsync();
        await using var agent = await guest.GreetAsync();
        for (var number = 0u; number <= ProtocolLimits.ConnectionCount; number++)
            await TrySendAsync(guest, Frame.Bytes(FrameType.ConnectionOpened, process: number));
        await agent.Closed.WaitAsync(Cancelled);
        Assert.Equal(ProtocolLimits.ConnectionCount, guest.Connections.Reader.Count);
    }

    private static async Task TrySendAsync(GuestEnd guest, ReadOnlyMemory<byte> bytes)
    {
        try
        {
            await guest.SendAsync(bytes);
        }
        catch (System.Net.Sockets.SocketException)
        {
            // The host has closed the channel already.
        }
    }

    private static async Task<IDuplexPipe> OpenAsync(GuestEnd guest, uint number)
    {
        await guest.SendAsync(Frame.Bytes(FrameType.ConnectionOpened, process: number));
        return await guest.Connections.Reader.ReadAsync(Cancelled);
    }

    private static async Task<byte[]> ReadAsync(IDuplexPipe connection, int count)
    {
        var read = await connection.Input.ReadAtLeastAsync(count, Cancelled);
        var bytes = read.Buffer.ToArray();
        connection.Input.AdvanceTo(read.Buffer.End);
        return bytes;
    }
}

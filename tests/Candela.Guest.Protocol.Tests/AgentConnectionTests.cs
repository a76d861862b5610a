using Candela.Guest.Protocol.Host;

namespace Candela.Guest.Protocol.Tests;

public class AgentConnectionTests
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Passes_over_what_an_earlier_connection_left()
    {
        await using var guest = await GuestEnd.CreateAsync();
        var connecting = AgentConnection.ConnectAsync(guest.Host, guest, mayBeTorn: true, Cancelled);
        var (hello, version) = await guest.NextAsync();
        Assert.Equal(FrameType.Hello, hello.Type);
        Assert.Equal([(byte)ProtocolLimits.Version, 0], version);
        await guest.SendAsync(Frame.Bytes(FrameType.HelloReply, position: hello.Position + 1, payload: [(byte)ProtocolLimits.Version, 0]));
        await guest.SendAsync("the end of a frame"u8.ToArray());
        await guest.SendAsync(Frame.Bytes(FrameType.HelloReply, position: hello.Position, payload: [(byte)ProtocolLimits.Version, 0]));
        await using var agent = await connecting;
        Assert.False(agent.Closed.IsCompleted);
    }

    [Fact]
    public async Task Refuses_another_version()
    {
        await using var guest = await GuestEnd.CreateAsync();
        var connecting = AgentConnection.ConnectAsync(guest.Host, guest, mayBeTorn: false, Cancelled);
        var (hello, _) = await guest.NextAsync();
        await guest.SendAsync(Frame.Bytes(FrameType.HelloReply, position: hello.Position, payload: [9, 9]));
        await Assert.ThrowsAsync<AgentProtocolException>(() => connecting);
    }

    [Fact]
    public async Task Answers_reach_the_requests_they_belong_to()
    {
        await using var guest = await GuestEnd.CreateAsync();
        await using var agent = await guest.GreetAsync();
        var first = agent.StartAsync(5, new GuestProcess { Arguments = ["a"] }, Cancelled);
        var (one, _) = await guest.NextAsync();
        var second = agent.SignalAsync(5, 9, Cancelled);
        var (two, _) = await guest.NextAsync();
        Assert.Equal((FrameType.Start, 5u, FrameType.Signal, 9UL), (one.Type, one.Process, two.Type, two.Position));
        await guest.SendAsync(Frame.Bytes(FrameType.Error, request: two.Request, payload: [5, 0, .. "gone"u8]));
        await guest.SendAsync(Frame.Bytes(FrameType.Reply, request: one.Request, payload: [42, 0, 0, 0]));
        Assert.Equal(42, await first);
        var refused = await Assert.ThrowsAsync<AgentException>(() => second);
        Assert.Equal((AgentError.NoSuchProcess, "gone"), (refused.Error, refused.Message));
    }

    [Fact]
    public async Task Sends_no_more_input_than_the_guest_grants()
    {
        await using var guest = await GuestEnd.CreateAsync();
        await using var agent = await guest.GreetAsync();
        var starting = agent.StartAsync(1, new GuestProcess { Arguments = ["a"], OpenStdin = true }, Cancelled);
        var (start, _) = await guest.NextAsync();
        await guest.SendAsync(Frame.Bytes(FrameType.Reply, request: start.Request, payload: [1, 0, 0, 0]));
        await starting;

        var writing = agent.WriteInputAsync(1, new byte[ProtocolLimits.InputWindowBytes + 10], Cancelled).AsTask();
        var (window, _) = await guest.NextAsync();
        Assert.Equal(ProtocolLimits.InputWindowBytes, window.Length);
        Assert.False(writing.IsCompleted);
        await guest.SendAsync(Frame.Bytes(FrameType.InputCredit, process: 1, position: 10));
        var (rest, _) = await guest.NextAsync();
        Assert.Equal(10, rest.Length);
        await writing;

        var waiting = agent.WriteInputAsync(1, new byte[1], Cancelled).AsTask();
        await guest.SendAsync(Frame.Bytes(FrameType.InputGone, process: 1));
        Assert.Equal(AgentError.Gone, (await Assert.ThrowsAsync<AgentException>(() => waiting)).Error);
    }

    [Fact]
    public async Task Tells_output_and_exits()
    {
        await using var guest = await GuestEnd.CreateAsync();
        await using var agent = await guest.GreetAsync();
        await guest.SendAsync(Frame.Bytes(FrameType.Output, process: 1, flags: (byte)OutputStream.Stderr, position: 7, payload: "x"u8));
        var message = new MessageWriter();
        ReplyCodec.Write(message, new ProcessExit(137, 9, true));
        await guest.SendAsync(Frame.Bytes(FrameType.Exit, process: 1, payload: message.Written));
        Assert.Equal((1u, new ProcessExit(137, 9, true)), await guest.Exit.Task.WaitAsync(Cancelled));
        var (process, stream, position, data) = Assert.Single(guest.Output);
        Assert.Equal((1u, OutputStream.Stderr, 7UL), (process, stream, position));
        Assert.Equal("x"u8, data);
    }

    [Theory]
    [InlineData((byte)FrameType.Output, 9)]
    [InlineData((byte)FrameType.InputCredit, 0)]
    [InlineData(200, 0)]
    public async Task Closes_the_channel_of_a_guest_that_breaks_the_rules(byte type, byte flags)
    {
        await using var guest = await GuestEnd.CreateAsync();
        await using var agent = await guest.GreetAsync();
        await guest.SendAsync(Frame.Bytes((FrameType)type, process: 1, flags: flags, position: ulong.MaxValue));
        await agent.Closed.WaitAsync(Cancelled);
        await Assert.ThrowsAsync<AgentProtocolException>(() => agent.ListAsync(Cancelled));
    }

    [Fact]
    public async Task Fails_what_is_under_way_when_the_guest_is_gone()
    {
        await using var guest = await GuestEnd.CreateAsync();
        await using var agent = await guest.GreetAsync();
        var listing = agent.ListAsync(Cancelled);
        await guest.NextAsync();
        await guest.DisposeAsync();
        await Assert.ThrowsAnyAsync<IOException>(() => listing);
        await agent.Closed.WaitAsync(Cancelled);
    }
}

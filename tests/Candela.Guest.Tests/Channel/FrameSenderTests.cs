using Candela.Guest.Channel;
using Candela.Guest.Protocol;

namespace Candela.Guest.Tests.Channel;

public class FrameSenderTests
{
    private readonly FrameSender _sender = new();

    [Fact]
    public void Sends_a_large_message_in_parts()
    {
        var message = new byte[(2 * ProtocolLimits.DataFrameBytes) + 5];
        new Random(1).NextBytes(message);
        _sender.Send(new FrameHeader(FrameType.Reply, 0, 0, 0, 3, 0), message);

        var frames = Frames.Of(_sender);

        Assert.Equal([true, true, false], frames.Select(f => f.Header.More));
        Assert.All(frames, f => Assert.Equal((FrameType.Reply, 3u), (f.Header.Type, f.Header.Request)));
        Assert.Equal(message, frames.SelectMany(f => f.Payload));
    }

    [Fact]
    public void Goes_on_where_the_port_stopped_taking()
    {
        using var port = new PipePair();
        var sent = new List<uint>();
        var bytes = new List<byte>();
        for (uint i = 1; i <= 8; i++)
        {
            _sender.Send(new FrameHeader(FrameType.Reply, 0, 0, 0, i, 0), new byte[40_000]);
            if (!_sender.Flush(port.WriteEnd))
                bytes.AddRange(port.Read());
        }
        while (!_sender.Flush(port.WriteEnd))
            bytes.AddRange(port.Read());
        bytes.AddRange(port.Read());
        foreach (var (header, _) in Frames.Of([.. bytes]))
            sent.Add(header.Request);
        Assert.Equal([1, 2, 3, 4, 5, 6, 7, 8], sent);
        Assert.Equal(0, _sender.PendingBytes);
    }

    [Fact]
    public void Forgets_what_was_for_a_host_that_is_gone()
    {
        _sender.Send(new FrameHeader(FrameType.Reply, 0, 0, 0, 1, 0), "old"u8);
        _sender.Clear();
        _sender.Send(new FrameHeader(FrameType.HelloReply, 0, 0, 0, 0, 9), "new"u8);
        var frame = Assert.Single(Frames.Of(_sender));
        Assert.Equal((FrameType.HelloReply, 9UL), (frame.Header.Type, frame.Header.Position));
    }
}

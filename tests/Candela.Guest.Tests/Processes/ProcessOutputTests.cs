using Candela.Guest.Channel;
using Candela.Guest.Loop;
using Candela.Guest.Processes;
using Candela.Guest.Protocol;
using Candela.Guest.Protocol.Host;
using Candela.Guest.Tests.Channel;

namespace Candela.Guest.Tests.Processes;

public sealed class ProcessOutputTests : IDisposable
{
    private readonly EventLoop _loop = new();
    private readonly OutputQueue _queue = new();
    private readonly FrameSender _sender = new();
    private readonly PipePair _pipe = new();
    private readonly ProcessOutput _output;

    public ProcessOutputTests() => _output = Make(discards: false);

    public void Dispose()
    {
        _output.Dispose();
        _pipe.Dispose();
    }

    [Fact]
    public void Sends_nothing_before_the_host_wants_it()
    {
        Feed("hello"u8);
        Assert.Empty(Sent());
        Assert.Equal(new StreamStatus(0, 5, false), _output.Status);
        _output.Resume(0);
        Assert.Equal([(0UL, "hello")], Sent());
    }

    [Fact]
    public void Sends_from_where_the_host_is()
    {
        Feed("hello"u8);
        _output.Resume(3);
        Assert.Equal([(3UL, "lo")], Sent());
        Assert.Equal(new StreamStatus(3, 5, false), _output.Status);
    }

    [Fact]
    public void Sends_again_what_was_not_acknowledged()
    {
        _output.Resume(0);
        Feed("hello"u8);
        Sent();
        _output.Acknowledge(2);
        _output.Halt();
        Feed(" you"u8);
        Assert.Empty(Sent());
        _output.Resume(2);
        Assert.Equal([(2UL, "llo you")], Sent());
    }

    [Fact]
    public void Stops_reading_when_the_window_is_full_and_goes_on_after_an_acknowledgement()
    {
        _output.Resume(0);
        var all = new byte[ProtocolLimits.StreamWindowBytes * 3];
        new Random(2).NextBytes(all);
        var received = new List<byte>();
        var written = 0;
        while (_output.Status.Next < ProtocolLimits.StreamWindowBytes)
            written += Feed(all.AsSpan(written));
        written += Feed(all.AsSpan(written));
        Assert.Equal((ulong)ProtocolLimits.StreamWindowBytes, _output.Status.Next);
        while (received.Count < all.Length)
        {
            foreach (var (header, payload) in Frames.Of(Pump()))
            {
                Assert.Equal((ulong)received.Count, header.Position);
                Assert.InRange(payload.Length, 1, ProtocolLimits.DataFrameBytes);
                received.AddRange(payload);
            }
            _output.Acknowledge((ulong)received.Count);
            written += Feed(all.AsSpan(written));
        }
        Assert.Equal(all, received);
    }

    [Fact]
    public void Tells_the_end_after_the_last_byte_and_again_after_a_reconnect()
    {
        _output.Resume(0);
        Feed("bye"u8);
        _pipe.CloseWriteEnd();
        _loop.Turn(0);
        Assert.Equal([(0UL, "bye"), (3UL, "")], Sent());
        Assert.True(_output.Status.Ended);
        _output.Halt();
        _output.Resume(3);
        Assert.Equal([(3UL, "")], Sent());
    }

    [Fact]
    public void Acknowledges_no_more_than_there_is()
    {
        _output.Resume(0);
        Feed("abc"u8);
        _output.Acknowledge(1000);
        Feed("def"u8);
        Assert.Equal([(3UL, "def")], Sent());
        Assert.Equal(new StreamStatus(3, 6, false), _output.Status);
    }

    [Fact]
    public void Reads_and_drops_what_nobody_wants()
    {
        using var pipe = new PipePair();
        using var output = new ProcessOutput(_loop, _queue, 2, OutputStream.Stdout, pipe.TakeReadEnd(), discards: true);
        output.Resume(0);
        for (var i = 0; i < 10; i++)
        {
            Assert.Equal(60_000, pipe.Write(new byte[60_000]));
            _loop.Turn(0);
        }
        pipe.CloseWriteEnd();
        _loop.Turn(0);
        Assert.Equal([(600_000UL, "")], Sent());
    }

    private ProcessOutput Make(bool discards) => new(_loop, _queue, 1, OutputStream.Stdout, _pipe.TakeReadEnd(), discards);

    private int Feed(ReadOnlySpan<byte> data)
    {
        var written = data.IsEmpty ? 0 : Math.Max(_pipe.Write(data), 0);
        _loop.Turn(0);
        return written;
    }

    private FrameSender Pump()
    {
        while (_queue.SendNext(_sender))
        {
        }
        return _sender;
    }

    private List<(ulong Position, string Text)> Sent() =>
        [.. Frames.Of(Pump()).Select(f => (f.Header.Position, System.Text.Encoding.ASCII.GetString(f.Payload)))];
}

using Candela.Guest.Channel;
using Candela.Guest.Protocol;

namespace Candela.Guest.Tests.Channel;

public sealed class FrameReceiverTests : IDisposable
{
    private readonly PipePair _port = new();
    private readonly FrameReceiver _receiver = new();

    public void Dispose() => _port.Dispose();

    [Fact]
    public void Finds_a_frame_that_comes_in_pieces()
    {
        var frame = Frames.Bytes(FrameType.Stat, 7, "abc"u8);
        _port.Write(frame.AsSpan(0, 10));
        Assert.Empty(Receive());
        _port.Write(frame.AsSpan(10));
        Assert.Equal([(7u, "abc")], Receive());
    }

    [Fact]
    public void Finds_frames_between_garbage()
    {
        _port.Write("nonsense"u8);
        _port.Write(Frames.Bytes(FrameType.List, 1, []));
        _port.Write([0x4D, 0xCA, 1, 0, 0xFF, 0xFF, 0xFF, 0xFF, .. new byte[16]]);
        _port.Write(Frames.Bytes(FrameType.List, 2, "x"u8));
        Assert.Equal([(1u, ""), (2u, "x")], Receive());
    }

    [Fact]
    public void Drops_a_frame_that_was_cut_off_and_filled_with_zeros()
    {
        _port.Write(Frames.Bytes(FrameType.Input, 1, new byte[1000]).AsSpan(0, 500));
        _port.Write(new byte[2000]);
        _port.Write(Frames.Bytes(FrameType.Hello, 2, "v"u8));
        Assert.Equal([(2u, "v")], Receive());
    }

    [Fact]
    public void Keeps_its_place_over_more_than_its_buffer_holds()
    {
        var payload = new byte[ProtocolLimits.DataFrameBytes];
        var seen = 0;
        for (uint i = 1; i <= 10; i++)
        {
            var frame = Frames.Bytes(FrameType.Input, i, payload).AsSpan();
            while (frame.Length > 0)
            {
                frame = frame[Math.Max(_port.Write(frame), 0)..];
                seen += Receive().Count;
            }
        }
        Assert.Equal(10, seen);
    }

    private List<(uint Request, string Text)> Receive()
    {
        var frames = new List<(uint, string)>();
        while (_receiver.Fill(_port.ReadEnd))
        {
            while (_receiver.TryNext(out var header, out var payload))
                frames.Add((header.Request, System.Text.Encoding.ASCII.GetString(payload)));
        }
        return frames;
    }
}

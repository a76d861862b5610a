namespace Candela.Guest.Protocol.Tests;

public class FrameScanTests
{
    [Fact]
    public void Finds_a_whole_frame()
    {
        var frame = Frame.Bytes(FrameType.Output, process: 3, position: 9, payload: "abc"u8);
        Assert.Equal(FrameScanResult.Frame, FrameScan.Next(frame, out var header, out var consumed));
        Assert.Equal(new FrameHeader(FrameType.Output, 0, 3, 3, 0, 9), header);
        Assert.Equal(frame.Length, consumed);
    }

    [Fact]
    public void Waits_for_each_missing_byte()
    {
        var frame = Frame.Bytes(FrameType.Output, payload: "abc"u8);
        for (var length = 0; length < frame.Length; length++)
        {
            Assert.Equal(FrameScanResult.Incomplete, FrameScan.Next(frame.AsSpan(0, length), out _, out var consumed));
            Assert.Equal(0, consumed);
        }
    }

    [Fact]
    public void Skips_filling() => AssertScan(FrameScanResult.Skip, 4, [0, 0, 0, 0, 0x4D]);

    [Fact]
    public void Skips_a_frame_without_its_trailer()
    {
        var frame = Frame.Bytes(FrameType.Output, payload: "abc"u8);
        frame[^1] = 0;
        AssertScan(FrameScanResult.Skip, frame.Length, frame);
    }

    [Fact]
    public void Takes_foreign_bytes_for_garbage() => AssertScan(FrameScanResult.Garbage, 1, "x"u8);

    [Fact]
    public void Takes_a_length_out_of_bounds_for_garbage()
    {
        var frame = Frame.Bytes(FrameType.Output, payload: "abc"u8);
        BitConverter.TryWriteBytes(frame.AsSpan(4), ProtocolLimits.DataFrameBytes + 1);
        AssertScan(FrameScanResult.Garbage, 1, frame);
    }

    private static void AssertScan(FrameScanResult expected, int expectedConsumed, ReadOnlySpan<byte> buffer)
    {
        Assert.Equal(expected, FrameScan.Next(buffer, out _, out var consumed));
        Assert.Equal(expectedConsumed, consumed);
    }
}

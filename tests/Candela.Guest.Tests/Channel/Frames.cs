using Candela.Guest.Channel;
using Candela.Guest.Protocol;

namespace Candela.Guest.Tests.Channel;

/// <summary>Frames as bytes, and back.</summary>
internal static class Frames
{
    public static byte[] Bytes(FrameType type, uint request, ReadOnlySpan<byte> payload)
    {
        var frame = new byte[FrameHeader.SizeBytes + payload.Length + 1];
        new FrameHeader(type, 0, payload.Length, 0, request, 0).Write(frame);
        payload.CopyTo(frame.AsSpan(FrameHeader.SizeBytes));
        frame[^1] = FrameHeader.Trailer;
        return frame;
    }

    public static List<(FrameHeader Header, byte[] Payload)> Of(ReadOnlySpan<byte> bytes)
    {
        var frames = new List<(FrameHeader, byte[])>();
        while (bytes.Length > 0)
        {
            Assert.Equal(FrameScanResult.Frame, FrameScan.Next(bytes, out var header, out var consumed));
            frames.Add((header, bytes.Slice(FrameHeader.SizeBytes, header.Length).ToArray()));
            bytes = bytes[consumed..];
        }
        return frames;
    }

    /// <summary>What a sender has to say.</summary>
    public static List<(FrameHeader Header, byte[] Payload)> Of(FrameSender sender)
    {
        using var port = new PipePair();
        var bytes = new List<byte>();
        while (!sender.Flush(port.WriteEnd))
            bytes.AddRange(port.Read());
        bytes.AddRange(port.Read());
        return Of([.. bytes]);
    }
}

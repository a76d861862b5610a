namespace Candela.Guest.Protocol.Tests;

/// <summary>Frames as bytes.</summary>
internal static class Frame
{
    public static byte[] Bytes(
        FrameType type, uint process = 0, uint request = 0, ulong position = 0, byte flags = 0, ReadOnlySpan<byte> payload = default)
    {
        var frame = new byte[FrameHeader.SizeBytes + payload.Length + 1];
        new FrameHeader(type, flags, payload.Length, process, request, position).Write(frame);
        payload.CopyTo(frame.AsSpan(FrameHeader.SizeBytes));
        frame[^1] = FrameHeader.Trailer;
        return frame;
    }
}

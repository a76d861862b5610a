namespace Candela.Guest.Protocol;

/// <summary>What stands at the beginning of a buffer.</summary>
internal enum FrameScanResult
{
    /// <summary>Not enough bytes yet.</summary>
    Incomplete,

    /// <summary>A whole frame.</summary>
    Frame,

    /// <summary>Bytes to drop: filling, or a frame without its trailer.</summary>
    Skip,

    /// <summary>Bytes that are neither a frame nor filling.</summary>
    Garbage,
}

/// <summary>Finds frames in a byte stream; keeps no state, allocates nothing.</summary>
internal static class FrameScan
{
    /// <summary>Looks at the beginning of <paramref name="buffer"/>; <paramref name="consumed"/> is what to remove from it afterwards.</summary>
    public static FrameScanResult Next(ReadOnlySpan<byte> buffer, out FrameHeader header, out int consumed)
    {
        header = default;
        consumed = 0;
        if (buffer.Length == 0)
            return FrameScanResult.Incomplete;
        if (buffer[0] == 0)
        {
            var zeros = buffer.IndexOfAnyExcept((byte)0);
            consumed = zeros < 0 ? buffer.Length : zeros;
            return FrameScanResult.Skip;
        }
        if (buffer[0] != (FrameHeader.Magic & 0xFF))
        {
            consumed = 1;
            return FrameScanResult.Garbage;
        }
        if (buffer.Length < FrameHeader.SizeBytes)
            return FrameScanResult.Incomplete;
        if (!FrameHeader.TryRead(buffer, out header))
        {
            consumed = 1;
            return FrameScanResult.Garbage;
        }
        var whole = FrameHeader.SizeBytes + header.Length + 1;
        if (buffer.Length < whole)
            return FrameScanResult.Incomplete;
        consumed = whole;
        return buffer[whole - 1] == FrameHeader.Trailer ? FrameScanResult.Frame : FrameScanResult.Skip;
    }
}

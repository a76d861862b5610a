using System.Buffers;
using System.Buffers.Binary;

namespace Candela.Docker.Streams;

/// <summary>
/// Docker's multiplexing of stdout and stderr over one stream: before each piece 8 bytes, of which the first is the stream and the
/// last four the length, big-endian (Engine API, "Stream format" of container attach).
/// </summary>
internal static class Stdcopy
{
    public const int HeaderBytes = 8;

    private const byte Stdout = 1;
    private const byte Stderr = 2;

    public static void WriteHeader(IBufferWriter<byte> writer, bool isStderr, int length)
    {
        var header = writer.GetSpan(HeaderBytes)[..HeaderBytes];
        header.Clear();
        header[0] = isStderr ? Stderr : Stdout;
        BinaryPrimitives.WriteUInt32BigEndian(header[4..], (uint)length);
        writer.Advance(HeaderBytes);
    }

    public static void WriteFrame(IBufferWriter<byte> writer, bool isStderr, ReadOnlySpan<byte> data)
    {
        WriteHeader(writer, isStderr, data.Length);
        writer.Write(data);
    }
}

using System.Buffers.Binary;
using System.Text;

namespace Candela.Cli.Http;

/// <summary>Kinds of frames of the <c>candela-stream</c> protocol.</summary>
internal enum FrameKind : byte
{
    Stdin = 0,
    Stdout = 1,
    Stderr = 2,
    Exit = 3,
    Resize = 4,
    StdinClose = 5,
    Error = 6,
}

/// <summary>
/// A connection upgraded to <c>candela-stream</c>: frames of [u8 kind][u32 LE length][payload] both ways.
/// One thread reads, any thread writes.
/// </summary>
internal sealed class StreamConnection(HttpConnection connection) : IDisposable
{
    public const string Protocol = "candela-stream";

    /// <summary>Largest payload accepted, bytes.</summary>
    private const int PayloadBytesLimit = 1024 * 1024;

    private const int HeaderBytes = 5;

    private readonly Lock writing = new();
    private readonly byte[] header = new byte[HeaderBytes];
    private byte[] payload = new byte[64 * 1024];

    /// <summary>Reads a frame; false at the end of the stream. The payload is valid until the next call.</summary>
    public bool TryRead(out FrameKind kind, out ReadOnlySpan<byte> data)
    {
        kind = default;
        data = default;
        if (!Fill(header, mayEnd: true))
            return false;
        kind = (FrameKind)header[0];
        uint length = BinaryPrimitives.ReadUInt32LittleEndian(header.AsSpan(1));
        if (length > PayloadBytesLimit)
            throw new InvalidDataException($"the daemon sent a frame of {length} bytes (limit {PayloadBytesLimit})");
        if (length > payload.Length)
            payload = new byte[PayloadBytesLimit];
        Fill(payload.AsSpan(0, (int)length), mayEnd: false);
        data = payload.AsSpan(0, (int)length);
        return true;
    }

    public void Write(FrameKind kind, ReadOnlySpan<byte> data)
    {
        byte[] frame = new byte[HeaderBytes + data.Length];
        frame[0] = (byte)kind;
        BinaryPrimitives.WriteUInt32LittleEndian(frame.AsSpan(1), (uint)data.Length);
        data.CopyTo(frame.AsSpan(HeaderBytes));
        lock (writing)
            connection.SendAll(frame);
    }

    public void WriteResize(ushort rows, ushort columns)
    {
        Span<byte> size = stackalloc byte[4];
        BinaryPrimitives.WriteUInt16LittleEndian(size, rows);
        BinaryPrimitives.WriteUInt16LittleEndian(size[2..], columns);
        Write(FrameKind.Resize, size);
    }

    public static int ReadExitCode(ReadOnlySpan<byte> data) => BinaryPrimitives.ReadInt32LittleEndian(data);

    public static string ReadText(ReadOnlySpan<byte> data) => Encoding.UTF8.GetString(data);

    public void Shutdown() => connection.Shutdown();

    public void Dispose() => connection.Dispose();

    private bool Fill(Span<byte> destination, bool mayEnd)
    {
        int at = 0;
        while (at < destination.Length)
        {
            int count = connection.Receive(destination[at..]);
            if (count == 0)
                return mayEnd && at == 0 ? false : throw new EndOfStreamException("the daemon closed the connection in the middle of a frame");
            at += count;
        }
        return true;
    }
}

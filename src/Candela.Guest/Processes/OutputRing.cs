using System.Runtime.InteropServices;
using Candela.Guest.Native;
using Candela.Guest.Protocol;

namespace Candela.Guest.Processes;

/// <summary>The last output of a stream that the host has not acknowledged. Positions count from the stream's first byte.</summary>
internal sealed unsafe class OutputRing : IDisposable
{
    private const int Size = ProtocolLimits.StreamWindowBytes;
    private byte* _bytes;

    /// <summary>Oldest position held.</summary>
    public ulong First { get; private set; }

    /// <summary>Position after the newest byte.</summary>
    public ulong Next { get; private set; }

    /// <summary>Bytes that can still be taken in.</summary>
    public int Room => Size - (int)(Next - First);

    /// <summary>Reads once, up to <paramref name="most"/> bytes and the room there is; the result is readv's.</summary>
    public nint ReadFrom(int fd, int most)
    {
        if (_bytes is null)
            _bytes = (byte*)NativeMemory.Alloc(Size);
        var count = Math.Min(most, Room);
        var at = (int)(Next % Size);
        var head = Math.Min(count, Size - at);
        var vectors = stackalloc IoVector[2];
        vectors[0] = new IoVector { Base = _bytes + at, Length = (nuint)head };
        vectors[1] = new IoVector { Base = _bytes, Length = (nuint)(count - head) };
        var read = Libc.readv(fd, vectors, count > head ? 2 : 1);
        if (read > 0)
            Next += (ulong)read;
        return read;
    }

    /// <summary>Copies what is held from <paramref name="position"/> on.</summary>
    public void CopyTo(ulong position, Span<byte> target)
    {
        var at = (int)(position % Size);
        var head = Math.Min(target.Length, Size - at);
        new ReadOnlySpan<byte>(_bytes + at, head).CopyTo(target);
        new ReadOnlySpan<byte>(_bytes, target.Length - head).CopyTo(target[head..]);
    }

    /// <summary>Drops what is before <paramref name="position"/>.</summary>
    public void DropTo(ulong position) => First = Math.Clamp(position, First, Next);

    /// <inheritdoc/>
    public void Dispose()
    {
        NativeMemory.Free(_bytes);
        _bytes = null;
    }
}

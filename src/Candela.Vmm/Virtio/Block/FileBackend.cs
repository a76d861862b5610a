using System.Runtime.InteropServices;
using Candela.Vmm.Native;

namespace Candela.Vmm.Virtio.Block;

/// <summary>A disk in a file. It may be shorter than the disk: what lies beyond its end reads as zero, and writes there make it longer.</summary>
internal sealed unsafe class FileBackend(int descriptor) : IBlockBackend
{
    private const int VectorsMaximum = 1024; // IOV_MAX of Linux
    private const int ZerosBytes = 64 * 1024;

    private static readonly byte[] Zeros = GC.AllocateArray<byte>(ZerosBytes, pinned: true);
    private readonly IoVector[] _rest = GC.AllocateArray<IoVector>(VectorsMaximum, pinned: true);

    /// <inheritdoc/>
    public bool TryRead(ReadOnlySpan<IoVector> buffers, ulong offsetBytes)
    {
        Span<IoVector> rest = Copy(buffers);
        while (!rest.IsEmpty)
        {
            nint count;
            fixed (IoVector* vectors = rest)
                count = Libc.preadv(descriptor, vectors, rest.Length, (long)offsetBytes);
            if (count < 0 && Errno.Last != Linux.EINTR)
                return false;
            if (count == 0)
            {
                foreach (IoVector buffer in rest)
                    NativeMemory.Clear(buffer.Start, buffer.Length);
                return true;
            }

            rest = Advance(rest, ref offsetBytes, count);
        }

        return true;
    }

    /// <inheritdoc/>
    public bool TryWrite(ReadOnlySpan<IoVector> buffers, ulong offsetBytes)
    {
        Span<IoVector> rest = Copy(buffers);
        while (!rest.IsEmpty)
        {
            nint count;
            fixed (IoVector* vectors = rest)
                count = Libc.pwritev(descriptor, vectors, rest.Length, (long)offsetBytes);
            if (count == 0 || (count < 0 && Errno.Last != Linux.EINTR))
                return false;
            rest = Advance(rest, ref offsetBytes, count);
        }

        return true;
    }

    /// <inheritdoc/>
    public bool TryZero(ulong offsetBytes, ulong lengthBytes, bool deallocate)
    {
        // A hole reads as zero: it serves both, as the size of the file stays.
        if (Libc.fallocate(descriptor, Linux.FALLOC_FL_PUNCH_HOLE | Linux.FALLOC_FL_KEEP_SIZE, (long)offsetBytes, (long)lengthBytes) == 0)
            return true;
        return Errno.Last == Linux.EOPNOTSUPP && WriteZeros(offsetBytes, lengthBytes);
    }

    /// <inheritdoc/>
    public bool TryFlush() => Libc.fdatasync(descriptor) == 0;

    private bool WriteZeros(ulong offsetBytes, ulong lengthBytes)
    {
        fixed (byte* zeros = Zeros)
        {
            while (lengthBytes > 0)
            {
                IoVector vector = new() { Start = zeros, Length = (nuint)Math.Min(lengthBytes, ZerosBytes) };
                if (!TryWrite(new ReadOnlySpan<IoVector>(in vector), offsetBytes))
                    return false;
                offsetBytes += vector.Length;
                lengthBytes -= vector.Length;
            }
        }

        return true;
    }

    // Empty buffers are left out: a call that moves nothing must mean the end.
    private Span<IoVector> Copy(ReadOnlySpan<IoVector> buffers)
    {
        int count = 0;
        foreach (IoVector buffer in buffers)
        {
            if (buffer.Length != 0)
                _rest[count++] = buffer;
        }

        return _rest.AsSpan(0, count);
    }

    private static Span<IoVector> Advance(Span<IoVector> rest, scoped ref ulong offsetBytes, nint count)
    {
        if (count < 0)
            return rest; // interrupted
        offsetBytes += (ulong)count;
        nuint done = (nuint)count;
        while (!rest.IsEmpty && done >= rest[0].Length)
        {
            done -= rest[0].Length;
            rest = rest[1..];
        }

        if (!rest.IsEmpty)
        {
            rest[0].Start += done;
            rest[0].Length -= done;
        }

        return rest;
    }
}

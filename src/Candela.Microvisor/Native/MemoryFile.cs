using Microsoft.Win32.SafeHandles;
using static Candela.Microvisor.Native.Libc;

namespace Candela.Microvisor.Native;

/// <summary>Anonymous files (memfd_create(2)) that hold guest memory and device state.</summary>
internal static class MemoryFile
{
    private const int ChunkBytes = 1 << 20;

    /// <summary>Size of a page of x86-64.</summary>
    public const int PageBytes = 4096;

    /// <summary>Gets a piece of a file.</summary>
    public delegate void PieceAction(long offset, ReadOnlySpan<byte> data);

    /// <summary>Makes one of the given size, all zero.</summary>
    public static SafeFileHandle Create(string name, long size)
    {
        SafeFileHandle file = Own(memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING), "memfd_create");
        Check(ftruncate(file.Number(), size), "sizing guest memory");
        return file;
    }

    /// <summary>Opens the same file anew: an access mode and an offset of its own.</summary>
    public static SafeFileHandle Reopen(SafeFileHandle file, int mode) => Own(open($"/proc/self/fd/{file.Number()}", mode | O_CLOEXEC, 0), "reopening guest memory");

    /// <summary>Forbids every later change, by anyone. Fails while a writable shared mapping exists.</summary>
    public static void Seal(SafeFileHandle file) =>
        Check(fcntl(file.Number(), F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE), "sealing guest memory");

    /// <summary>Copies all pages that are not zero; the target's others must be holes. Both have the same size.</summary>
    /// <returns>Bytes copied.</returns>
    public static long CopyPages(SafeFileHandle source, SafeFileHandle target, CancellationToken cancellationToken)
    {
        long copied = 0;
        ForEachData(source, GC.AllocateUninitializedArray<byte>(ChunkBytes), (offset, data) =>
        {
            cancellationToken.ThrowIfCancellationRequested();
            copied += WritePages(target, data, offset);
        });
        return copied;
    }

    /// <summary>Calls back with each piece of data that is not a hole.</summary>
    public static void ForEachData(SafeFileHandle file, byte[] buffer, PieceAction action)
    {
        long size = RandomAccess.GetLength(file);
        for (long data = 0; data < size;)
        {
            data = lseek(file.Number(), data, SEEK_DATA);
            if (data < 0)
                return;
            long hole = Check(lseek(file.Number(), data, SEEK_HOLE), "finding a hole");
            for (; data < hole; data += buffer.Length)
            {
                Span<byte> piece = buffer.AsSpan(0, (int)Math.Min(buffer.Length, hole - data));
                ReadExactly(file, piece, data);
                action(data, piece);
            }

            data = hole;
        }
    }

    /// <summary>Reads all of a span.</summary>
    public static void ReadExactly(SafeFileHandle file, Span<byte> buffer, long offset)
    {
        while (!buffer.IsEmpty)
        {
            int count = RandomAccess.Read(file, buffer, offset);
            if (count == 0)
                throw new EndOfStreamException("a memory file is shorter than it should be");
            buffer = buffer[count..];
            offset += count;
        }
    }

    private static long WritePages(SafeFileHandle target, ReadOnlySpan<byte> data, long offset)
    {
        long written = 0;
        for (int start = 0; start < data.Length;)
        {
            int end = start;
            while (end < data.Length && Page(data, end).ContainsAnyExcept((byte)0))
                end += PageBytes;
            end = Math.Min(end, data.Length);
            if (end > start)
                RandomAccess.Write(target, data[start..end], offset + start);
            written += end - start;
            start = end + PageBytes;
        }

        return written;
    }

    private static ReadOnlySpan<byte> Page(ReadOnlySpan<byte> data, int start) => data.Slice(start, Math.Min(PageBytes, data.Length - start));
}

using Candela.Vmm.Native;

namespace Candela.Vmm.Memory;

/// <summary>
/// The pages of copy-on-write memory that the guest has changed, by /proc/self/pagemap (Linux, Documentation/admin-guide/mm/pagemap.rst):
/// those that are there and not the file's.
/// </summary>
internal sealed unsafe class PrivatePages
{
    private const int PageBytes = 4096;
    private const int EntriesAtOnce = 512;
    private const ulong FilePage = 1UL << 61, Swapped = 1UL << 62, Present = 1UL << 63;
    private const ulong RunBytesMaximum = 1UL << 20;

    private readonly GuestMemory _memory;
    private readonly int _pagemap;

    /// <summary>Opens the page map, which is done before the process is confined.</summary>
    /// <exception cref="NativeException">It cannot be opened.</exception>
    public PrivatePages(GuestMemory memory)
    {
        _memory = memory;
        _pagemap = Errno.Check(Libc.open("/proc/self/pagemap", Linux.O_CLOEXEC, 0), "opening /proc/self/pagemap");
    }

    /// <summary>Writes each changed page of a guest that stands still to its place in a file; the result is how many bytes that was.</summary>
    /// <exception cref="NativeException">Reading the map or writing failed.</exception>
    public ulong WriteTo(int descriptor)
    {
        ulong written = 0, runStart = 0, runEnd = 0;
        ulong* entries = stackalloc ulong[EntriesAtOnce];
        ulong firstPage = (ulong)_memory.Host / PageBytes;
        for (ulong page = 0, pages = _memory.SizeBytes / PageBytes; page < pages; page += EntriesAtOnce)
        {
            int count = (int)Math.Min(EntriesAtOnce, pages - page);
            if (Libc.lseek(_pagemap, (long)((firstPage + page) * sizeof(ulong)), Linux.SEEK_SET) < 0
                || Libc.read(_pagemap, entries, (nuint)(count * sizeof(ulong))) != count * sizeof(ulong))
                throw new NativeException("reading the page map", Errno.Last);
            for (int i = 0; i < count; i++)
            {
                if ((entries[i] & (Present | Swapped)) == 0 || (entries[i] & FilePage) != 0)
                    continue;
                ulong start = (page + (ulong)i) * PageBytes;
                if (start != runEnd || runEnd - runStart >= RunBytesMaximum)
                {
                    Write(descriptor, runStart, runEnd);
                    runStart = start;
                }

                runEnd = start + PageBytes;
                written += PageBytes;
            }
        }

        Write(descriptor, runStart, runEnd);
        return written;
    }

    private void Write(int descriptor, ulong start, ulong end)
    {
        while (start < end)
        {
            IoVector vector = new() { Start = _memory.Host + start, Length = (nuint)(end - start) };
            nint count = Libc.pwritev(descriptor, &vector, 1, (long)start);
            if (count < 0 && Errno.Last == Linux.EINTR)
                continue;
            if (count <= 0)
                throw new NativeException("writing changed memory", Errno.Last);
            start += (ulong)count;
        }
    }
}

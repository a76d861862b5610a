using Candela.Vmm.Native;

namespace Candela.Vmm.Memory;

/// <summary>Maps a file as guest memory.</summary>
internal static unsafe class MemoryFile
{
    /// <summary>Maps so many bytes of a file; the mapping lasts as long as the process.</summary>
    /// <param name="descriptor">An open file or memfd; a negative one: new memory of this VM's own.</param>
    /// <param name="sizeBytes">Multiple of 4096.</param>
    /// <param name="isPrivate">Copy-on-write: what the guest writes is its own, and the file stays as it is.</param>
    /// <exception cref="NativeException">The file is too small or cannot be mapped.</exception>
    public static GuestMemory Map(int descriptor, ulong sizeBytes, bool isPrivate)
    {
        if (descriptor < 0)
        {
            descriptor = Errno.Check(Libc.memfd_create("guest", Linux.MFD_CLOEXEC), "memfd_create");
            Errno.Check(Libc.ftruncate(descriptor, (long)sizeBytes), "ftruncate");
        }

        // A mapping beyond the file's end would end this process when touched.
        long length = Libc.lseek(descriptor, 0, Linux.SEEK_END);
        if (length < 0 || (ulong)length < sizeBytes)
            throw new NativeException($"the memory file has {length} bytes, and the VM {sizeBytes}", length < 0 ? Errno.Last : 0);
        int flags = (isPrivate ? Linux.MAP_PRIVATE : Linux.MAP_SHARED) | Linux.MAP_NORESERVE;
        void* start = Libc.mmap(null, (nuint)sizeBytes, Linux.PROT_READ | Linux.PROT_WRITE, flags, descriptor, 0);
        if (start == (void*)-1)
            throw new NativeException("mapping the guest's memory", Errno.Last);
        return new GuestMemory((byte*)start, sizeBytes);
    }
}

using Candela.Vmm.Memory;

namespace Candela.Vmm.Boot;

/// <summary>Puts a kernel, its initial RAM disk and its command line into the guest's memory. All three may be hostile.</summary>
internal static class KernelLoader
{
    /// <summary>Least memory of a VM, bytes.</summary>
    public const ulong MemoryBytesMinimum = 16 << 20;

    /// <summary>Loads a bzImage (Linux boot protocol 2.12 or later) or an ELF kernel with a PVH entry.</summary>
    /// <exception cref="BootException">One of them is not usable; the message says why.</exception>
    public static BootEntry Load(GuestMemory memory, ReadOnlySpan<byte> kernel, ReadOnlySpan<byte> initramfs, ReadOnlySpan<byte> commandLine)
    {
        if (memory.SizeBytes < MemoryBytesMinimum)
            throw new BootException($"a VM needs at least {MemoryBytesMinimum >> 20} MiB of memory");
        if (commandLine.Length >= BootLayout.CommandLineBytesMaximum || commandLine.Contains((byte)0))
            throw new BootException($"a kernel's command line has fewer than {BootLayout.CommandLineBytesMaximum} bytes, none of them zero");
        Span<byte> line = memory.Span(BootLayout.CommandLineAddress, commandLine.Length + 1);
        commandLine.CopyTo(line);
        line[^1] = 0;
        return ElfKernel.IsElf(kernel)
            ? ElfKernel.Load(memory, kernel, initramfs)
            : BzImage.Load(memory, kernel, initramfs, commandLine.Length);
    }

    /// <summary>Puts the initial RAM disk as high as may be: below <paramref name="end"/>, above <paramref name="start"/>.</summary>
    /// <returns>Its guest physical address; 0 when it is empty.</returns>
    /// <exception cref="BootException">There is no room.</exception>
    internal static ulong PlaceInitramfs(GuestMemory memory, ReadOnlySpan<byte> initramfs, ulong start, ulong end)
    {
        if (initramfs.IsEmpty)
            return 0;
        end = Math.Min(end, memory.LowBytes);
        ulong address = end < (ulong)initramfs.Length ? 0 : (end - (ulong)initramfs.Length) & ~(BootLayout.PageBytes - 1);
        if (address < start)
            throw new BootException($"kernel and initial RAM disk do not fit into {memory.SizeBytes >> 20} MiB of memory");
        initramfs.CopyTo(memory.Span(address, initramfs.Length));
        return address;
    }
}

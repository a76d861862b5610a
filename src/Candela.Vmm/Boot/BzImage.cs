using System.Buffers.Binary;
using Candela.Vmm.Memory;

namespace Candela.Vmm.Boot;

/// <summary>The 64-bit boot protocol of Linux (Documentation/arch/x86/boot.rst, "64-bit Boot Protocol", and zero-page.rst).</summary>
internal static class BzImage
{
    // Offsets in the file and, alike, in the zero page (boot.rst, "The Real-Mode Kernel Header").
    private const int HeaderStart = 0x1f1;
    private const int SetupSectors = 0x1f1;
    private const int BootFlag = 0x1fe;
    private const int Jump = 0x200;
    private const int HeaderMagic = 0x202;
    private const int Version = 0x206;
    private const int TypeOfLoader = 0x210;
    private const int RamdiskImage = 0x218;
    private const int RamdiskSize = 0x21c;
    private const int CommandLinePointer = 0x228;
    private const int InitrdAddressMaximum = 0x22c;
    private const int ExtendedLoadFlags = 0x236;
    private const int CommandLineSize = 0x238;
    private const int PreferredAddress = 0x258;
    private const int InitSize = 0x260;
    private const int SmallestFile = 0x268;

    // Offsets in the zero page (zero-page.rst).
    private const int AcpiRsdpAddress = 0x070;
    private const int E820Entries = 0x1e8;
    private const int E820Table = 0x2d0;
    private const int E820EntryBytes = 20;

    private const ushort BootFlagValue = 0xaa55;
    private const uint HeaderMagicValue = 0x53726448; // "HdrS"
    private const ushort LeastVersion = 0x020c; // xloadflags
    private const ushort XLF_KERNEL_64 = 1;
    private const byte UndefinedLoader = 0xff;
    private const int SectorBytes = 512;
    private const ulong EntryOffset64 = 0x200;
    private const ulong LastUsableAddress = 1UL << 32;

    public static BootEntry Load(GuestMemory memory, ReadOnlySpan<byte> image, ReadOnlySpan<byte> initramfs, int commandLineBytes)
    {
        if (image.Length < SmallestFile || U16(image, BootFlag) != BootFlagValue || U32(image, HeaderMagic) != HeaderMagicValue)
            throw new BootException("the kernel is neither a bzImage nor an ELF file");
        if (U16(image, Version) < LeastVersion || (U16(image, ExtendedLoadFlags) & XLF_KERNEL_64) == 0)
            throw new BootException("the kernel has no 64-bit entry (boot protocol 2.12, XLF_KERNEL_64)");
        int setupSectors = image[SetupSectors] == 0 ? 4 : image[SetupSectors];
        int setupBytes = (setupSectors + 1) * SectorBytes;
        if (setupBytes >= image.Length)
            throw new BootException("the kernel's file ends before its code");
        if ((uint)commandLineBytes > U32(image, CommandLineSize))
            throw new BootException($"the kernel takes a command line of at most {U32(image, CommandLineSize)} bytes, not {commandLineBytes}");

        ReadOnlySpan<byte> code = image[setupBytes..];
        ulong start = U64(image, PreferredAddress);
        ulong runBytes = Math.Max(U32(image, InitSize), (uint)code.Length);
        if (start < BootLayout.HighMemoryStart || start >= LastUsableAddress || !memory.Contains(start, runBytes))
            throw new BootException($"the kernel needs {runBytes} bytes from {start:x} on, which {memory.SizeBytes >> 20} MiB of memory do not have");
        code.CopyTo(memory.Span(start, code.Length));

        ulong initrdEnd = Math.Min((ulong)U32(image, InitrdAddressMaximum) + 1, LastUsableAddress);
        ulong initrd = KernelLoader.PlaceInitramfs(memory, initramfs, start + runBytes, initrdEnd);

        Span<byte> zeroPage = memory.Span(BootLayout.ZeroPageAddress, (int)BootLayout.PageBytes);
        zeroPage.Clear();
        // The header ends where the jump over it leads (boot.rst, "Details of Header Fields", jump).
        int headerEnd = Math.Min(HeaderMagic + image[Jump + 1], E820Table - E820EntryBytes);
        image[HeaderStart..headerEnd].CopyTo(zeroPage[HeaderStart..]);
        zeroPage[TypeOfLoader] = UndefinedLoader;
        BinaryPrimitives.WriteUInt32LittleEndian(zeroPage[RamdiskImage..], (uint)initrd);
        BinaryPrimitives.WriteUInt32LittleEndian(zeroPage[RamdiskSize..], (uint)initramfs.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(zeroPage[CommandLinePointer..], (uint)BootLayout.CommandLineAddress);
        BinaryPrimitives.WriteUInt64LittleEndian(zeroPage[AcpiRsdpAddress..], BootLayout.AcpiAddress);
        MemoryRange[] map = MemoryRange.Map(memory);
        zeroPage[E820Entries] = (byte)map.Length;
        for (int i = 0; i < map.Length; i++)
        {
            Span<byte> entry = zeroPage[(E820Table + i * E820EntryBytes)..];
            BinaryPrimitives.WriteUInt64LittleEndian(entry, map[i].Start);
            BinaryPrimitives.WriteUInt64LittleEndian(entry[8..], map[i].LengthBytes);
            BinaryPrimitives.WriteUInt32LittleEndian(entry[16..], map[i].Kind);
        }

        return new BootEntry(start + EntryOffset64, BootLayout.ZeroPageAddress, IsLongMode: true);
    }

    private static ushort U16(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt16LittleEndian(bytes[at..]);

    private static uint U32(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt32LittleEndian(bytes[at..]);

    private static ulong U64(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt64LittleEndian(bytes[at..]);
}

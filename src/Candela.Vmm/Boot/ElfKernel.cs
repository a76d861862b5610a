using System.Buffers.Binary;
using Candela.Vmm.Memory;

namespace Candela.Vmm.Boot;

/// <summary>An uncompressed ELF kernel entered by PVH (Xen, docs/misc/pvh.pandoc; Linux, include/xen/interface/hvm/start_info.h).</summary>
internal static class ElfKernel
{
    // Elf64_Ehdr and Elf64_Phdr (System V ABI, chapters 4 and 5).
    private const int HeaderBytes = 64;
    private const int ProgramHeaderBytes = 56;
    private const int ProgramHeadersMaximum = 64;
    private const uint PT_LOAD = 1;
    private const uint PT_NOTE = 4;
    private const byte ELFCLASS64 = 2;
    private const byte ELFDATA2LSB = 1;
    private const ushort EM_X86_64 = 62;

    // xen/interface/elfnote.h
    private const uint XEN_ELFNOTE_PHYS32_ENTRY = 18;
    private const int NotesMaximum = 256;

    // struct hvm_start_info, version 1.
    private const uint XEN_HVM_START_MAGIC_VALUE = 0x336ec578;
    private const int StartInfoBytes = 56;
    private const int ModuleBytes = 32;
    private const int MapEntryBytes = 24;

    public static bool IsElf(ReadOnlySpan<byte> file) => file.StartsWith("\x7f"u8) && file[1..].StartsWith("ELF"u8);

    public static BootEntry Load(GuestMemory memory, ReadOnlySpan<byte> file, ReadOnlySpan<byte> initramfs)
    {
        if (file.Length < HeaderBytes || file[4] != ELFCLASS64 || file[5] != ELFDATA2LSB || U16(file, 18) != EM_X86_64)
            throw new BootException("the ELF kernel is not a 64-bit x86 one");
        ulong headers = U64(file, 32);
        int count = U16(file, 56);
        if (U16(file, 54) != ProgramHeaderBytes || count == 0 || count > ProgramHeadersMaximum || headers > (ulong)file.Length || (ulong)(count * ProgramHeaderBytes) > (ulong)file.Length - headers)
            throw new BootException("the ELF kernel's program headers are damaged");

        ulong end = 0;
        uint? entry = null;
        for (int i = 0; i < count; i++)
        {
            ReadOnlySpan<byte> header = file.Slice((int)headers + i * ProgramHeaderBytes, ProgramHeaderBytes);
            uint type = U32(header, 0);
            if (type is not (PT_LOAD or PT_NOTE))
                continue;
            ulong offset = U64(header, 8), fileBytes = U64(header, 32);
            if (offset > (ulong)file.Length || fileBytes > (ulong)file.Length - offset)
                throw new BootException("the ELF kernel's file ends within a segment");
            ReadOnlySpan<byte> content = file.Slice((int)offset, (int)fileBytes);
            if (type == PT_NOTE)
                entry ??= FindEntry(content);
            else
                end = Math.Max(end, LoadSegment(memory, content, U64(header, 24), U64(header, 40)));
        }

        if (end == 0)
            throw new BootException("the ELF kernel has nothing to load");
        if (entry is not { } start)
            throw new BootException("the ELF kernel has no PVH entry (built without CONFIG_PVH)");
        if (start < BootLayout.HighMemoryStart || start >= end)
            throw new BootException("the ELF kernel's PVH entry lies outside of what it loads");
        ulong initrd = KernelLoader.PlaceInitramfs(memory, initramfs, end, memory.LowBytes);
        WriteStartInfo(memory, initrd, initramfs.Length);
        return new BootEntry(start, BootLayout.StartInfoAddress, IsLongMode: false);
    }

    private static ulong LoadSegment(GuestMemory memory, ReadOnlySpan<byte> content, ulong address, ulong memoryBytes)
    {
        if (memoryBytes == 0)
            return 0;
        if ((ulong)content.Length > memoryBytes || address < BootLayout.HighMemoryStart || address >= memory.LowBytes || memoryBytes > memory.LowBytes - address || memoryBytes > int.MaxValue)
            throw new BootException($"the ELF kernel has a segment of {memoryBytes} bytes at {address:x}, which {memory.SizeBytes >> 20} MiB of memory do not have");
        Span<byte> target = memory.Span(address, (int)memoryBytes);
        content.CopyTo(target);
        target[content.Length..].Clear();
        return address + memoryBytes;
    }

    private static uint? FindEntry(ReadOnlySpan<byte> notes)
    {
        // Elf64_Nhdr: name size, descriptor size, type; name and descriptor padded to 4 bytes.
        for (int i = 0; i < NotesMaximum && notes.Length >= 12; i++)
        {
            ulong nameBytes = U32(notes, 0), descriptorBytes = U32(notes, 4);
            ulong descriptorAt = 12 + ((nameBytes + 3) & ~3UL);
            ulong noteBytes = descriptorAt + ((descriptorBytes + 3) & ~3UL);
            if (descriptorAt + descriptorBytes > (ulong)notes.Length)
                return null;
            if (U32(notes, 8) == XEN_ELFNOTE_PHYS32_ENTRY && nameBytes == 4 && notes[12..].StartsWith("Xen\0"u8) && descriptorBytes >= 4)
                return U32(notes, (int)descriptorAt);
            if (noteBytes >= (ulong)notes.Length)
                return null;
            notes = notes[(int)noteBytes..];
        }

        return null;
    }

    private static void WriteStartInfo(GuestMemory memory, ulong initrd, int initrdBytes)
    {
        const ulong moduleAddress = BootLayout.StartInfoAddress + StartInfoBytes;
        const ulong mapAddress = moduleAddress + ModuleBytes;
        MemoryRange[] map = MemoryRange.Map(memory);
        Span<byte> info = memory.Span(BootLayout.StartInfoAddress, StartInfoBytes + ModuleBytes + map.Length * MapEntryBytes);
        info.Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(info, XEN_HVM_START_MAGIC_VALUE);
        BinaryPrimitives.WriteUInt32LittleEndian(info[4..], 1); // version
        BinaryPrimitives.WriteUInt32LittleEndian(info[12..], initrd == 0 ? 0u : 1u); // nr_modules
        BinaryPrimitives.WriteUInt64LittleEndian(info[16..], initrd == 0 ? 0 : moduleAddress);
        BinaryPrimitives.WriteUInt64LittleEndian(info[24..], BootLayout.CommandLineAddress);
        BinaryPrimitives.WriteUInt64LittleEndian(info[32..], BootLayout.AcpiAddress);
        BinaryPrimitives.WriteUInt64LittleEndian(info[40..], mapAddress);
        BinaryPrimitives.WriteUInt32LittleEndian(info[48..], (uint)map.Length);
        BinaryPrimitives.WriteUInt64LittleEndian(info[StartInfoBytes..], initrd);
        BinaryPrimitives.WriteUInt64LittleEndian(info[(StartInfoBytes + 8)..], (ulong)initrdBytes);
        for (int i = 0; i < map.Length; i++)
        {
            Span<byte> entry = info[(StartInfoBytes + ModuleBytes + i * MapEntryBytes)..];
            BinaryPrimitives.WriteUInt64LittleEndian(entry, map[i].Start);
            BinaryPrimitives.WriteUInt64LittleEndian(entry[8..], map[i].LengthBytes);
            BinaryPrimitives.WriteUInt32LittleEndian(entry[16..], map[i].Kind);
        }
    }

    private static ushort U16(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt16LittleEndian(bytes[at..]);

    private static uint U32(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt32LittleEndian(bytes[at..]);

    private static ulong U64(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt64LittleEndian(bytes[at..]);
}

using System.Buffers.Binary;
using Candela.Vmm.Memory;

namespace Candela.Vmm.Boot;

/// <summary>
/// Registers and tables for a kernel's first instruction: 64-bit mode over identity-mapping page tables (Linux, boot.rst, "64-bit Boot
/// Protocol"), or flat 32-bit protected mode (PVH). Layouts: Intel SDM 3A, chapters 3 and 4; struct kvm_regs and kvm_sregs.
/// </summary>
internal static class BootRegisters
{
    /// <summary>Offset of cr0 in struct kvm_sregs; cr2, cr3, cr4, cr8 and efer follow.</summary>
    public const int ControlAt = 224;

    // struct kvm_sregs
    private const int SegmentBytes = 24;
    private const int CodeSegment = 0, FirstDataSegment = 1, DataSegments = 5, TaskSegment = 6;
    private const int GdtAt = 192, Cr0At = ControlAt, Cr3At = ControlAt + 16, Cr4At = ControlAt + 24, EferAt = ControlAt + 40;

    // struct kvm_regs
    private const int RbxAt = 8, RsiAt = 32, RspAt = 48, RipAt = 128, RflagsAt = 136;

    // __BOOT_CS and __BOOT_DS of the boot protocol.
    private const ushort CodeSelector = 0x10, DataSelector = 0x18, TaskSelector = 0x20;
    private const byte CodeType = 0xb, DataType = 0x3, BusyTask = 0xb;
    private const ulong CodeDescriptor64 = 0x00af_9b00_0000_ffff, CodeDescriptor32 = 0x00cf_9b00_0000_ffff, DataDescriptor = 0x00cf_9300_0000_ffff, TaskDescriptor = 0x0000_8b00_0000_ffff;
    private const int GdtBytes = 40;

    private const ulong CR0_PE = 1, CR0_ET = 1 << 4, CR0_PG = 1UL << 31;
    private const ulong CR4_PAE = 1 << 5;
    private const ulong EFER_LME = 1 << 8, EFER_LMA = 1 << 10;
    private const ulong ReservedFlag = 2;

    // Page table entries: present, writable; 2 MiB pages.
    private const ulong Present = 0b11, LargePage = 1 << 7;
    private const int EntriesPerTable = 512;

    /// <summary>Writes descriptor table and page tables to memory.</summary>
    public static void WriteTables(GuestMemory memory, bool isLongMode)
    {
        Span<byte> gdt = memory.Span(BootLayout.GdtAddress, GdtBytes);
        gdt.Clear();
        BinaryPrimitives.WriteUInt64LittleEndian(gdt[CodeSelector..], isLongMode ? CodeDescriptor64 : CodeDescriptor32);
        BinaryPrimitives.WriteUInt64LittleEndian(gdt[DataSelector..], DataDescriptor);
        BinaryPrimitives.WriteUInt64LittleEndian(gdt[TaskSelector..], TaskDescriptor);
        if (!isLongMode)
            return;
        const int tables = 6;
        Span<byte> pages = memory.Span(BootLayout.PageTablesAddress, tables * (int)BootLayout.PageBytes);
        pages.Clear();
        BinaryPrimitives.WriteUInt64LittleEndian(pages, BootLayout.PageTablesAddress + BootLayout.PageBytes | Present);
        for (int i = 0; i < 4; i++)
        {
            ulong directory = BootLayout.PageTablesAddress + (ulong)(2 + i) * BootLayout.PageBytes;
            BinaryPrimitives.WriteUInt64LittleEndian(pages[((int)BootLayout.PageBytes + 8 * i)..], directory | Present);
            for (int j = 0; j < EntriesPerTable; j++)
                BinaryPrimitives.WriteUInt64LittleEndian(pages[((2 + i) * (int)BootLayout.PageBytes + 8 * j)..], ((ulong)(i * EntriesPerTable + j) << 21) | Present | LargePage);
        }
    }

    /// <summary>Changes struct kvm_sregs as KVM gave it.</summary>
    public static void SetSpecial(Span<byte> sregs, bool isLongMode)
    {
        SetSegment(sregs[(CodeSegment * SegmentBytes)..], CodeSelector, CodeType, isSystem: false, isLong: isLongMode, is32: !isLongMode);
        for (int i = 0; i < DataSegments; i++)
            SetSegment(sregs[((FirstDataSegment + i) * SegmentBytes)..], DataSelector, DataType, isSystem: false, isLong: false, is32: true);
        SetSegment(sregs[(TaskSegment * SegmentBytes)..], TaskSelector, BusyTask, isSystem: true, isLong: false, is32: false);
        BinaryPrimitives.WriteUInt64LittleEndian(sregs[GdtAt..], BootLayout.GdtAddress);
        BinaryPrimitives.WriteUInt16LittleEndian(sregs[(GdtAt + 8)..], GdtBytes - 1);
        BinaryPrimitives.WriteUInt64LittleEndian(sregs[Cr0At..], isLongMode ? CR0_PE | CR0_ET | CR0_PG : CR0_PE | CR0_ET);
        BinaryPrimitives.WriteUInt64LittleEndian(sregs[Cr3At..], isLongMode ? BootLayout.PageTablesAddress : 0);
        BinaryPrimitives.WriteUInt64LittleEndian(sregs[Cr4At..], isLongMode ? CR4_PAE : 0);
        BinaryPrimitives.WriteUInt64LittleEndian(sregs[EferAt..], isLongMode ? EFER_LME | EFER_LMA : 0);
    }

    /// <summary>Fills struct kvm_regs.</summary>
    public static void SetGeneral(Span<byte> regs, BootEntry entry)
    {
        regs.Clear();
        BinaryPrimitives.WriteUInt64LittleEndian(regs[RbxAt..], entry.IsLongMode ? 0 : entry.Parameters);
        BinaryPrimitives.WriteUInt64LittleEndian(regs[RsiAt..], entry.IsLongMode ? entry.Parameters : 0);
        BinaryPrimitives.WriteUInt64LittleEndian(regs[RspAt..], BootLayout.StackTop);
        BinaryPrimitives.WriteUInt64LittleEndian(regs[RipAt..], entry.InstructionPointer);
        BinaryPrimitives.WriteUInt64LittleEndian(regs[RflagsAt..], ReservedFlag);
    }

    // struct kvm_segment: base, limit, selector, type, present, dpl, db, s, l, g, avl, unusable, padding.
    private static void SetSegment(Span<byte> segment, ushort selector, byte type, bool isSystem, bool isLong, bool is32)
    {
        segment[..SegmentBytes].Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(segment[8..], isSystem ? 0xffffu : 0xffff_ffffu);
        BinaryPrimitives.WriteUInt16LittleEndian(segment[12..], selector);
        segment[14] = type;
        segment[15] = 1;
        segment[17] = is32 ? (byte)1 : (byte)0;
        segment[18] = isSystem ? (byte)0 : (byte)1;
        segment[19] = isLong ? (byte)1 : (byte)0;
        segment[20] = isSystem ? (byte)0 : (byte)1;
    }
}

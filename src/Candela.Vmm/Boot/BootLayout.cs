namespace Candela.Vmm.Boot;

/// <summary>Where things are in the guest's physical memory when its first vCPU starts.</summary>
internal static class BootLayout
{
    /// <summary>Global descriptor table.</summary>
    public const ulong GdtAddress = 0x500;

    /// <summary>struct hvm_start_info and what it points to (PVH).</summary>
    public const ulong StartInfoAddress = 0x6000;

    /// <summary>struct boot_params (Linux, Documentation/arch/x86/zero-page.rst).</summary>
    public const ulong ZeroPageAddress = 0x7000;

    /// <summary>Page tables that map the first 4 GiB to themselves: one page map, one directory of pointers, four directories.</summary>
    public const ulong PageTablesAddress = 0x9000;

    /// <summary>Initial stack pointer; nothing is pushed before the kernel sets its own.</summary>
    public const ulong StackTop = 0x8ff0;

    /// <summary>The kernel's command line.</summary>
    public const ulong CommandLineAddress = 0x2_0000;

    /// <summary>End of the memory below the PC's legacy area.</summary>
    public const ulong ConventionalEnd = 0x9_fc00;

    /// <summary>ACPI tables, in the area that the ACPI specification names for them (6.4, section 5.2.5.1).</summary>
    public const ulong AcpiAddress = 0xe_0000;

    /// <summary>Where the memory above the legacy area begins.</summary>
    public const ulong HighMemoryStart = 0x10_0000;

    /// <summary>Longest command line with its zero byte.</summary>
    public const int CommandLineBytesMaximum = 4096;

    /// <summary>Pages are aligned to this.</summary>
    public const ulong PageBytes = 4096;
}

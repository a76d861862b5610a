using Candela.Vmm.Memory;

namespace Candela.Vmm.Boot;

/// <summary>A line of the memory map that the kernel is given (e820; ACPI 6.4, section 15).</summary>
/// <param name="Start">Guest physical address.</param>
/// <param name="LengthBytes">Length.</param>
/// <param name="Kind"><see cref="Ram"/> or <see cref="Reserved"/>.</param>
internal readonly record struct MemoryRange(ulong Start, ulong LengthBytes, uint Kind)
{
    /// <summary>AddressRangeMemory.</summary>
    public const uint Ram = 1;

    /// <summary>AddressRangeReserved.</summary>
    public const uint Reserved = 2;

    /// <summary>The map of a guest's memory.</summary>
    public static MemoryRange[] Map(GuestMemory memory)
    {
        List<MemoryRange> ranges =
        [
            new(0, BootLayout.ConventionalEnd, Ram),
            new(BootLayout.AcpiAddress, BootLayout.HighMemoryStart - BootLayout.AcpiAddress, Reserved),
            new(BootLayout.HighMemoryStart, memory.LowBytes - BootLayout.HighMemoryStart, Ram),
        ];
        if (memory.HighBytes != 0)
            ranges.Add(new MemoryRange(GuestMemory.HighStart, memory.HighBytes, Ram));
        return [.. ranges];
    }
}

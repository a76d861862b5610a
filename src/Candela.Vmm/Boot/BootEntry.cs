namespace Candela.Vmm.Boot;

/// <summary>How the first vCPU enters a loaded kernel.</summary>
/// <param name="InstructionPointer">Where it starts.</param>
/// <param name="Parameters">Guest physical address of what the kernel is told: the zero page (in RSI) or the start info (in EBX).</param>
/// <param name="IsLongMode">64-bit mode with paging (Linux's 64-bit boot protocol), or 32-bit protected mode without (PVH).</param>
internal readonly record struct BootEntry(ulong InstructionPointer, ulong Parameters, bool IsLongMode);
